//! Calls from other programs that begin a routine's work: stored before they are answered, and taken once.

use rusqlite::{Connection, OptionalExtension, params};

use super::now;
use crate::domain::id::RoutineId;

/// How long a delivery's id is remembered.
const REMEMBERED_MS: i64 = 7 * 24 * 60 * 60 * 1000;

/// A call that waits for its prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub seq: i64,
    pub routine: RoutineId,
    /// What happened, in the sender's word.
    pub event: Option<String>,
    pub body: Vec<u8>,
    /// Unix milliseconds.
    pub received_at: i64,
}

/// Stores a call. Returns false if its delivery is known since then, in Unix milliseconds.
pub fn insert(
    db: &Connection,
    routine: &RoutineId,
    delivery: &str,
    event: Option<&str>,
    body: &[u8],
    known_since: i64,
) -> rusqlite::Result<bool> {
    db.prepare_cached(
        "DELETE FROM calls WHERE routine_id = ?1 AND delivery = ?2 AND received_at < ?3 AND state = 'taken'",
    )?
    .execute(params![routine.0, delivery, known_since])?;
    let stored = db
        .prepare_cached(
            "INSERT OR IGNORE INTO calls (routine_id, delivery, event, body, received_at, state)
             VALUES (?1, ?2, ?3, ?4, ?5, 'due')",
        )?
        .execute(params![routine.0, delivery, event, body, now()])?;
    Ok(stored == 1)
}

/// How many of a routine's calls wait for their prompts, or their prompts for claude.
pub fn waiting(db: &Connection, routine: &RoutineId) -> rusqlite::Result<u32> {
    db.prepare_cached(
        "SELECT (SELECT count(*) FROM calls WHERE +routine_id = ?1 AND state = 'due')
              + (SELECT count(*) FROM occurrences o JOIN runs r ON r.id = o.run_id
                 WHERE o.routine_id = ?1 AND r.state = 'queued')",
    )?
    .query_row([&routine.0], |row| row.get(0))
}

/// The oldest call behind this one that waits for its prompt.
pub fn next_due(db: &Connection, behind: i64) -> rusqlite::Result<Option<Call>> {
    db.prepare_cached(
        "SELECT c.seq, c.routine_id, c.event, c.body, c.received_at
         FROM calls c CROSS JOIN routines r ON r.id = c.routine_id
         WHERE c.state = 'due' AND c.seq > ?1 AND r.state = 'kept' ORDER BY c.seq LIMIT 1",
    )?
    .query_row([behind], |row| {
        Ok(Call {
            seq: row.get(0)?,
            routine: RoutineId(row.get(1)?),
            event: row.get(2)?,
            body: row.get::<_, Option<Vec<u8>>>(3)?.unwrap_or_default(),
            received_at: row.get(4)?,
        })
    })
    .optional()
}

/// Its prompt is queued, and its body is a file.
pub fn set_taken(db: &Connection, seq: i64) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE calls SET state = 'taken', body = NULL WHERE seq = ?1")?
        .execute([seq])?;
    Ok(())
}

pub fn forget_old(db: &Connection) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM calls WHERE state = 'taken' AND received_at < ?1")?
        .execute([now() - REMEMBERED_MS])?;
    Ok(())
}
