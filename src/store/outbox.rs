//! The outbox: messages that must arrive, each written in the transaction that caused it.
//!
//! ```text
//! due ──▶ sending ──▶ sent            parked: cannot arrive, or nobody knows whether it did;
//!  ▲─────────┘  └──▶ parked ──▶ due   kept until a person asks for it or the chat can be reached again
//! ```

use rusqlite::{Connection, OptionalExtension, params};

use super::chats::thread_column;
use super::closed;
use super::{from_json, now};
use crate::domain::button::Press;
use crate::domain::id::{ChatId, ChatThread, MessageId};
use crate::domain::outgoing::{Body, Outgoing, Urgency};

/// How long sent messages are remembered.
const REMEMBERED_MS: i64 = 90 * 24 * 60 * 60 * 1000;

/// The condition for a row that is to be sent, as the index of these has it.
pub(super) const OPEN: &str = "(state = 'due' OR state = 'sending')";

pub fn insert(db: &Connection, at: ChatThread, message: &Outgoing) -> rusqlite::Result<()> {
    insert_telling(db, at, message, None)
}

/// As [`insert`], for a message that may be very long: it is dropped before its row is written. Returns the row's id.
pub fn insert_long(db: &Connection, at: ChatThread, message: Outgoing) -> rusqlite::Result<i64> {
    let (json, urgency) = (to_json(&message)?, message.urgency);
    drop(message);
    write(db, at, &json, urgency, None)?;
    Ok(db.last_insert_rowid())
}

/// Inserts a reply to the message in row `to`; until that has arrived, the message's own `reply_to` counts.
pub fn insert_replying(
    db: &Connection,
    at: ChatThread,
    message: &Outgoing,
    to: Option<i64>,
) -> rusqlite::Result<()> {
    insert(db, at, message)?;
    db.prepare_cached("UPDATE outbox SET replies_to = ?2 WHERE id = ?1")?
        .execute(params![db.last_insert_rowid(), to])?;
    Ok(())
}

/// Inserts a message that replaces the one in row `of`, buttons included, and any waiting edit of that row. If the row
/// was not sent yet, this message is sent instead of it.
pub fn insert_edit(
    db: &Connection,
    at: ChatThread,
    message: &Outgoing,
    of: i64,
) -> rusqlite::Result<()> {
    if replace_unsent(db, of, message)? {
        return Ok(());
    }
    db.prepare_cached("DELETE FROM outbox WHERE edits = ?1 AND state = 'due' AND attempts = 0")?
        .execute([of])?;
    insert(db, at, message)?;
    db.prepare_cached("UPDATE outbox SET edits = ?2 WHERE id = ?1")?
        .execute(params![db.last_insert_rowid(), of])?;
    Ok(())
}

/// The row of the message with this id in a chat.
pub fn row_of(db: &Connection, chat: ChatId, message: MessageId) -> rusqlite::Result<Option<i64>> {
    db.prepare_cached(
        "SELECT s.outbox_id FROM sent_parts s JOIN outbox o ON o.id = s.outbox_id
         WHERE s.message_id = ?2 AND o.chat_id = ?1 AND o.edits IS NULL LIMIT 1",
    )?
    .query_row(params![chat.0, message.0], |row| row.get(0))
    .optional()
}

/// Inserts a report that row `of` was not delivered. If the report is not delivered either, nothing more is said.
pub fn insert_telling(
    db: &Connection,
    at: ChatThread,
    message: &Outgoing,
    of: Option<i64>,
) -> rusqlite::Result<()> {
    write(db, at, &to_json(message)?, message.urgency, of)
}

/// A message for no chat, or for one in which nobody may write any more, counts as sent.
fn write(
    db: &Connection,
    at: ChatThread,
    json: &str,
    urgency: Urgency,
    tells_of: Option<i64>,
) -> rusqlite::Result<()> {
    let goes_nowhere = at.chat == ChatId::SHELL || closed::is_closed(db, at.chat)?;
    db.prepare_cached(
        "INSERT INTO outbox (chat_id, thread_id, message, state, priority, tells_of, created_at, sent_at)
         VALUES (?1, ?2, ?3, CASE WHEN ?7 THEN 'sent' ELSE 'due' END, ?4, ?5, ?6,
                 CASE WHEN ?7 THEN ?6 END)",
    )?
    .execute(params![
        at.chat.0,
        thread_column(at),
        json,
        urgency as u8,
        tells_of,
        now(),
        goes_nowhere
    ])?;
    Ok(())
}

/// The newest message of a session that was made in a shell: what its chat would have been told.
pub fn newest_in_shell(db: &Connection, at: ChatThread) -> rusqlite::Result<Option<Outgoing>> {
    db.prepare_cached(
        "SELECT message FROM outbox WHERE chat_id = ?1 AND thread_id = ?2 ORDER BY id DESC LIMIT 1",
    )?
    .query_row(params![ChatId::SHELL.0, thread_column(at)], |row| {
        from_json(0, &row.get::<_, String>(0)?)
    })
    .optional()
}

pub(super) fn to_json(message: &Outgoing) -> rusqlite::Result<String> {
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| {
        rusqlite::Error::ToSqlConversionFailure(error)
    };
    let text = match &message.body {
        Body::Note { text, .. } | Body::Evidence { text, .. } | Body::Question { text, .. } => text,
        Body::Answer { markdown, .. } => markdown,
        Body::File { content, .. } => content,
        Body::Stored(stored) => &stored.caption,
    };
    // Allocated once: a buffer that grows exists twice for a moment.
    let mut json = Vec::with_capacity(text.len() + text.len() / 8 + 512);
    serde_json::to_writer(&mut json, message).map_err(|error| failed(error.into()))?;
    String::from_utf8(json).map_err(|error| failed(error.into()))
}

/// Whether an unsent message contains `part`, a text that is in no other message.
pub fn is_wanted(db: &Connection, part: &str) -> rusqlite::Result<bool> {
    db.prepare_cached(&format!(
        "SELECT 1 FROM outbox WHERE {OPEN} AND instr(message, ?1)
         UNION ALL SELECT 1 FROM outbox WHERE state = 'parked' AND instr(message, ?1)"
    ))?
    .exists([part])
}

/// Replaces a message that has not been sent yet; returns false if it is too late.
pub fn replace_unsent(db: &Connection, id: i64, message: &Outgoing) -> rusqlite::Result<bool> {
    let replaced = db
        .prepare_cached(
            "UPDATE outbox SET message = ?2 WHERE id = ?1 AND state = 'due' AND attempts = 0",
        )?
        .execute(params![id, to_json(message)?])?;
    Ok(replaced == 1)
}

/// An unsent question of this chat whose first button is this one. (A reply with that button is silent.)
pub fn unsent_question(
    db: &Connection,
    at: ChatThread,
    press: Press,
) -> rusqlite::Result<Option<i64>> {
    db.prepare_cached(
        "SELECT id FROM outbox WHERE chat_id = ?1 AND thread_id = ?2 AND state = 'due' AND attempts = 0
         AND json_extract(message, '$.buttons[0].press') = ?3 AND json_extract(message, '$.loud')
         ORDER BY id LIMIT 1",
    )?
    .query_row(
        params![at.chat.0, thread_column(at), press.data()],
        |row| row.get(0),
    )
    .optional()
}

/// Chats with a message that has not arrived.
pub fn chats_with_due(db: &Connection) -> rusqlite::Result<Vec<ChatId>> {
    db.prepare_cached(&format!("SELECT DISTINCT chat_id FROM outbox WHERE {OPEN}"))?
        .query_map([], |row| row.get(0).map(ChatId))?
        .collect()
}

/// How many messages have not arrived.
pub fn open_count(db: &Connection) -> rusqlite::Result<u64> {
    db.prepare_cached(&format!("SELECT count(*) FROM outbox WHERE {OPEN}"))?
        .query_row([], |row| row.get(0))
}

/// Forgets messages sent long ago.
pub fn forget_old(db: &Connection) -> rusqlite::Result<usize> {
    db.prepare_cached("DELETE FROM outbox WHERE state = 'sent' AND sent_at < ?1")?
        .execute([now() - REMEMBERED_MS])
}
