//! `/stop` and the Stop button: stored here, done by the run's keeper.

use rusqlite::Connection;

use super::{Follow, job};
use crate::chat::{hold as words, text, workspace};
use crate::domain::id::{ChatId, ChatThread, RunId, SessionId};
use crate::domain::run::Outcome;
use crate::domain::session::{Session, SessionState};
use crate::store::{chats, holds, jobs, outbox, processes, runs, sessions, waiting};

/// Stops the run; else the job; else gives up the setup, and drops waiting prompts.
pub(super) fn request(db: &Connection, at: ChatThread) -> rusqlite::Result<Follow> {
    let stop = Follow::stop(at);
    if let Some(run) = runs::running(db, at)? {
        // Its end is the reply.
        runs::request_stop(db, run.id)?;
        if holds::lift(db, at)? {
            // It has met the hold's cause and is about to end.
            let dropped = waiting::end_queued(db, at, None, &Outcome::Stopped)?;
            let told = text::dropped_waiting(dropped).adding(words::NO_LONGER_HELD);
            outbox::insert(db, at, &told)?;
        }
        return Ok(stop);
    }
    if let Some(job) = job::to_stop(db, at)? {
        // The job's end is the reply.
        jobs::request_stop(db, job.id)?;
        return Ok(stop);
    }
    let dropped = waiting::end_queued(db, at, None, &Outcome::Stopped)?;
    let mut in_background = false;
    for process in processes::at(db, at)? {
        processes::request_stop(db, process.id)?;
        in_background |= !process.background.is_empty();
    }
    if in_background && dropped == 0 {
        // Its end is the reply.
        return Ok(stop);
    }
    let was_held = holds::lift(db, at)?;
    if let Some(session) = sessions::next_new(db, at)? {
        give_up(db, &session, dropped)?;
        return Ok(stop);
    }
    let reply = if dropped == 0 {
        text::nothing_to_stop()
    } else {
        text::dropped_waiting(dropped)
    };
    let reply = match was_held {
        true => reply.adding(words::NO_LONGER_HELD),
        false => reply,
    };
    outbox::insert(db, at, &reply)?;
    // The worker may wait for a place for a dropped run.
    Ok(stop)
}

pub(super) fn give_up(db: &Connection, session: &Session, dropped: usize) -> rusqlite::Result<()> {
    sessions::give_up(db, &session.id)?;
    chats::return_from(db, session)?;
    let told = workspace::setting_up_stopped(&session.source, dropped);
    outbox::insert(db, session.at, &told)
}

/// The Stop button of a workspace that is being made; `None` if it is ready or given up.
pub(super) fn setup_pressed(
    db: &Connection,
    chat: ChatId,
    session: &SessionId,
) -> rusqlite::Result<Option<Follow>> {
    let session = sessions::get(db, session)?
        .filter(|session| session.at.chat == chat && session.state == SessionState::New);
    let Some(session) = session else {
        return Ok(None);
    };
    let dropped = waiting::end_queued(db, session.at, Some(&session.id), &Outcome::Stopped)?;
    give_up(db, &session, dropped)?;
    Ok(Some(Follow::stop(session.at)))
}

/// A Stop button was pressed; `None` if its run is over.
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
