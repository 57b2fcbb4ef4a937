//! Parked messages, rows of `outbox`: why they are kept, until when, and how many.

use crate::domain::delivery::Parked;
use rusqlite::{Connection, params};

use super::outbox::OPEN;
use crate::domain::delivery::NotDelivered;
use crate::domain::id::ChatId;

/// Parks a message; it is not tried again by itself.
pub fn park(db: &Connection, id: i64, why: Parked, failure: &str) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE outbox SET state = 'parked', parked_for = ?2, failure = ?3 WHERE id = ?1",
    )?
    .execute(params![id, why.name(), failure])?;
    Ok(())
}

/// Parks all messages of a chat that cannot be reached.
pub fn park_chat(db: &Connection, chat: ChatId, failure: &str) -> rusqlite::Result<usize> {
    db.prepare_cached(&format!(
        "UPDATE outbox SET state = 'parked', parked_for = ?2, failure = ?3
         WHERE chat_id = ?1 AND {OPEN}"
    ))?
    .execute(params![chat.0, Parked::Unreachable.name(), failure])
}

/// Parks the messages for a group itself, whose General topic is closed; other topics may be open.
pub fn park_general(db: &Connection, chat: ChatId, failure: &str) -> rusqlite::Result<usize> {
    db.prepare_cached(&format!(
        "UPDATE outbox SET state = 'parked', parked_for = ?2, failure = ?3
         WHERE chat_id = ?1 AND thread_id = 0 AND {OPEN}"
    ))?
    .execute(params![chat.0, Parked::Unreachable.name(), failure])
}

/// Whether somebody was told that a message was not delivered.
pub fn is_told(db: &Connection, id: i64) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM outbox WHERE tells_of = ?1")?
        .exists([id])
}

/// Unparks the messages parked while the chat was unreachable.
pub fn reach_again(db: &Connection, chat: ChatId) -> rusqlite::Result<usize> {
    unpark(db, chat, Some(Parked::Unreachable))
}

/// Unparks all readable messages: a person asked for them.
pub fn send_parked(db: &Connection, chat: ChatId) -> rusqlite::Result<usize> {
    unpark(db, chat, None)
}

fn unpark(db: &Connection, chat: ChatId, only: Option<Parked>) -> rusqlite::Result<usize> {
    db.prepare_cached(
        "UPDATE outbox SET state = 'due', parked_for = NULL, attempts = 0,
                           doubts = CASE WHEN ?2 IS NULL THEN 0 ELSE doubts END
         WHERE chat_id = ?1 AND state = 'parked' AND parked_for IS NOT 'unreadable'
           AND (?2 IS NULL OR parked_for = ?2)",
    )?
    .execute(params![chat.0, only.map(Parked::name)])
}

/// The messages not delivered in this chat.
pub fn not_delivered(db: &Connection, chat: ChatId) -> rusqlite::Result<NotDelivered> {
    db.prepare_cached(
        "SELECT count(*), (SELECT failure FROM outbox WHERE chat_id = ?1 AND state = 'parked'
                           ORDER BY id DESC LIMIT 1)
         FROM outbox WHERE chat_id = ?1 AND state = 'parked' AND tells_of IS NULL",
    )?
    .query_row([chat.0], |row| {
        Ok(NotDelivered {
            count: row.get(0)?,
            reason: row.get(1)?,
        })
    })
}

/// How many messages are parked in other chats, and in how many chats.
pub fn not_delivered_elsewhere(db: &Connection, chat: ChatId) -> rusqlite::Result<(u64, u64)> {
    db.prepare_cached(
        "SELECT count(*), count(DISTINCT chat_id) FROM outbox
         WHERE chat_id <> ?1 AND state = 'parked' AND tells_of IS NULL",
    )?
    .query_row([chat.0], |row| Ok((row.get(0)?, row.get(1)?)))
}
