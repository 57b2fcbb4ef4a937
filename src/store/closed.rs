//! Closed chats: nobody may write there any more, so nothing is sent there and nothing goes on.

use rusqlite::{Connection, params};

use super::chats::place_from;
use super::now;
use super::outbox::OPEN;
use crate::domain::id::{ChatId, ChatThread};

/// Closes a chat: messages that have not arrived count as sent, and so does each later one. Returns false if it was
/// closed before.
pub fn close(db: &Connection, chat: ChatId) -> rusqlite::Result<bool> {
    let closed = db
        .prepare_cached("INSERT OR IGNORE INTO closed_chats (chat_id) VALUES (?1)")?
        .execute([chat.0])?;
    db.prepare_cached(&format!(
        "UPDATE outbox SET state = 'sent', sent_at = ?2 WHERE chat_id = ?1 AND {OPEN}"
    ))?
    .execute(params![chat.0, now()])?;
    db.prepare_cached(
        "UPDATE outbox SET state = 'sent', sent_at = ?2 WHERE chat_id = ?1 AND state = 'parked'",
    )?
    .execute(params![chat.0, now()])?;
    Ok(closed == 1)
}

/// Somebody may write there again.
pub fn open(db: &Connection, chat: ChatId) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM closed_chats WHERE chat_id = ?1")?
        .execute([chat.0])?;
    Ok(())
}

pub fn is_closed(db: &Connection, chat: ChatId) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM closed_chats WHERE chat_id = ?1")?
        .exists([chat.0])
}

/// Chats that have anything of the bot: a session, a message that has not arrived, a hold.
pub fn known_chats(db: &Connection) -> rusqlite::Result<Vec<ChatId>> {
    db.prepare_cached(&format!(
        "SELECT chat_id FROM sessions
         UNION SELECT chat_id FROM outbox WHERE {OPEN}
         UNION SELECT chat_id FROM outbox WHERE state = 'parked'
         UNION SELECT chat_id FROM holds
         UNION SELECT chat_id FROM closed_chats
         EXCEPT SELECT ?1"
    ))?
    .query_map([ChatId::SHELL.0], |row| row.get(0).map(ChatId))?
    .collect()
}

/// A chat and its topics, as far as there is anything in them.
pub fn places_in(db: &Connection, chat: ChatId) -> rusqlite::Result<Vec<ChatThread>> {
    db.prepare_cached(
        "SELECT chat_id, thread_id FROM sessions WHERE chat_id = ?1
         UNION SELECT chat_id, thread_id FROM holds WHERE chat_id = ?1",
    )?
    .query_map([chat.0], |row| place_from(row, 0))?
    .collect()
}
