//! `/stop` and the Stop button: written down here, done by the run's keeper.

use rusqlite::Connection;

use super::Follow;
use crate::chat::text;
use crate::id::{ChatId, ChatThread, RunId};
use crate::run::Outcome;
use crate::store::{chats, outbox, runs, sessions};

/// Ends what runs; if nothing runs, gives up what is being set up, and drops what waits.
pub(super) fn request(db: &Connection, at: ChatThread) -> rusqlite::Result<Follow> {
    let stop = Follow::stop(at);
    if let Some(run) = runs::running(db, at)? {
        // Its end is the reply.
        runs::request_stop(db, run.id)?;
        return Ok(stop);
    }
    let dropped = runs::end_queued(db, at, None, &Outcome::Stopped)?;
    if let Some(session) = sessions::next_new(db, at)? {
        sessions::give_up(db, &session.id)?;
        chats::return_from(db, &session)?;
        outbox::insert(db, at, &text::setting_up_stopped(&session.source, dropped))?;
        return Ok(stop);
    }
    let reply = if dropped == 0 {
        text::nothing_to_stop()
    } else {
        text::dropped_waiting(dropped)
    };
    outbox::insert(db, at, &reply)?;
    // The worker may wait for a place, for what was dropped.
    Ok(stop)
}

/// A Stop button was pressed; `None` when its run is over.
///
/// The run is looked up by its id: a press below an old message does not say in which topic it was.
pub(super) fn pressed(
    db: &Connection,
    chat: ChatId,
    run: RunId,
) -> rusqlite::Result<Option<Follow>> {
    match runs::running_under(db, run)?.filter(|run| run.at.chat == chat) {
        Some(run) => request(db, run.at).map(Some),
        None => Ok(None),
    }
}
