//! Prompts: what a person wrote, to the byte, and the run that it became.

use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use super::now;
use crate::id::{MessageId, PromptId, RunId, SessionId, UserId};

/// What claude is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    pub id: PromptId,
    pub text: String,
    pub message: Option<MessageId>,
    pub user: Option<UserId>,
    /// When the person wrote it, in Unix milliseconds by Telegram's clock.
    pub sent_at: Option<i64>,
}

pub fn insert(db: &Connection, run: RunId, prompt: &Prompt) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO prompts (id, run_id, text, message_id, user_id, sent_at, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        prompt.id.0.to_string(),
        run.to_string(),
        prompt.text,
        prompt.message.map(|id| id.0),
        prompt.user.map(|id| id.0),
        prompt.sent_at,
        now(),
    ])?;
    Ok(())
}

/// What the session was asked last.
pub fn newest_of_session(db: &Connection, session: &SessionId) -> rusqlite::Result<Option<String>> {
    db.prepare_cached(
        "SELECT p.text FROM prompts p JOIN runs r ON r.id = p.run_id
         WHERE r.session_id = ?1 ORDER BY r.seq DESC, p.rowid DESC LIMIT 1",
    )?
    .query_row([&session.0], |row| row.get(0))
    .optional()
}

/// The prompts of a run in the order in which they were written.
pub fn of_run(db: &Connection, run: RunId) -> rusqlite::Result<Vec<Prompt>> {
    db.prepare_cached(
        "SELECT id, text, message_id, user_id, sent_at FROM prompts WHERE run_id = ?1 ORDER BY rowid",
    )?
    .query_map([run.to_string()], |row| {
        let id: String = row.get(0)?;
        Ok(Prompt {
            id: PromptId(Uuid::parse_str(&id).map_err(|error| {
                rusqlite::Error::FromSqlConversionFailure(
                    0,
                    rusqlite::types::Type::Text,
                    error.into(),
                )
            })?),
            text: row.get(1)?,
            message: row.get::<_, Option<i32>>(2)?.map(MessageId),
            user: row.get::<_, Option<u64>>(3)?.map(UserId),
            sent_at: row.get(4)?,
        })
    })?
    .collect()
}
