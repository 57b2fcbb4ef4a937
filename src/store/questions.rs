//! claude's questions: open, answered, or over; and which messages are about each.
//!
//! ```text
//! open ──▶ answered        over: claude does not wait for the answer any more
//!   └────▶ over
//! ```

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{from_json, now, to_json};
use crate::domain::id::{ChatId, MessageId, PromptId, QuestionId, RunId, SessionId, UserId};
use crate::domain::question::{Answer, Grant, Question, RequestId};

const COLUMNS: &str = "q.id, q.run_id, q.question, q.asked_user, q.outbox_id, q.state, q.answer";

/// A question and its state.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    pub id: QuestionId,
    pub run: RunId,
    pub question: Question,
    /// The writer of the prompt it is about; `None` if no person wrote it.
    pub user: Option<UserId>,
    /// The outbox row that asks; `None` if an edit cannot reach it any more.
    pub row: Option<i64>,
    pub state: State,
    /// For an open question, the choice so far.
    pub answer: Option<Answer>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Open,
    Answered,
    Over,
}

/// Stores a question under its number in a request; `None` if it was stored before. The writer of `prompt` may answer,
/// or else of the run's first prompt.
pub fn insert(
    db: &Connection,
    run: RunId,
    (request, number): (&RequestId, usize),
    prompt: Option<PromptId>,
    question: &Question,
) -> rusqlite::Result<Option<QuestionId>> {
    let id = QuestionId::random();
    let inserted = db
        .prepare_cached(
            "INSERT OR IGNORE INTO questions (id, run_id, request_id, number, question, asked_user, state, asked_at)
             VALUES (?1, ?2, ?3, ?4, ?5,
                     (SELECT user_id FROM prompts WHERE run_id = ?2 ORDER BY id = ?7 DESC, rowid LIMIT 1), 'open', ?6)",
        )?
        .execute(params![
            id.as_str(),
            run.to_string(),
            request.0,
            number,
            to_json(question)?,
            now(),
            prompt.map(|prompt| prompt.0.to_string())
        ])?;
    Ok((inserted == 1).then_some(id))
}

/// Sets the message that asks it.
pub fn set_message(db: &Connection, id: &QuestionId, row: i64) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE questions SET outbox_id = ?2 WHERE id = ?1")?
        .execute(params![id.as_str(), row])?;
    add_message(db, id, row, false)
}

/// Notes a message about it: a reply to it is an answer. `for_words` is one that only asks for words.
pub fn add_message(
    db: &Connection,
    id: &QuestionId,
    row: i64,
    for_words: bool,
) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO question_messages (outbox_id, question_id, for_words) VALUES (?1, ?2, ?3)",
    )?
    .execute(params![row, id.as_str(), for_words])?;
    Ok(())
}

/// Whether somebody was asked for words already.
pub fn is_asked_for_words(db: &Connection, id: &QuestionId) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM question_messages WHERE question_id = ?1 AND for_words")?
        .exists([id.as_str()])
}

pub fn get(db: &Connection, id: &QuestionId) -> rusqlite::Result<Option<Asked>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM questions q WHERE q.id = ?1"
    ))?
    .query_row([id.as_str()], from_row)
    .optional()
}

/// The question that a message is about, and whether the message only asks for words.
pub fn of_message(
    db: &Connection,
    chat: ChatId,
    message: MessageId,
) -> rusqlite::Result<Option<(Asked, bool)>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS}, m.for_words FROM sent_parts s
         JOIN outbox o ON o.id = s.outbox_id
         JOIN question_messages m ON m.outbox_id = s.outbox_id
         JOIN questions q ON q.id = m.question_id
         WHERE s.message_id = ?2 AND o.chat_id = ?1 ORDER BY s.outbox_id DESC LIMIT 1"
    ))?
    .query_row(params![chat.0, message.0], |row| {
        Ok((from_row(row)?, row.get(7)?))
    })
    .optional()
}

/// The questions of a request, in their order.
pub fn of_request(
    db: &Connection,
    run: RunId,
    request: &RequestId,
) -> rusqlite::Result<Vec<Asked>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM questions q WHERE q.run_id = ?1 AND q.request_id = ?2 ORDER BY q.number"
    ))?
    .query_map(params![run.to_string(), request.0], from_row)?
    .collect()
}

/// The run's open questions, oldest first.
pub fn open_of_run(db: &Connection, run: RunId) -> rusqlite::Result<Vec<Asked>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM questions q WHERE q.run_id = ?1 AND q.state = 'open' ORDER BY q.rowid"
    ))?
    .query_map([run.to_string()], from_row)?
    .collect()
}

pub fn open_count(db: &Connection, run: RunId) -> rusqlite::Result<usize> {
    db.prepare_cached("SELECT count(*) FROM questions WHERE run_id = ?1 AND state = 'open'")?
        .query_row([run.to_string()], |row| row.get(0))
}

/// Only the first answer counts. Returns whether this is it.
pub fn answer(
    db: &Connection,
    id: &QuestionId,
    answer: &Answer,
    by: UserId,
) -> rusqlite::Result<bool> {
    let answered = db
        .prepare_cached(
            "UPDATE questions SET state = 'answered', answer = ?2, answered_by = ?3
             WHERE id = ?1 AND state = 'open'",
        )?
        .execute(params![id.as_str(), to_json(answer)?, by.0])?;
    Ok(answered == 1)
}

/// Keeps the choice so far.
pub fn set_draft(db: &Connection, id: &QuestionId, draft: &Answer) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE questions SET answer = ?2 WHERE id = ?1 AND state = 'open'")?
        .execute(params![id.as_str(), to_json(draft)?])?;
    Ok(())
}

/// Closes a question without an answer. Returns whether it was open.
pub fn close(db: &Connection, id: &QuestionId) -> rusqlite::Result<bool> {
    let closed = db
        .prepare_cached("UPDATE questions SET state = 'over' WHERE id = ?1 AND state = 'open'")?
        .execute([id.as_str()])?;
    Ok(closed == 1)
}

/// When the oldest open question of a run was asked, in Unix milliseconds, if a reminder is due: `first_ms` after
/// asking, and `again_ms` after each reminder.
pub fn due_for_reminder(
    db: &Connection,
    run: RunId,
    first_ms: i64,
    again_ms: i64,
) -> rusqlite::Result<Option<i64>> {
    db.prepare_cached(
        "SELECT min(asked_at) FROM questions WHERE run_id = ?1 AND state = 'open'
         HAVING max(coalesce(reminded_at + ?3, asked_at + ?2) <= ?4)
            AND coalesce(max(reminded_at) + ?2 <= ?4, 1)",
    )?
    .query_row(params![run.to_string(), first_ms, again_ms, now()], |row| {
        row.get(0)
    })
    .optional()
    .map(Option::flatten)
}

/// Notes a reminder of all open questions.
pub fn set_reminded(db: &Connection, run: RunId) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE questions SET reminded_at = ?2 WHERE run_id = ?1 AND state = 'open'",
    )?
    .execute(params![run.to_string(), now()])?;
    Ok(())
}

/// Lets claude do this in the session without asking.
pub fn grant(db: &Connection, session: &SessionId, grant: &Grant) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT OR IGNORE INTO session_grants (session_id, what) VALUES (?1, ?2)")?
        .execute(params![session.0, to_json(grant)?])?;
    Ok(())
}

/// Forgets the modes that were allowed for a chat's sessions: the chat has chosen one.
pub fn forget_granted_modes(db: &Connection, chat: ChatId) -> rusqlite::Result<()> {
    db.prepare_cached(
        "DELETE FROM session_grants WHERE json_extract(what, '$.mode') IS NOT NULL
         AND session_id IN (SELECT id FROM sessions WHERE chat_id = ?1)",
    )?
    .execute([chat.0])?;
    Ok(())
}

/// What claude may do in the session without asking.
pub fn grants(db: &Connection, session: &SessionId) -> rusqlite::Result<Vec<Grant>> {
    db.prepare_cached("SELECT what FROM session_grants WHERE session_id = ?1 ORDER BY rowid")?
        .query_map([&session.0], |row| from_json(0, row.get_ref(0)?.as_str()?))?
        .collect()
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Asked> {
    let (id, run): (String, String) = (row.get(0)?, row.get(1)?);
    let id = QuestionId::parse(&id).ok_or(rusqlite::Error::InvalidQuery)?;
    let answer: Option<String> = row.get(6)?;
    Ok(Asked {
        id,
        run: super::runs::run_id(1, &run)?,
        question: from_json(2, row.get_ref(2)?.as_str()?)?,
        user: row.get::<_, Option<u64>>(3)?.map(UserId),
        row: row.get(4)?,
        state: match row.get_ref(5)?.as_str()? {
            "open" => State::Open,
            "answered" => State::Answered,
            _ => State::Over,
        },
        answer: answer.map(|json| from_json(6, &json)).transpose()?,
    })
}
