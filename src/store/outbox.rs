//! The outbox: messages that must arrive, each written in the transaction that caused it.
//!
//! ```text
//! due ──▶ sending ──▶ sent            parked: cannot arrive, or nobody knows whether it did;
//!  ▲─────────┘  └──▶ parked ──▶ due   kept until a person asks for it or the chat can be reached again
//! ```

use rusqlite::{Connection, OptionalExtension, params};

use super::chats::{thread_column, thread_from};
use super::{closed, parked};
use super::{from_json, now};
use crate::domain::button::Press;
use crate::domain::delivery::Parked;
use crate::domain::id::{ChatId, ChatThread, MessageId};
use crate::domain::outgoing::{Body, Outgoing, Urgency};

/// How long sent messages are remembered.
const REMEMBERED_MS: i64 = 90 * 24 * 60 * 60 * 1000;

/// The condition for a row that is to be sent, as the index of these has it.
pub(super) const OPEN: &str = "(state = 'due' OR state = 'sending')";

/// A message that is due in a chat.
#[derive(Clone, Debug)]
pub struct Due {
    pub id: i64,
    pub at: ChatThread,
    pub message: Outgoing,
    /// How many parts of a long message have arrived.
    pub parts_sent: usize,
    /// How often its next part was tried before.
    pub attempts: u32,
    /// How often its next part was sent without a known result.
    pub doubts: u32,
    /// It reports that another message was not delivered.
    pub is_telling: bool,
    /// Unix milliseconds.
    pub created_at: i64,
    /// The delivered message that this one replaces.
    pub edits: Option<MessageId>,
}

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

fn to_json(message: &Outgoing) -> rusqlite::Result<String> {
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

/// The chat's next message that has not arrived, marked as being sent.
///
/// A row that was being sent when the bot ended returns with one more doubt: nobody knows whether it arrived. An
/// unreadable row is parked, so that it does not block the next ones. The rows `busy` are in good hands.
pub fn take_next(db: &Connection, chat: ChatId, busy: &[i64]) -> rusqlite::Result<Option<Due>> {
    loop {
        let Some((mut due, edits)) = first_open(db, chat, busy)? else {
            return Ok(None);
        };
        if let Some(of) = edits {
            // The same edit twice is one edit.
            due.doubts = 0;
            due.edits = last_part(db, of)?;
            if due.edits.is_none() {
                // It never arrived, or arrived in the chat that this one was before.
                mark_whole(db, due.id)?;
                continue;
            }
        }
        // Mark before reading: an update loads the row, and a very long text would be in memory twice.
        db.prepare_cached(
            "UPDATE outbox SET state = 'sending', attempts = attempts + 1, doubts = ?2 WHERE id = ?1",
        )?
        .execute(params![due.id, due.doubts])?;
        match message_of(db, due.id)? {
            Ok(message) => {
                due.message = message;
                if let Some(message) = replied_to(db, due.id)? {
                    due.message.reply_to = Some(message);
                }
            }
            Err(error) => {
                let failure = format!("the row cannot be read: {error}");
                parked::park(db, due.id, Parked::Unreadable, &failure)?;
                continue;
            }
        }
        return Ok(Some(due));
    }
}

fn message_of(db: &Connection, id: i64) -> rusqlite::Result<serde_json::Result<Outgoing>> {
    db.prepare_cached("SELECT message FROM outbox WHERE id = ?1")?
        .query_row([id], |row| {
            Ok(serde_json::from_str(row.get_ref(0)?.as_str()?))
        })
}

/// The last delivered part of a message: the one with the buttons.
fn last_part(db: &Connection, id: i64) -> rusqlite::Result<Option<MessageId>> {
    db.prepare_cached(
        "SELECT message_id FROM sent_parts WHERE outbox_id = ?1 AND message_id <> 0 ORDER BY part DESC LIMIT 1",
    )?
    .query_row([id], |row| row.get(0).map(MessageId))
    .optional()
}

/// The first part of the message that a row replies to.
fn replied_to(db: &Connection, id: i64) -> rusqlite::Result<Option<MessageId>> {
    db.prepare_cached(
        "SELECT s.message_id FROM outbox o JOIN sent_parts s ON s.outbox_id = o.replies_to
         WHERE o.id = ?1 AND s.message_id <> 0 ORDER BY s.part LIMIT 1",
    )?
    .query_row([id], |row| row.get(0).map(MessageId))
    .optional()
}

/// The chat's first open row, and the row it replaces. Begun rows come first, then urgent ones, then the oldest; an
/// edit waits for the message that it replaces.
fn first_open(
    db: &Connection,
    chat: ChatId,
    busy: &[i64],
) -> rusqlite::Result<Option<(Due, Option<i64>)>> {
    db.prepare_cached(&format!(
        "SELECT id, thread_id, parts_sent, attempts, doubts, state = 'sending', tells_of IS NOT NULL,
                created_at, edits {FIRST_OPEN}"
    ))?
    .query_row(params![chat.0, in_json(busy)], |row| {
        let was_being_sent: bool = row.get(5)?;
        let due = Due {
            id: row.get(0)?,
            at: ChatThread {
                chat,
                thread: thread_from(row.get(1)?),
            },
            message: Outgoing::note(""),
            parts_sent: row.get(2)?,
            attempts: row.get(3)?,
            doubts: row.get::<_, u32>(4)? + u32::from(was_being_sent),
            is_telling: row.get(6)?,
            created_at: row.get(7)?,
            edits: None,
        };
        Ok((due, row.get(8)?))
    })
    .optional()
}

/// The order of the open rows, which is that of their index.
const FIRST_OPEN: &str = "
    FROM outbox WHERE chat_id = ?1 AND (state = 'due' OR state = 'sending')
      AND id NOT IN (SELECT value FROM json_each(?2))
      AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.id = outbox.edits AND o.state IN ('due', 'sending'))
    ORDER BY (parts_sent > 0 OR state = 'sending') DESC, priority, id LIMIT 1";

fn in_json(ids: &[i64]) -> String {
    serde_json::json!(ids).to_string()
}

/// How urgent the row is that [`take_next`] would take.
pub fn next_urgency(
    db: &Connection,
    chat: ChatId,
    busy: &[i64],
) -> rusqlite::Result<Option<Urgency>> {
    db.prepare_cached(&format!("SELECT priority {FIRST_OPEN}"))?
        .query_row(params![chat.0, in_json(busy)], |row| {
            row.get(0).map(Urgency::numbered)
        })
        .optional()
}

/// Gives a row back that was taken and not tried.
pub fn put_back(db: &Connection, id: i64) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE outbox SET state = 'due', attempts = attempts - 1 WHERE id = ?1 AND state = 'sending'",
    )?
    .execute([id])?;
    Ok(())
}

/// One more part has arrived; more follow.
pub fn part_sent(db: &Connection, due: &Due, message: MessageId) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE outbox SET state = 'due', parts_sent = parts_sent + 1, attempts = 0, doubts = 0,
                           repeats = repeats + (doubts > 0)
         WHERE id = ?1 AND state = 'sending'",
    )?
    .execute([due.id])?;
    keep_message_id(db, due, message)
}

/// Marks a message as sent. Its text is forgotten; claude's own record keeps the answer.
pub fn mark_sent(db: &Connection, due: &Due, message: MessageId) -> rusqlite::Result<()> {
    keep_message_id(db, due, message)?;
    db.prepare_cached(
        "UPDATE outbox SET state = 'sent', message = '{}', sent_at = ?2, doubts = 0,
                           repeats = repeats + (doubts > 0)
         WHERE id = ?1",
    )?
    .execute(params![due.id, now()])?;
    Ok(())
}

/// Marks a message as sent: no part remains.
pub fn mark_whole(db: &Connection, id: i64) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE outbox SET state = 'sent', message = '{}', sent_at = ?2 WHERE id = ?1",
    )?
    .execute(params![id, now()])?;
    Ok(())
}

fn keep_message_id(db: &Connection, due: &Due, message: MessageId) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT OR REPLACE INTO sent_parts (outbox_id, part, message_id) VALUES (?1, ?2, ?3)",
    )?
    .execute(params![due.id, due.parts_sent, message.0])?;
    Ok(())
}

/// Makes a message due again: it did not arrive.
pub fn mark_due(db: &Connection, id: i64, failure: &str) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE outbox SET state = 'due', failure = ?2 WHERE id = ?1 AND state = 'sending'",
    )?
    .execute(params![id, failure])?;
    Ok(())
}

/// Makes a message due again with one more doubt: nobody knows whether it arrived.
pub fn mark_doubtful(db: &Connection, id: i64, failure: &str) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE outbox SET state = 'due', failure = ?2, doubts = doubts + 1,
                           repeats = repeats + (doubts > 0)
         WHERE id = ?1 AND state = 'sending'",
    )?
    .execute(params![id, failure])?;
    Ok(())
}

/// Replaces a message that can never be sent as it is and of which nothing has arrived.
pub fn say_instead(db: &Connection, id: i64, message: &Outgoing) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE outbox SET state = 'due', message = ?2, attempts = 0, doubts = 0 WHERE id = ?1",
    )?
    .execute(params![id, to_json(message)?])?;
    Ok(())
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
