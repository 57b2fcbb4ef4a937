//! The end of a run, as the store has it: what belongs to the run ends with it.

use rusqlite::Connection;

use super::asked;
use crate::domain::id::{ChatThread, RunId};
use crate::domain::run::Outcome;
use crate::store::{runs, steering};

/// Ends a run that has begun: what its claude has not taken up waits again, and nobody is asked anything any more. The
/// first ending stands; returns whether this was it.
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
