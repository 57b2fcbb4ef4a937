//! Sending: which row of the outbox is next in a chat, and what became of it.

use rusqlite::{Connection, OptionalExtension, params};

use super::chats::thread_from;
use super::outbox::to_json;
use super::{now, parked};
use crate::domain::delivery::Parked;
use crate::domain::id::{ChatId, ChatThread, MessageId};
use crate::domain::outgoing::{Outgoing, Urgency};

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
