//! Groups that became supergroups: the chat gets a new id, and everything that belongs to it moves along.
//!
//! Bot API: `migrate_to_chat_id` and `migrate_from_chat_id`, in service messages and in refusals.

use rusqlite::{Connection, OptionalExtension, params};

use super::runs::OPEN;
use super::{now, routines};
use crate::domain::id::ChatId;

/// Moves sessions, runs and messages from the old chat to the new one. Repeating it is harmless.
///
/// Message ids do not move: nothing replies to what was said in the old chat, and its live messages stay as
/// they are.
pub fn move_chat(db: &Connection, old: ChatId, new: ChatId) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO migrated_chats (old_id, new_id, migrated_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (old_id) DO UPDATE SET new_id = excluded.new_id",
    )?
    .execute(params![old.0, new.0, now()])?;
    // If the new chat has a session already, that one stays.
    db.prepare_cached("UPDATE OR IGNORE chats SET chat_id = ?2 WHERE chat_id = ?1")?
        .execute([old.0, new.0])?;
    db.prepare_cached("DELETE FROM chats WHERE chat_id = ?1")?
        .execute([old.0])?;
    db.prepare_cached(&format!(
        "UPDATE prompts SET message_id = NULL
         WHERE run_id IN (SELECT id FROM runs WHERE chat_id = ?1 AND {OPEN})"
    ))?
    .execute([old.0])?;
    db.prepare_cached("DELETE FROM prompt_messages WHERE chat_id = ?1")?
        .execute([old.0])?;
    db.prepare_cached("UPDATE OR REPLACE holds SET chat_id = ?2 WHERE chat_id = ?1")?
        .execute([old.0, new.0])?;
    db.prepare_cached("UPDATE OR REPLACE chat_settings SET chat_id = ?2 WHERE chat_id = ?1")?
        .execute([old.0, new.0])?;
    routines::move_chat(db, old, new)?;
    db.prepare_cached("UPDATE processes SET chat_id = ?2 WHERE chat_id = ?1")?
        .execute(params![old.0, new.0])?;
    db.prepare_cached("UPDATE sessions SET chat_id = ?2, live_message = NULL WHERE chat_id = ?1")?
        .execute([old.0, new.0])?;
    db.prepare_cached(
        "UPDATE jobs SET chat_id = ?2, asked_by = NULL, live_message = NULL WHERE chat_id = ?1",
    )?
    .execute([old.0, new.0])?;
    // A question's message in the old chat cannot be edited from the new one: its outcome is a new message.
    db.prepare_cached(
        "UPDATE questions SET outbox_id = NULL
         WHERE state = 'open' AND (SELECT chat_id FROM runs WHERE id = run_id) = ?1",
    )?
    .execute([old.0])?;
    db.prepare_cached(
        "UPDATE outbox SET edits = NULL WHERE chat_id = ?1 AND state IN ('due', 'parked')",
    )?
    .execute([old.0])?;
    // A row that is being sent stays with its sender; it moves when it comes back.
    db.prepare_cached(
        "UPDATE outbox SET chat_id = ?2, message = CASE WHEN json_valid(message)
             THEN json_set(message, '$.reply_to', NULL) ELSE message END
           , replies_to = NULL
         WHERE chat_id = ?1 AND state IN ('due', 'parked')",
    )?
    .execute([old.0, new.0])?;
    db.prepare_cached("UPDATE runs SET chat_id = ?2, live_message = NULL WHERE chat_id = ?1")?
        .execute([old.0, new.0])?;
    Ok(())
}

/// Where a chat is now, if it has moved.
pub fn moved_to(db: &Connection, chat: ChatId) -> rusqlite::Result<Option<ChatId>> {
    db.prepare_cached("SELECT new_id FROM migrated_chats WHERE old_id = ?1")?
        .query_row([chat.0], |row| row.get(0).map(ChatId))
        .optional()
}

/// The id that a chat had before it moved here.
pub fn moved_from(db: &Connection, chat: ChatId) -> rusqlite::Result<Option<ChatId>> {
    db.prepare_cached("SELECT old_id FROM migrated_chats WHERE new_id = ?1 LIMIT 1")?
        .query_row([chat.0], |row| row.get(0).map(ChatId))
        .optional()
}
