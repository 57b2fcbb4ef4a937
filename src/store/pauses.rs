//! Chats that Telegram asked to leave alone for a while. Bot API: 429 with `retry_after`.
//!
//! They are stored because a call after a restart would make a pause longer.

use std::collections::HashMap;
use std::time::Duration;

use rusqlite::{Connection, params};

use super::now;
use crate::domain::id::ChatId;

/// Telegram's longest known pause is some hours; more than a day means the clock jumped.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

pub fn set(db: &Connection, chat: ChatId, pause: Duration) -> rusqlite::Result<()> {
    let until = now() + i64::try_from(pause.as_millis()).unwrap_or(0);
    db.prepare_cached(
        "INSERT INTO chat_pauses (chat_id, until) VALUES (?1, ?2)
         ON CONFLICT (chat_id) DO UPDATE SET until = max(until, excluded.until)",
    )?
    .execute(params![chat.0, until])?;
    Ok(())
}

/// The pauses that are not over, and how much is left of each; forgets the others.
pub fn left(db: &Connection) -> rusqlite::Result<HashMap<ChatId, Duration>> {
    let now = now();
    db.prepare_cached("DELETE FROM chat_pauses WHERE until <= ?1")?
        .execute([now])?;
    db.prepare_cached("SELECT chat_id, until FROM chat_pauses")?
        .query_map([], |row| {
            let until: i64 = row.get(1)?;
            let left = Duration::from_millis(u64::try_from(until - now).unwrap_or(0));
            Ok((ChatId(row.get(0)?), left.min(LONGEST)))
        })?
        .collect()
}
