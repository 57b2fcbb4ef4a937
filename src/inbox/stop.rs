//! `/stop` and the Stop button: written down here, done by the run's keeper.

use rusqlite::Connection;
use uuid::Uuid;

use super::Follow;
use crate::chat::text;
use crate::id::{ChatThread, RunId};
use crate::run::Outcome;
use crate::store::{chats, outbox, runs, sessions};

/// Ends what runs; if nothing runs, gives up what is being set up, and drops what waits.
pub(super) fn request(db: &Connection, at: ChatThread) -> rusqlite::Result<Follow> {
    let stop = Follow {
        wake: None,
        stop: Some(at),
    };
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

/// The run that a Stop button belongs to.
pub(super) fn run_named(data: &str) -> Option<RunId> {
    let id = data.strip_prefix("stop:")?;
    Uuid::parse_str(id).ok().map(RunId)
}

/// A Stop button was pressed; returns what the client shows for a moment.
///
/// The run is looked up by its id: a press below an old message does not say in which topic it was.
pub(super) fn pressed(
    db: &Connection,
    at: ChatThread,
    run: Option<RunId>,
) -> rusqlite::Result<(&'static str, Follow)> {
    let running = match run {
        Some(run) => runs::running_under(db, run)?.filter(|run| run.at.chat == at.chat),
        None => None,
    };
    let Some(run) = running else {
        return Ok(("This run is over.", Follow::default()));
    };
    request(db, run.at).map(|follow| ("Stopping.", follow))
}
