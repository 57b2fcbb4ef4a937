//! Edited messages: the prompt that each is part of, that prompt's stage, and its new content.

use crate::domain::prompt::Edit;
use rusqlite::{Connection, OptionalExtension, params};

use super::prompts::{COLUMNS, from_row};
use super::runs::{Place, run_id};
use super::{from_json, to_json};
use crate::domain::id::{ChatId, ChatThread, MessageId, PromptId, RunId, SessionId, UserId};
use crate::domain::prompt::Content;
use crate::store::chats::place_from;

/// A prompt that an edited message is part of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edited {
    pub prompt: PromptId,
    /// The content that claude has or will get.
    pub content: Content,
    /// The content of an earlier edit that nobody has decided about yet.
    pub changed_to: Option<Content>,
    pub stage: Stage,
    pub run: RunId,
    /// Its first message.
    pub first: Option<MessageId>,
}

/// How far a prompt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Waits,
    /// claude has it on its input.
    OnItsWay,
    /// claude has taken it up, and its run continues.
    Running,
    Over,
}

/// The prompt that a message is part of.
pub fn of_message(
    db: &Connection,
    chat: ChatId,
    message: MessageId,
) -> rusqlite::Result<Option<Edited>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS}, p.edited, r.state, p.handed_to IS NOT NULL, p.taken_up_at IS NOT NULL, r.id
         FROM prompt_messages m JOIN prompts p ON p.id = m.prompt_id JOIN runs r ON r.id = p.run_id
         WHERE m.chat_id = ?1 AND m.message_id = ?2"
    ))?
    .query_row(params![chat.0, message.0], |row| {
        let prompt = from_row(row)?;
        let edit: Option<String> = row.get(6)?;
        let edit = edit.map(|json| edit_from(6, &json)).transpose()?;
        Ok(Edited {
            prompt: prompt.id,
            run: run_id(10, &row.get::<_, String>(10)?)?,
            first: prompt.message,
            content: prompt.content,
            changed_to: match edit {
                Some(Edit::Changed(content)) => Some(content),
                Some(Edit::Cancelled) | None => None,
            },
            stage: match (row.get_ref(7)?.as_str()?, row.get(8)?, row.get(9)?) {
                ("queued", false, _) => Stage::Waits,
                // claude is about to read it, and reports when it has.
                ("queued", true, _) | ("running", _, false) => Stage::OnItsWay,
                ("running", _, true) => Stage::Running,
                _ => Stage::Over,
            },
        })
    })
    .optional()
}

/// Reads the column `edited`: the new content as JSON, or `null` for a prompt that was cancelled.
pub(super) fn edit_from(column: usize, json: &str) -> rusqlite::Result<Edit> {
    let content: Option<Content> = from_json(column, json)?;
    Ok(content.map_or(Edit::Cancelled, Edit::Changed))
}

/// What a prompt shall be instead, if nobody has decided about it yet.
pub fn changed_to(db: &Connection, prompt: PromptId) -> rusqlite::Result<Option<Content>> {
    let edited = db
        .prepare_cached("SELECT edited FROM prompts WHERE id = ?1 AND edited IS NOT NULL")?
        .query_row([prompt.0.to_string()], |row| {
            edit_from(0, &row.get::<_, String>(0)?)
        })
        .optional()?;
    Ok(match edited {
        Some(Edit::Changed(content)) => Some(content),
        Some(Edit::Cancelled) | None => None,
    })
}

/// Keeps a prompt's new content; a cancelled prompt stays cancelled.
pub fn change(db: &Connection, prompt: PromptId, content: &Content) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE prompts SET edited = ?2 WHERE id = ?1 AND edited IS NOT 'null'")?
        .execute([prompt.0.to_string(), to_json(content)?])?;
    Ok(())
}

/// Removes and returns the undecided change of a prompt that runs again. One with a file that nobody has fetched stays
/// undecided.
pub fn take_undecided(db: &Connection, prompt: PromptId) -> rusqlite::Result<Option<Content>> {
    let changed = changed_to(db, prompt)?.filter(|changed| !changed.is_awaited());
    if changed.is_some() {
        db.prepare_cached("UPDATE prompts SET edited = NULL WHERE id = ?1")?
            .execute([prompt.0.to_string()])?;
    }
    Ok(changed)
}

/// A change, and the run that its prompt belongs to.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    pub run: Place,
    /// Who wrote the message.
    pub writer: Option<UserId>,
    pub content: Content,
}

/// Who wrote a prompt.
pub fn writer(db: &Connection, prompt: PromptId) -> rusqlite::Result<Option<UserId>> {
    let found = db
        .prepare_cached("SELECT user_id FROM prompts WHERE id = ?1")?
        .query_row([prompt.0.to_string()], |row| {
            Ok(row.get::<_, Option<u64>>(0)?.map(UserId))
        })
        .optional()?;
    Ok(found.flatten())
}

/// Removes and returns the change to a prompt of this chat that claude has read; `None` if none is left.
pub fn take_change(
    db: &Connection,
    chat: ChatId,
    prompt: PromptId,
) -> rusqlite::Result<Option<Change>> {
    let found = db
        .prepare_cached(
            "SELECT p.edited, r.id, r.session_id, r.chat_id, r.thread_id, p.message_id, p.user_id
             FROM prompts p JOIN runs r ON r.id = p.run_id
             WHERE p.id = ?1 AND p.edited IS NOT NULL AND r.chat_id = ?2 AND r.state <> 'queued'",
        )?
        .query_row(params![prompt.0.to_string(), chat.0], |row| {
            let content: Option<Content> = from_json(0, &row.get::<_, String>(0)?)?;
            let at: ChatThread = place_from(row, 3)?;
            let run = Place {
                id: run_id(1, &row.get::<_, String>(1)?)?,
                session: SessionId(row.get(2)?),
                at,
                asked_by: row.get::<_, Option<i32>>(5)?.map(MessageId),
            };
            let writer = row.get::<_, Option<u64>>(6)?.map(UserId);
            Ok(content.map(|content| Change {
                run,
                writer,
                content,
            }))
        })
        .optional()?;
    if found.is_some() {
        db.prepare_cached("UPDATE prompts SET edited = NULL WHERE id = ?1")?
            .execute([prompt.0.to_string()])?;
    }
    Ok(found.flatten())
}
