//! Prompts: a person's exact words, what goes along with them, and the run they became.
//!
//! `text` is what people see of a prompt: the person's words if there are any. `pieces` is set only if something goes
//! along with them, or if they come from several messages.

use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use super::chats::thread_column;
use super::{from_json, now, to_json};
use crate::domain::id::{ChatId, ChatThread, MessageId, PromptId, RunId, SessionId, UserId};
use crate::domain::prompt::{Content, Piece};

/// For [`from_row`], of `prompts p`.
pub(super) const COLUMNS: &str = "p.id, p.text, p.pieces, p.message_id, p.user_id, p.sent_at";

/// What claude is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    pub id: PromptId,
    pub content: Content,
    /// The message that an answer replies to.
    pub message: Option<MessageId>,
    pub user: Option<UserId>,
    /// When the person wrote it, in Unix milliseconds by Telegram's clock.
    pub sent_at: Option<i64>,
}

pub fn insert(db: &Connection, run: RunId, prompt: &Prompt) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO prompts (id, run_id, text, pieces, message_id, user_id, sent_at, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        prompt.id.0.to_string(),
        run.to_string(),
        prompt.content.shown(),
        pieces_of(&prompt.content)?,
        prompt.message.map(|id| id.0),
        prompt.user.map(|id| id.0),
        prompt.sent_at,
        now(),
    ])?;
    Ok(())
}

/// The prompts to repeat of a run, in the order written: those without a known answer, or all if each has one.
pub fn to_run_again(db: &Connection, run: RunId) -> rusqlite::Result<Vec<Prompt>> {
    let left = unanswered(db, run)?;
    match left.is_empty() {
        true => of_run(db, run),
        false => Ok(left),
    }
}

/// The run's prompts without an answer.
pub fn unanswered(db: &Connection, run: RunId) -> rusqlite::Result<Vec<Prompt>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM prompts p WHERE p.run_id = ?1 AND p.answer_row IS NULL ORDER BY p.rowid"
    ))?
    .query_map([run.to_string()], from_row)?
    .collect()
}

/// What was asked in a session before this run, oldest first: the newest `most` prompts.
pub fn words_of_session(
    db: &Connection,
    session: &SessionId,
    most: usize,
    before: RunId,
) -> rusqlite::Result<Vec<String>> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let mut words: Vec<String> = db
        .prepare_cached(
            "SELECT p.text FROM prompts p JOIN runs r ON r.id = p.run_id
             WHERE r.session_id = ?1 AND r.seq < (SELECT seq FROM runs WHERE id = ?2)
             ORDER BY p.rowid DESC LIMIT ?3",
        )?
        .query_map(params![session.0, before.to_string(), most], |row| {
            row.get(0)
        })?
        .collect::<rusqlite::Result<_>>()?;
    words.reverse();
    Ok(words)
}

/// Moves a prompt's messages to another prompt.
pub fn move_messages(db: &Connection, from: PromptId, to: PromptId) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE prompt_messages SET prompt_id = ?2 WHERE prompt_id = ?1")?
        .execute([from.0.to_string(), to.0.to_string()])?;
    Ok(())
}

/// What a prompt asks.
pub fn content(db: &Connection, id: PromptId) -> rusqlite::Result<Content> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM prompts p WHERE p.id = ?1"))?
        .query_row([id.0.to_string()], from_row)
        .map(|prompt| prompt.content)
}

/// The session that a prompt is for.
pub fn session(db: &Connection, id: PromptId) -> rusqlite::Result<SessionId> {
    db.prepare_cached(
        "SELECT r.session_id FROM prompts p JOIN runs r ON r.id = p.run_id WHERE p.id = ?1",
    )?
    .query_row([id.0.to_string()], |row| row.get(0).map(SessionId))
}

/// The run that a prompt is part of; `None` if there is no such prompt.
pub fn run_of(db: &Connection, id: PromptId) -> rusqlite::Result<Option<RunId>> {
    db.prepare_cached("SELECT run_id FROM prompts WHERE id = ?1")?
        .query_row([id.0.to_string()], |row| {
            super::runs::run_id(0, &row.get::<_, String>(0)?)
        })
        .optional()
}

/// Replaces a prompt's content.
pub fn set_content(db: &Connection, id: PromptId, content: &Content) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE prompts SET text = ?2, pieces = ?3 WHERE id = ?1")?
        .execute(params![
            id.0.to_string(),
            content.shown(),
            pieces_of(content)?
        ])?;
    Ok(())
}

/// Makes a message part of a prompt.
pub fn add_message(
    db: &Connection,
    chat: ChatId,
    message: MessageId,
    id: PromptId,
) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT OR REPLACE INTO prompt_messages (chat_id, message_id, prompt_id) VALUES (?1, ?2, ?3)",
    )?
    .execute(params![chat.0, message.0, id.0.to_string()])?;
    Ok(())
}

/// The prompt that a message became part of.
pub fn of_message(
    db: &Connection,
    chat: ChatId,
    message: MessageId,
) -> rusqlite::Result<Option<PromptId>> {
    db.prepare_cached(
        "SELECT prompt_id FROM prompt_messages WHERE chat_id = ?1 AND message_id = ?2",
    )?
    .query_row([chat.0, i64::from(message.0)], |row| {
        prompt_id(0, &row.get::<_, String>(0)?)
    })
    .optional()
}

/// A prompt's words, and who wrote it, by a message that is part of it.
pub fn asked_with(
    db: &Connection,
    chat: ChatId,
    message: MessageId,
) -> rusqlite::Result<Option<(String, Option<UserId>)>> {
    db.prepare_cached(
        "SELECT p.text, p.user_id FROM prompt_messages m JOIN prompts p ON p.id = m.prompt_id
         WHERE m.chat_id = ?1 AND m.message_id = ?2",
    )?
    .query_row([chat.0, i64::from(message.0)], |row| {
        let user: Option<i64> = row.get(1)?;
        let user = user.and_then(|user| u64::try_from(user).ok()).map(UserId);
        Ok((row.get(0)?, user))
    })
    .optional()
}

/// The session's newest prompt.
pub fn newest_of_session(db: &Connection, session: &SessionId) -> rusqlite::Result<Option<String>> {
    db.prepare_cached(
        "SELECT p.text FROM prompts p JOIN runs r ON r.id = p.run_id
         WHERE r.session_id = ?1 ORDER BY r.seq DESC, p.rowid DESC LIMIT 1",
    )?
    .query_row([&session.0], |row| row.get(0))
    .optional()
}

/// The chat's newest prompt that was written to claude's input, and the run of that claude.
pub fn newest_reached(
    db: &Connection,
    at: ChatThread,
) -> rusqlite::Result<Option<(Prompt, RunId)>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS}, coalesce(r.process_id, r.id)
         FROM prompts p JOIN runs r ON r.id = coalesce(p.handed_to, p.run_id)
         WHERE p.rowid = (SELECT max(newest) FROM (
             SELECT max(p.rowid) AS newest FROM prompts p JOIN runs r ON r.id = p.handed_to
             WHERE r.chat_id = ?1 AND r.thread_id = ?2 AND p.handed_to IS NOT NULL AND r.started_at IS NOT NULL
             UNION ALL SELECT * FROM (
                 SELECT p.rowid FROM runs r CROSS JOIN prompts p ON p.run_id = r.id
                 WHERE r.chat_id = ?1 AND r.thread_id = ?2 AND r.started_at IS NOT NULL AND p.handed_to IS NULL
                 ORDER BY r.seq DESC, p.rowid DESC LIMIT 1)))"
    ))?
    .query_row(params![at.chat.0, thread_column(at)], |row| {
        let run: String = row.get(6)?;
        Ok((from_row(row)?, super::runs::run_id(6, &run)?))
    })
    .optional()
}

/// The prompts of a run in the order in which they were written.
pub fn of_run(db: &Connection, run: RunId) -> rusqlite::Result<Vec<Prompt>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM prompts p WHERE p.run_id = ?1 ORDER BY p.rowid"
    ))?
    .query_map([run.to_string()], from_row)?
    .collect()
}

/// The value of the column `pieces`: `None` for the words of one message.
fn pieces_of(content: &Content) -> rusqlite::Result<Option<String>> {
    if matches!(content.pieces.as_slice(), [Piece::Written(_)]) && content.is_words_alone() {
        return Ok(None);
    }
    to_json(content).map(Some)
}

pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<Prompt> {
    let id: String = row.get(0)?;
    let message = row.get::<_, Option<i32>>(3)?.map(MessageId);
    let content = match row.get::<_, Option<String>>(2)? {
        Some(pieces) => from_json(2, &pieces)?,
        None => Content::written(row.get::<_, String>(1)?, message),
    };
    Ok(Prompt {
        id: prompt_id(0, &id)?,
        content,
        message,
        user: row.get::<_, Option<u64>>(4)?.map(UserId),
        sent_at: row.get(5)?,
    })
}

pub(super) fn prompt_id(column: usize, text: &str) -> rusqlite::Result<PromptId> {
    Uuid::parse_str(text).map(PromptId).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, error.into())
    })
}
