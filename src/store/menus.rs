//! The command menus that a bot has at Telegram, so that a start does not set them again.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use crate::domain::id::UserId;

/// The commands of each scope, both as JSON.
pub fn all(db: &Connection, bot: UserId) -> rusqlite::Result<BTreeMap<String, String>> {
    db.prepare_cached("SELECT scope, commands FROM menus WHERE bot = ?1")?
        .query_map([bot.0], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// Telegram has these commands now.
pub fn set(db: &Connection, bot: UserId, scope: &str, commands: &str) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO menus (bot, scope, commands) VALUES (?1, ?2, ?3)
         ON CONFLICT (bot, scope) DO UPDATE SET commands = excluded.commands",
    )?
    .execute(params![bot.0, scope, commands])?;
    Ok(())
}

/// Telegram has no commands there any more.
pub fn remove(db: &Connection, bot: UserId, scope: &str) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM menus WHERE bot = ?1 AND scope = ?2")?
        .execute(params![bot.0, scope])?;
    Ok(())
}
