//! Prompts for a claude that is already running: handed over, taken up, changed on the way, given back.
//!
//! Columns of `prompts`. A prompt that is handed over still belongs to its own waiting run; when claude takes it up, it
//! moves to claude's run. A prompt that is not taken up simply keeps waiting.

use crate::domain::prompt::Edit;
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use super::chats::thread_column;
use super::edits::edit_from;
use super::prompts::{self, COLUMNS, Prompt, from_row};
use super::waiting::ORDER;
use super::{gatherings, holds, now, runs, settings};
use crate::domain::id::{ChatThread, MessageId, PromptId, RunId};
use crate::domain::run::{Outcome, Run};

/// Prompts that wait behind a run and concern its claude.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Behind {
    /// Prompts to pass on to it, in this order.
    pub to_pass_on: Vec<Prompt>,
    /// Prompts on its input that somebody has changed or cancelled since.
    pub to_withdraw: Vec<PromptId>,
}

/// Hands over the prompts that may go to the run's claude. `with_earlier` returns those that were handed over before,
/// too.
///
/// A person's prompt goes to claude immediately, unless the chat queues or has a hold. A prompt from elsewhere, and one
/// of a routine, becomes its own run, and later prompts stay behind it.
pub fn hand_over(db: &Connection, run: &Run, with_earlier: bool) -> rusqlite::Result<Behind> {
    let mut behind = Behind::default();
    if runs::stop_requested(db, run.id)? {
        return Ok(behind);
    }
    if with_earlier {
        behind.to_pass_on = handed(db, run)?;
    }
    behind.to_withdraw = changed(db, run)?;
    // Under a hold, a prompt fails as the run did.
    if settings::get(db, run.at.chat)?.queues || holds::of(db, run.at)?.is_some() {
        return Ok(behind);
    }
    for prompt in next_for_claude(db, run)? {
        db.prepare_cached("UPDATE prompts SET handed_to = ?2 WHERE id = ?1")?
            .execute([prompt.id.0.to_string(), run.id.to_string()])?;
        behind.to_pass_on.push(prompt);
    }
    Ok(behind)
}

/// The prompts that were handed over and not taken up, in order.
fn handed(db: &Connection, run: &Run) -> rusqlite::Result<Vec<Prompt>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM prompts p JOIN runs r ON r.id = p.run_id
         WHERE p.handed_to = ?3 AND {WAITS_HERE} ORDER BY {ORDER}, p.rowid"
    ))?
    .query_map(
        params![run.at.chat.0, thread_column(run.at), run.id.to_string()],
        from_row,
    )?
    .collect()
}

/// Those of [`handed`] that somebody has changed or cancelled.
fn changed(db: &Connection, run: &Run) -> rusqlite::Result<Vec<PromptId>> {
    db.prepare_cached(&format!(
        "SELECT p.id FROM prompts p JOIN runs r ON r.id = p.run_id
         WHERE p.handed_to = ?3 AND p.edited IS NOT NULL AND {WAITS_HERE}"
    ))?
    .query_map(
        params![run.at.chat.0, thread_column(run.at), run.id.to_string()],
        |row| prompts::prompt_id(0, &row.get::<_, String>(0)?),
    )?
    .collect()
}

/// The condition for a run `r` to wait in the chat, and for no answer about its age.
const WAITS_HERE: &str =
    "r.chat_id = ?1 AND r.thread_id = ?2 AND r.state = 'queued' AND r.held <> 1";

/// The waiting prompts that may go to the run's claude now, up to the first one that may not.
fn next_for_claude(db: &Connection, run: &Run) -> rusqlite::Result<Vec<Prompt>> {
    let mut prompts = Vec::new();
    let mut waiting = db.prepare_cached(&format!(
        "SELECT {COLUMNS}, p.user_id IS NOT NULL AND r.session_id = ?4
                AND NOT EXISTS (SELECT 1 FROM occurrences o WHERE o.run_id = r.id) AND {}
         FROM runs r CROSS JOIN prompts p ON p.run_id = r.id
         WHERE {WAITS_HERE} AND p.handed_to IS NOT ?3 ORDER BY {ORDER}, p.rowid",
        gatherings::ready("?5")
    ))?;
    let mut rows = waiting.query(params![
        run.at.chat.0,
        thread_column(run.at),
        run.id.to_string(),
        run.session.0,
        now()
    ])?;
    while let Some(row) = rows.next()? {
        if !row.get::<_, bool>(6)? {
            break;
        }
        prompts.push(from_row(row)?);
    }
    Ok(prompts)
}

/// A prompt that claude has taken up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenUp {
    /// The message it was written in.
    pub message: Option<MessageId>,
    /// This is the first report that claude took it up.
    pub is_news: bool,
    /// It joined the run after its start.
    pub came_later: bool,
    /// A change or cancellation that came too late.
    pub edit: Option<Edit>,
}

/// Moves a prompt that claude has taken up to this run. `None` if it neither belongs to the run nor was handed to it.
pub fn take_up(
    db: &Connection,
    run: RunId,
    prompt: PromptId,
    steered: bool,
) -> rusqlite::Result<Option<TakenUp>> {
    let found = db
        .prepare_cached(
            "SELECT run_id, handed_to, taken_up_at IS NULL, message_id, edited FROM prompts WHERE id = ?1",
        )?
        .query_row([prompt.0.to_string()], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, Option<String>>(1)?,
                row.get::<_, bool>(2)?,
                row.get::<_, Option<i32>>(3)?.map(MessageId),
                row.get::<_, Option<String>>(4)?,
            ))
        })
        .optional()?;
    let Some((belongs_to, handed_to, is_news, message, edited)) = found else {
        return Ok(None);
    };
    let this = run.to_string();
    if belongs_to != this && handed_to.as_deref() != Some(this.as_str()) {
        return Ok(None);
    }
    let came_later = belongs_to != this;
    if is_news {
        db.prepare_cached(
            "UPDATE prompts SET run_id = ?2, handed_to = NULL, taken_up_at = ?3, steered = ?4,
                    edited = CASE edited WHEN 'null' THEN NULL ELSE edited END
             WHERE id = ?1",
        )?
        .execute(params![prompt.0.to_string(), this, now(), steered])?;
        // Its own waiting run is not needed any more.
        db.prepare_cached(
            "DELETE FROM runs WHERE id = ?1 AND state = 'queued'
             AND NOT EXISTS (SELECT 1 FROM prompts WHERE run_id = ?1)",
        )?
        .execute([belongs_to])?;
    }
    let edit = edited
        .filter(|_| is_news)
        .map(|json| edit_from(4, &json))
        .transpose()?;
    Ok(Some(TakenUp {
        message,
        is_news,
        came_later,
        edit,
    }))
}

/// Takes back a prompt that claude dropped from its input without taking it up; its newest content waits again. It gets
/// a new id, because claude ignores an id that it may have seen.
pub fn give_back(db: &Connection, prompt: PromptId) -> rusqlite::Result<()> {
    let found = db
        .prepare_cached(
            "SELECT run_id, edited FROM prompts WHERE id = ?1 AND handed_to IS NOT NULL AND taken_up_at IS NULL",
        )?
        .query_row([prompt.0.to_string()], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, Option<String>>(1)?))
        })
        .optional()?;
    let Some((run, edited)) = found else {
        return Ok(());
    };
    let edit = edited.map(|json| edit_from(1, &json)).transpose()?;
    let fresh = PromptId(Uuid::new_v4());
    db.prepare_cached("UPDATE prompts SET id = ?2, handed_to = NULL, edited = NULL WHERE id = ?1")?
        .execute([prompt.0.to_string(), fresh.0.to_string()])?;
    match edit {
        None => {}
        Some(Edit::Changed(content)) => prompts::set_content(db, fresh, &content)?,
        Some(Edit::Cancelled) => {
            runs::end(db, runs::run_id(0, &run)?, &Outcome::Stopped)?;
        }
    }
    Ok(())
}

/// Lets prompts wait again that an ended run's claude has not taken up.
pub fn give_all_back(db: &Connection, run: RunId) -> rusqlite::Result<()> {
    let left: Vec<PromptId> = db
        .prepare_cached("SELECT id FROM prompts WHERE handed_to = ?1 AND taken_up_at IS NULL")?
        .query_map([run.to_string()], |row| {
            prompts::prompt_id(0, &row.get::<_, String>(0)?)
        })?
        .collect::<rusqlite::Result<_>>()?;
    for prompt in left {
        give_back(db, prompt)?;
    }
    Ok(())
}

/// Notes that the message in this outbox row answers these prompts.
pub fn set_answered(db: &Connection, answered: &[PromptId], row: i64) -> rusqlite::Result<()> {
    for prompt in answered {
        db.prepare_cached("UPDATE prompts SET answer_row = ?2 WHERE id = ?1")?
            .execute(params![prompt.0.to_string(), row])?;
    }
    Ok(())
}

/// Messages of the run's prompts that have no known answer.
pub fn unanswered(db: &Connection, run: RunId) -> rusqlite::Result<Vec<MessageId>> {
    db.prepare_cached(
        "SELECT message_id FROM prompts
         WHERE run_id = ?1 AND answer_row IS NULL AND message_id IS NOT NULL ORDER BY rowid",
    )?
    .query_map([run.to_string()], |row| row.get(0).map(MessageId))?
    .collect()
}

/// The result of cancelling a waiting prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancelled {
    Done,
    /// claude has it on its input and is asked to give it back.
    Asked,
    /// It no longer waits.
    TooLate,
}

/// Cancels a waiting prompt.
pub fn cancel(db: &Connection, at: ChatThread, run: RunId) -> rusqlite::Result<Cancelled> {
    let waits = db
        .prepare_cached(
            "SELECT 1 FROM runs WHERE id = ?1 AND chat_id = ?2 AND thread_id = ?3 AND state = 'queued'",
        )?
        .exists(params![run.to_string(), at.chat.0, thread_column(at)])?;
    if !waits {
        return Ok(Cancelled::TooLate);
    }
    let handed = db
        .prepare_cached(
            "UPDATE prompts SET edited = 'null' WHERE run_id = ?1 AND handed_to IS NOT NULL",
        )?
        .execute([run.to_string()])?;
    if handed > 0 {
        return Ok(Cancelled::Asked);
    }
    runs::end(db, run, &Outcome::Stopped)?;
    Ok(Cancelled::Done)
}
