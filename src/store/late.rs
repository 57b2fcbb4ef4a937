//! Late prompts: so old that a person is asked before they run.
//!
//! The column `held` of `runs`: 0 not late, 1 late, 2 was late and shall run.

use rusqlite::{Connection, params};

use super::chats::{place_from, thread_column};
use crate::domain::id::{ChatThread, RunId};

/// A late prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LatePrompt {
    pub text: String,
    /// Unix milliseconds.
    pub sent_at: i64,
}

/// Marks a waiting run as late.
pub fn mark(db: &Connection, run: RunId) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE runs SET held = 1 WHERE id = ?1 AND state = 'queued'")?
        .execute([run.to_string()])?;
    Ok(())
}

/// Marks waiting runs as late whose prompts became old while the bot was away: written after `but_after` and before
/// `than`, in Unix milliseconds. Prompts on claude's input are left alone. Returns their chats.
pub fn mark_older(db: &Connection, than: i64, but_after: i64) -> rusqlite::Result<Vec<ChatThread>> {
    let late: Vec<(String, ChatThread)> = db
        .prepare_cached(
            "SELECT r.id, r.chat_id, r.thread_id FROM runs r
             WHERE r.state = 'queued' AND r.held = 0 AND EXISTS (
                 SELECT 1 FROM prompts p WHERE p.run_id = r.id AND p.sent_at < ?1 AND p.sent_at > ?2
                   AND p.handed_to IS NULL)",
        )?
        .query_map([than, but_after], |row| {
            Ok((row.get(0)?, place_from(row, 1)?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    let mut places: Vec<ChatThread> = Vec::new();
    for (run, at) in late {
        db.prepare_cached("UPDATE runs SET held = 1 WHERE id = ?1")?
            .execute([run])?;
        if !places.contains(&at) {
            places.push(at);
        }
    }
    Ok(places)
}

/// A chat's late prompts, oldest first.
pub fn prompts(db: &Connection, at: ChatThread) -> rusqlite::Result<Vec<LatePrompt>> {
    db.prepare_cached(
        "SELECT p.text, coalesce(p.sent_at, p.created_at) FROM runs r
         JOIN prompts p ON p.run_id = r.id
         WHERE r.chat_id = ?1 AND r.thread_id = ?2 AND r.state = 'queued' AND r.held = 1
         ORDER BY r.seq, p.rowid",
    )?
    .query_map(params![at.chat.0, thread_column(at)], |row| {
        Ok(LatePrompt {
            text: row.get(0)?,
            sent_at: row.get(1)?,
        })
    })?
    .collect()
}

/// How many runs are late in a chat.
pub fn count(db: &Connection, at: ChatThread) -> rusqlite::Result<usize> {
    db.prepare_cached(
        "SELECT count(*) FROM runs
         WHERE chat_id = ?1 AND thread_id = ?2 AND state = 'queued' AND held = 1",
    )?
    .query_row(params![at.chat.0, thread_column(at)], |row| row.get(0))
}

/// Lets the chat's late prompts run; nobody is asked about them again. Returns how many runs.
pub fn release(db: &Connection, at: ChatThread) -> rusqlite::Result<usize> {
    db.prepare_cached(
        "UPDATE runs SET held = 2
         WHERE chat_id = ?1 AND thread_id = ?2 AND state = 'queued' AND held = 1",
    )?
    .execute(params![at.chat.0, thread_column(at)])
}
