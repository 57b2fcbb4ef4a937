//! The outbox: messages that must arrive, each written in the transaction that caused it.

use rusqlite::{Connection, OptionalExtension, params};

use super::chats::{thread_column, thread_from};
use super::now;
use crate::chat::Outgoing;
use crate::id::{ChatId, ChatThread};

/// A message that is due in a chat.
#[derive(Clone, Debug)]
pub struct Due {
    pub id: i64,
    pub at: ChatThread,
    pub message: Outgoing,
    /// A long message is sent in parts; so many have arrived.
    pub parts_sent: usize,
    /// How often its next part was tried, this time not counted.
    pub attempts: u32,
}

pub fn insert(db: &Connection, at: ChatThread, message: &Outgoing) -> rusqlite::Result<()> {
    let json = serde_json::to_string(message)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    db.prepare_cached(
        "INSERT INTO outbox (chat_id, thread_id, message, state, created_at) VALUES (?1, ?2, ?3, 'due', ?4)",
    )?
    .execute(params![at.chat.0, thread_column(at), json, now()])?;
    Ok(())
}

/// The chat's oldest message that has not arrived, marked as being sent.
///
/// A row that was being sent when the bot ended comes again: nobody knows whether it arrived. A row that
/// cannot be read is parked, so that it does not hold up those behind it.
pub fn take_next(db: &Connection, chat: ChatId) -> rusqlite::Result<Option<Due>> {
    loop {
        let Some((id, thread, json, parts_sent, attempts)) = oldest_open(db, chat)? else {
            return Ok(None);
        };
        let message = match serde_json::from_str(&json) {
            Ok(message) => message,
            Err(error) => {
                park(db, id, &format!("the row cannot be read: {error}"))?;
                continue;
            }
        };
        db.prepare_cached(
            "UPDATE outbox SET state = 'sending', attempts = attempts + 1 WHERE id = ?1",
        )?
        .execute([id])?;
        return Ok(Some(Due {
            id,
            at: ChatThread {
                chat,
                thread: thread_from(thread),
            },
            message,
            parts_sent,
            attempts,
        }));
    }
}

type OpenRow = (i64, i32, String, usize, u32);

fn oldest_open(db: &Connection, chat: ChatId) -> rusqlite::Result<Option<OpenRow>> {
    db.prepare_cached(
        "SELECT id, thread_id, message, parts_sent, attempts FROM outbox
         WHERE chat_id = ?1 AND state IN ('due', 'sending') ORDER BY id LIMIT 1",
    )?
    .query_row([chat.0], |row| {
        Ok((
            row.get(0)?,
            row.get(1)?,
            row.get(2)?,
            row.get(3)?,
            row.get(4)?,
        ))
    })
    .optional()
}

/// One more part has arrived; more follow.
pub fn part_sent(db: &Connection, id: i64) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE outbox SET parts_sent = parts_sent + 1, attempts = 1 WHERE id = ?1")?
        .execute([id])?;
    Ok(())
}

/// It has arrived. What it said is forgotten; claude's own record keeps the answer.
pub fn mark_sent(db: &Connection, id: i64) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE outbox SET state = 'sent', message = '{}', sent_at = ?2 WHERE id = ?1",
    )?
    .execute(params![id, now()])?;
    Ok(())
}

/// It did not arrive and is tried again.
pub fn mark_due(db: &Connection, id: i64, failure: &str) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE outbox SET state = 'due', failure = ?2 WHERE id = ?1")?
        .execute(params![id, failure])?;
    Ok(())
}

/// It cannot arrive; kept, and not tried again.
pub fn park(db: &Connection, id: i64, failure: &str) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE outbox SET state = 'parked', failure = ?2 WHERE id = ?1")?
        .execute(params![id, failure])?;
    Ok(())
}

/// Chats with a message that has not arrived.
pub fn chats_with_due(db: &Connection) -> rusqlite::Result<Vec<ChatId>> {
    db.prepare_cached("SELECT DISTINCT chat_id FROM outbox WHERE state IN ('due', 'sending')")?
        .query_map([], |row| row.get(0).map(ChatId))?
        .collect()
}

/// How many messages have not arrived.
pub fn open_count(db: &Connection) -> rusqlite::Result<u64> {
    db.prepare_cached("SELECT count(*) FROM outbox WHERE state IN ('due', 'sending')")?
        .query_row([], |row| row.get(0))
}
