//! Ends a run in the store, with all that belongs to it.

use rusqlite::Connection;

use super::asked;
use crate::domain::id::{ChatThread, RunId};
use crate::domain::run::Outcome;
use crate::store::{runs, steering};

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
