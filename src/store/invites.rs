//! Invites: codes that let somebody in, once.

use rusqlite::{Connection, OptionalExtension, params};

use super::now;
use crate::domain::id::{InviteCode, UserId};

/// Keeps a code that is valid until `expires_at`, in Unix milliseconds.
pub fn insert(
    db: &Connection,
    code: &InviteCode,
    invited_by: UserId,
    expires_at: i64,
) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM invites WHERE expires_at < ?1")?
        .execute([now()])?;
    db.prepare_cached("INSERT INTO invites (code, invited_by, expires_at) VALUES (?1, ?2, ?3)")?
        .execute(params![code.as_str(), invited_by.0, expires_at])?;
    Ok(())
}

/// How many are valid.
pub fn count(db: &Connection) -> rusqlite::Result<usize> {
    db.prepare_cached("SELECT count(*) FROM invites WHERE expires_at >= ?1")?
        .query_row([now()], |row| row.get(0))
}

/// Deletes all codes. Returns how many were valid.
pub fn cancel_all(db: &Connection) -> rusqlite::Result<usize> {
    let held = count(db)?;
    db.prepare_cached("DELETE FROM invites")?.execute([])?;
    Ok(held)
}

/// Uses a code up. Returns who made it, or `None` if it is not valid.
pub fn take(db: &Connection, code: &InviteCode) -> rusqlite::Result<Option<UserId>> {
    db.prepare_cached(
        "DELETE FROM invites WHERE code = ?1 AND expires_at >= ?2 RETURNING invited_by",
    )?
    .query_row(params![code.as_str(), now()], |row| row.get(0).map(UserId))
    .optional()
}
