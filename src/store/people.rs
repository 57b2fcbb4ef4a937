//! People: those who were invited and may use the bot, besides those in the settings.

use rusqlite::{Connection, OptionalExtension, params};

use super::now;
use crate::domain::id::UserId;

/// Somebody who was invited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub user: UserId,
    /// As Telegram showed it when they came.
    pub name: String,
    /// Unix milliseconds.
    pub joined_at: i64,
    /// The settings named them too, at the last start.
    pub was_named: bool,
}

/// Lets somebody in; harmless for one who is in already.
pub fn insert(
    db: &Connection,
    user: UserId,
    name: &str,
    invited_by: UserId,
) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO people (user_id, name, invited_by, joined_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (user_id) DO NOTHING",
    )?
    .execute(params![user.0, name, invited_by.0, now()])?;
    Ok(())
}

/// Whether somebody was invited.
pub fn has(db: &Connection, user: UserId) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM people WHERE user_id = ?1")?
        .exists([user.0])
}

/// All who were invited, in the order in which they came.
pub fn all(db: &Connection) -> rusqlite::Result<Vec<Person>> {
    db.prepare_cached(
        "SELECT user_id, name, joined_at, is_named FROM people ORDER BY joined_at, user_id",
    )?
    .query_map([], |row| {
        Ok(Person {
            user: UserId(row.get(0)?),
            name: row.get(1)?,
            joined_at: row.get(2)?,
            was_named: row.get(3)?,
        })
    })?
    .collect()
}

/// Notes whether the settings name this person too.
pub fn set_named(db: &Connection, user: UserId, is_named: bool) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE people SET is_named = ?2 WHERE user_id = ?1")?
        .execute(params![user.0, is_named])?;
    Ok(())
}

/// Makes this person a stranger. Returns their name; `None` if they were not invited.
pub fn remove(db: &Connection, user: UserId) -> rusqlite::Result<Option<String>> {
    db.prepare_cached("DELETE FROM people WHERE user_id = ?1 RETURNING name")?
        .query_row([user.0], |row| row.get(0))
        .optional()
}
