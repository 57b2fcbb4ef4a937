//! Runs that are held back: their prompts are so old that somebody is asked first. Rows of `runs`, with `held`.

use rusqlite::{Connection, params};

use super::chats::{thread_column, thread_from};
use crate::id::{ChatId, ChatThread, RunId};

/// A prompt that is held back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldPrompt {
    pub text: String,
    /// Unix milliseconds.
    pub sent_at: i64,
}

/// The run waits until somebody says that it shall run.
pub fn hold(db: &Connection, run: RunId) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE runs SET held = 1 WHERE id = ?1 AND state = 'queued'")?
        .execute([run.to_string()])?;
    Ok(())
}

/// Holds what waits and was written before this moment, in Unix milliseconds; returns where.
pub fn hold_older(db: &Connection, than: i64) -> rusqlite::Result<Vec<ChatThread>> {
    let held: Vec<(String, ChatThread)> = db
        .prepare_cached(
            "SELECT DISTINCT r.id, r.chat_id, r.thread_id FROM runs r
             JOIN prompts p ON p.run_id = r.id
             WHERE r.state = 'queued' AND r.held = 0 AND p.sent_at < ?1",
        )?
        .query_map([than], |row| Ok((row.get(0)?, place(row, 1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let mut places: Vec<ChatThread> = Vec::new();
    for (run, at) in held {
        db.prepare_cached("UPDATE runs SET held = 1 WHERE id = ?1")?
            .execute([run])?;
        if !places.contains(&at) {
            places.push(at);
        }
    }
    Ok(places)
}

/// What is held back in a chat, oldest first.
pub fn prompts(db: &Connection, at: ChatThread) -> rusqlite::Result<Vec<HeldPrompt>> {
    db.prepare_cached(
        "SELECT p.text, coalesce(p.sent_at, p.created_at) FROM runs r
         JOIN prompts p ON p.run_id = r.id
         WHERE r.chat_id = ?1 AND r.thread_id = ?2 AND r.state = 'queued' AND r.held = 1
         ORDER BY r.seq, p.rowid",
    )?
    .query_map(params![at.chat.0, thread_column(at)], |row| {
        Ok(HeldPrompt {
            text: row.get(0)?,
            sent_at: row.get(1)?,
        })
    })?
    .collect()
}

/// How many runs are held back in a chat.
pub fn count(db: &Connection, at: ChatThread) -> rusqlite::Result<usize> {
    db.prepare_cached(
        "SELECT count(*) FROM runs
         WHERE chat_id = ?1 AND thread_id = ?2 AND state = 'queued' AND held = 1",
    )?
    .query_row(params![at.chat.0, thread_column(at)], |row| row.get(0))
}

/// Lets everything that is held in a chat run, its topics included; returns where there was something.
pub fn release(db: &Connection, chat: ChatId) -> rusqlite::Result<Vec<ChatThread>> {
    let places = db
        .prepare_cached(
            "SELECT DISTINCT chat_id, thread_id FROM runs
             WHERE chat_id = ?1 AND state = 'queued' AND held = 1",
        )?
        .query_map([chat.0], |row| place(row, 0))?
        .collect::<rusqlite::Result<_>>()?;
    db.prepare_cached(
        "UPDATE runs SET held = 0 WHERE chat_id = ?1 AND state = 'queued' AND held = 1",
    )?
    .execute([chat.0])?;
    Ok(places)
}

/// A chat and a topic, from this column on.
fn place(row: &rusqlite::Row<'_>, first: usize) -> rusqlite::Result<ChatThread> {
    Ok(ChatThread {
        chat: ChatId(row.get(first)?),
        thread: thread_from(row.get(first + 1)?),
    })
}
