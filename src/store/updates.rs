//! Updates: on disk before Telegram may forget them, done exactly once.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::now;
use crate::domain::id::{UpdateId, UpdateSeq};

/// How often an update may fail before it is set aside.
pub const ATTEMPTS: u32 = 3;
/// Telegram keeps updates for a day; finished ones are remembered here for two.
const REMEMBERED_MS: i64 = 2 * 24 * 60 * 60 * 1000;

/// An update that has not had its effect yet.
#[derive(Clone, Debug)]
pub struct Stored {
    pub seq: UpdateSeq,
    /// The update's JSON as Telegram sent it.
    pub raw: String,
}

/// Keeps an update; returns false if it is there already.
pub fn insert(db: &Connection, id: UpdateId, raw: &str) -> rusqlite::Result<bool> {
    let inserted = db
        .prepare_cached(
            "INSERT INTO updates (update_id, raw, state, received_at) VALUES (?1, ?2, 'stored', ?3)
             ON CONFLICT (update_id) DO NOTHING",
        )?
        .execute(params![id.0, raw, now()])?;
    Ok(inserted == 1)
}

/// Unprocessed updates that arrived after `after`, in the order of arrival.
pub fn stored_after(
    db: &Connection,
    after: UpdateSeq,
    limit: u32,
) -> rusqlite::Result<Vec<Stored>> {
    db.prepare_cached(
        "SELECT seq, raw FROM updates WHERE state = 'stored' AND seq > ?1 ORDER BY seq LIMIT ?2",
    )?
    .query_map(params![after.0, limit], from_row)?
    .collect()
}

/// One update, if it has not had its effect yet.
pub fn stored(db: &Connection, seq: UpdateSeq) -> rusqlite::Result<Option<Stored>> {
    db.prepare_cached("SELECT seq, raw FROM updates WHERE seq = ?1 AND state = 'stored'")?
        .query_row([seq.0], from_row)
        .optional()
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Stored> {
    Ok(Stored {
        seq: UpdateSeq(row.get(0)?),
        raw: row.get(1)?,
    })
}

/// Marks an update done and deletes its text: the effect has what is needed. Returns false if it was done before; then
/// the transaction must have no effect.
pub fn mark_done(db: &Connection, seq: UpdateSeq) -> rusqlite::Result<bool> {
    let marked = db
        .prepare_cached(
            "UPDATE updates SET state = 'done', raw = '' WHERE seq = ?1 AND state = 'stored'",
        )?
        .execute([seq.0])?;
    Ok(marked == 1)
}

/// Counts a failure; returns true if it was the last one and the update is set aside.
pub fn mark_failed(db: &Connection, seq: UpdateSeq, failure: &str) -> rusqlite::Result<bool> {
    let attempts: u32 = db
        .prepare_cached(
            "UPDATE updates SET attempts = attempts + 1, failure = ?2 WHERE seq = ?1
             RETURNING attempts",
        )?
        .query_row(params![seq.0, failure], |row| row.get(0))?;
    if attempts < ATTEMPTS {
        return Ok(false);
    }
    db.prepare_cached("UPDATE updates SET state = 'set_aside' WHERE seq = ?1")?
        .execute([seq.0])?;
    Ok(true)
}

/// How many are unprocessed.
pub fn open_count(db: &Connection) -> rusqlite::Result<u64> {
    db.prepare_cached("SELECT count(*) FROM updates WHERE state = 'stored'")?
        .query_row([], |row| row.get(0))
}

/// Forgets updates that were done so long ago that Telegram cannot send them again.
pub fn forget_old(db: &Connection) -> rusqlite::Result<usize> {
    db.prepare_cached("DELETE FROM updates WHERE state = 'done' AND received_at < ?1")?
        .execute([now() - REMEMBERED_MS])
}
