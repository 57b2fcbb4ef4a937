//! Holds: nothing begins in a chat while `holds` has a row for it.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::chats::{place_from, thread_column};
use super::now;
use crate::domain::hold::{Hold, HoldCause};
use crate::domain::id::ChatThread;

/// Sets a chat's hold, replacing an earlier one.
pub fn set(db: &Connection, at: ChatThread, hold: Hold) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO holds (chat_id, thread_id, why, until, since) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (chat_id, thread_id) DO UPDATE
         SET why = excluded.why, until = excluded.until, since = excluded.since, told = 0",
    )?
    .execute(params![
        at.chat.0,
        thread_column(at),
        hold.why.name(),
        hold.until,
        now()
    ])?;
    Ok(())
}

/// The chat's hold.
pub fn of(db: &Connection, at: ChatThread) -> rusqlite::Result<Option<Hold>> {
    db.prepare_cached("SELECT why, until FROM holds WHERE chat_id = ?1 AND thread_id = ?2")?
        .query_row(params![at.chat.0, thread_column(at)], from_row)
        .optional()
}

/// Notes that a person was told that their prompts wait. Returns false if that was noted before, or without a hold.
pub fn mark_told(db: &Connection, at: ChatThread) -> rusqlite::Result<bool> {
    let marked = db
        .prepare_cached(
            "UPDATE holds SET told = 1 WHERE chat_id = ?1 AND thread_id = ?2 AND told = 0",
        )?
        .execute(params![at.chat.0, thread_column(at)])?;
    Ok(marked == 1)
}

/// Lifts the chat's hold. Returns whether there was one.
pub fn lift(db: &Connection, at: ChatThread) -> rusqlite::Result<bool> {
    let lifted = db
        .prepare_cached("DELETE FROM holds WHERE chat_id = ?1 AND thread_id = ?2")?
        .execute(params![at.chat.0, thread_column(at)])?;
    Ok(lifted == 1)
}

/// Lifts every hold of this kind; returns where.
pub fn lift_all(db: &Connection, why: HoldCause) -> rusqlite::Result<Vec<ChatThread>> {
    db.prepare_cached("DELETE FROM holds WHERE why = ?1 RETURNING chat_id, thread_id")?
        .query_map([why.name()], |row| place_from(row, 0))?
        .collect()
}

/// claude has worked in a chat: it can be started, is logged in, and the API answers. Holds for want of these are over.
pub fn end_as_claude_works(db: &Connection) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE holds SET until = ?1 WHERE why IN ('login', 'overload', 'start')")?
        .execute([now()])?;
    Ok(())
}

/// Lifts the holds that are over; returns where.
pub fn lift_over(db: &Connection) -> rusqlite::Result<Vec<ChatThread>> {
    db.prepare_cached("DELETE FROM holds WHERE until <= ?1 RETURNING chat_id, thread_id")?
        .query_map([now()], |row| place_from(row, 0))?
        .collect()
}

/// When the next hold is over, in Unix milliseconds.
pub fn next_end(db: &Connection) -> rusqlite::Result<Option<i64>> {
    db.prepare_cached("SELECT min(until) FROM holds")?
        .query_row([], |row| row.get(0))
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Hold> {
    let why: String = row.get(0)?;
    let why = HoldCause::named(&why).ok_or_else(|| {
        let problem = format!("no hold is called {why}");
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, problem.into())
    })?;
    Ok(Hold {
        why,
        until: row.get(1)?,
    })
}
