//! Ends a run in the store, with all that belongs to it.

use rusqlite::Connection;

use super::asked;
use crate::chat::routines as words;
use crate::domain::id::{ChatThread, RunId};
use crate::domain::routine::{PausedFor, State};
use crate::domain::run::Outcome;
use crate::store::{outbox, routines, runs, steering};

/// Ends a run that has begun: prompts that its claude has not taken up wait again, and its questions are closed. The
/// first ending counts; returns whether this was it.
pub fn end(
    db: &Connection,
    at: ChatThread,
    run: RunId,
    outcome: &Outcome,
) -> rusqlite::Result<bool> {
    if !runs::end(db, run, outcome)? {
        return Ok(false);
    }
    steering::give_all_back(db, run)?;
    asked::close_all(db, at, run)?;
    Ok(true)
}

/// Ends a run that cannot begin.
pub fn fail_waiting(db: &Connection, run: RunId, reason: String) -> rusqlite::Result<()> {
    runs::end(db, run, &Outcome::Failed(reason))?;
    pause_routine_that_fails(db, run)
}

/// Three failures in a row pause the routine that began the run; to be called when it is known that no other run
/// continues this one.
pub fn pause_routine_that_fails(db: &Connection, run: RunId) -> rusqlite::Result<()> {
    let Some(routine) = routines::of_run(db, run)? else {
        return Ok(());
    };
    if routine.state == State::Kept && routines::fails_always(db, &routine.id)? {
        routines::pause(db, &routine.id, PausedFor::Failures)?;
        outbox::insert(db, routine.at, &words::paused_by_failures(&routine))?;
    }
    Ok(())
}
