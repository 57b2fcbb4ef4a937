//! Which private chats were told what topics are.

use rusqlite::Connection;

use crate::domain::id::ChatId;

/// Whether the chat is to be told now: once in its life.
pub fn is_to_be_told(db: &Connection, chat: ChatId) -> rusqlite::Result<bool> {
    let inserted = db
        .prepare_cached("INSERT INTO told_of_topics (chat_id) VALUES (?1) ON CONFLICT DO NOTHING")?
        .execute([chat.0])?;
    Ok(inserted == 1)
}
