//! The message of a question becomes what became of the question.

use rusqlite::Connection;

use crate::chat::questions::{self, Became};
use crate::id::ChatThread;
use crate::store::outbox;
use crate::store::questions::Asked;

/// The question's message says this from now on; where it cannot be changed any more, it is said anew.
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
