//! Shows in a question's message what became of the question, also at the end of its run.

use rusqlite::Connection;

use crate::chat::questions::{self, Became};
use crate::domain::id::{ChatThread, RunId};
use crate::store::outbox;
use crate::store::questions::{self as store, Asked};

/// The run is over: closes all its open questions.
pub fn close_all(db: &Connection, at: ChatThread, run: RunId) -> rusqlite::Result<()> {
    for asked in store::open_of_run(db, run)? {
        if store::close(db, &asked.id)? {
            show(db, at, &asked, Became::Over)?;
        }
    }
    Ok(())
}

/// The question's message shows this from now on; if none is known, a new message does.
pub fn show(
    db: &Connection,
    at: ChatThread,
    asked: &Asked,
    became: Became<'_>,
) -> rusqlite::Result<()> {
    let message = questions::message(&asked.id, &asked.question, became);
    match asked.row {
        Some(row) => outbox::insert_edit(db, at, &message, row),
        None => outbox::insert(db, at, &message),
    }
}
