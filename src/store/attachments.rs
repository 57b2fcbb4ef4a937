//! Attachments: files that came with messages, what became of each, and what claude gets in its place.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{edits, from_json, now, prompts, to_json};
use crate::domain::fetched::Missed;
use crate::domain::id::{AttachmentId, MessageId, PromptId, RunId};
use crate::domain::prompt::{Content, Fetched, Piece};
use crate::domain::update::File;

/// A file that is still to be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    pub id: AttachmentId,
    pub prompt: PromptId,
    /// The message that it came with.
    pub message: Option<MessageId>,
    pub file: File,
    /// Where the file goes once it is complete. A file found there is complete.
    pub path: Option<PathBuf>,
    /// When the person sent it, in Unix milliseconds.
    pub sent_at: i64,
}

/// How far the files of a run are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The run has not begun and was not dropped.
    pub is_waiting: bool,
    /// More messages may become part of its prompt until then, in Unix milliseconds.
    pub gathers_until: Option<i64>,
    pub awaited: usize,
    pub there: usize,
    pub failed: usize,
}

/// Adds a file that a prompt waits for; [`Piece::Awaited`] with its id marks its place. The prompt must exist.
pub fn insert(
    db: &Connection,
    prompt: PromptId,
    message: Option<MessageId>,
    file: &File,
) -> rusqlite::Result<AttachmentId> {
    db.prepare_cached(
        "INSERT INTO attachments (prompt_id, message_id, file, state, created_at)
         VALUES (?1, ?2, ?3, 'awaited', ?4)",
    )?
    .execute(params![
        prompt.0.to_string(),
        message.map(|message| message.0),
        to_json(file)?,
        now()
    ])?;
    Ok(AttachmentId(db.last_insert_rowid()))
}

/// The files that a queued run still waits for, in the order they were sent.
pub fn awaited(db: &Connection, run: RunId) -> rusqlite::Result<Vec<Attachment>> {
    db.prepare_cached(
        "SELECT a.id, a.prompt_id, coalesce(a.message_id, p.message_id), a.file, a.path,
                coalesce(p.sent_at, a.created_at)
         FROM attachments a JOIN prompts p ON p.id = a.prompt_id JOIN runs r ON r.id = p.run_id
         WHERE r.id = ?1 AND r.state = 'queued' AND a.state = 'awaited' ORDER BY a.id",
    )?
    .query_map([run.to_string()], from_row)?
    .collect()
}

/// How far the files of a run are; `None` if there is no such run.
pub fn standing(db: &Connection, run: RunId) -> rusqlite::Result<Option<Standing>> {
    db.prepare_cached(
        "SELECT r.state = 'queued', r.gathers_until,
                count(*) FILTER (WHERE a.state = 'awaited'), count(*) FILTER (WHERE a.state = 'there' AND a.replaced = 0),
                count(*) FILTER (WHERE a.state = 'failed' AND a.replaced = 0)
         FROM runs r LEFT JOIN prompts p ON p.run_id = r.id LEFT JOIN attachments a ON a.prompt_id = p.id
         WHERE r.id = ?1 GROUP BY r.id",
    )?
    .query_row([run.to_string()], |row| {
        Ok(Standing {
            is_waiting: row.get(0)?,
            gathers_until: row.get(1)?,
            awaited: row.get(2)?,
            there: row.get(3)?,
            failed: row.get(4)?,
        })
    })
    .optional()
}

/// Sets where the file goes once it is complete. Returns false if another file has that path.
pub fn set_path(db: &Connection, id: AttachmentId, path: &Path) -> rusqlite::Result<bool> {
    let path = path.to_string_lossy();
    let set = db
        .prepare_cached(
            "UPDATE attachments SET path = ?2
             WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM attachments o WHERE o.path = ?2 AND o.id <> ?1)",
        )?
        .execute(params![id.0, path])?;
    Ok(set == 1)
}

/// Marks a file as there; `pieces` take its place in the prompt. Returns false if it was settled before; then the
/// transaction must have no effect.
pub fn set_there(db: &Connection, id: AttachmentId, pieces: Vec<Piece>) -> rusqlite::Result<bool> {
    settle(db, id, "there", None, pieces)
}

/// Marks a file as failed; as [`set_there`].
pub fn set_failed(
    db: &Connection,
    id: AttachmentId,
    missed: &Missed,
    pieces: Vec<Piece>,
) -> rusqlite::Result<bool> {
    settle(db, id, "failed", Some(to_json(missed)?), pieces)
}

/// Takes the failures of a run's files that nobody was told of; they count as told from now on.
pub fn take_missed(db: &Connection, run: RunId) -> rusqlite::Result<Vec<Missed>> {
    let missed = db
        .prepare_cached(
            "SELECT a.failure FROM attachments a JOIN prompts p ON p.id = a.prompt_id
             WHERE p.run_id = ?1 AND a.failure IS NOT NULL ORDER BY a.id",
        )?
        .query_map([run.to_string()], |row| {
            from_json(0, &row.get::<_, String>(0)?)
        })?
        .collect::<rusqlite::Result<_>>()?;
    db.prepare_cached(
        "UPDATE attachments SET failure = NULL
         WHERE prompt_id IN (SELECT id FROM prompts WHERE run_id = ?1)",
    )?
    .execute([run.to_string()])?;
    Ok(missed)
}

fn settle(
    db: &Connection,
    id: AttachmentId,
    state: &str,
    failure: Option<String>,
    pieces: Vec<Piece>,
) -> rusqlite::Result<bool> {
    let prompt = db
        .prepare_cached(
            "UPDATE attachments SET state = ?2, failure = ?3 WHERE id = ?1 AND state = 'awaited'
             RETURNING prompt_id",
        )?
        .query_row(params![id.0, state, failure], |row| {
            prompts::prompt_id(0, &row.get::<_, String>(0)?)
        })
        .optional()?;
    let Some(prompt) = prompt else {
        return Ok(false);
    };
    let fetched = Fetched {
        attachment: id,
        pieces,
    };
    let mut content = prompts::content(db, prompt)?;
    if put(&mut content, &fetched) {
        prompts::set_content(db, prompt, &content)?;
    }
    if let Some(mut changed) = edits::changed_to(db, prompt)?
        && put(&mut changed, &fetched)
    {
        edits::change(db, prompt, &changed)?;
    }
    Ok(true)
}

/// Puts what a file became into its place, if it has one.
fn put(content: &mut Content, fetched: &Fetched) -> bool {
    let awaited = Piece::Awaited(fetched.attachment);
    let place = content.pieces.iter_mut().find(|piece| **piece == awaited);
    let has_place = place.is_some();
    if let Some(place) = place {
        *place = Piece::Fetched(fetched.clone());
    }
    has_place
}

/// The files that came with a message, as far as they are in this content of its prompt.
pub fn in_content(
    db: &Connection,
    content: &Content,
    message: MessageId,
) -> rusqlite::Result<Vec<(AttachmentId, File)>> {
    let mut found = Vec::new();
    for piece in &content.pieces {
        let id = match piece {
            Piece::Awaited(id) => *id,
            Piece::Fetched(fetched) => fetched.attachment,
            _ => continue,
        };
        let file = db
            .prepare_cached("SELECT file FROM attachments WHERE id = ?1 AND message_id = ?2")?
            .query_row(params![id.0, message.0], |row| {
                from_json(0, &row.get::<_, String>(0)?)
            })
            .optional()?;
        found.extend(file.map(|file| (id, file)));
    }
    Ok(found)
}

/// A file that came with a run's prompts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Came {
    pub id: AttachmentId,
    pub file: File,
    /// Where it is; `None` while it is fetched, and if it could not be had.
    pub path: Option<PathBuf>,
    pub is_awaited: bool,
}

/// The files of a run's prompts, without those that others took the place of.
pub fn of_run(db: &Connection, run: RunId) -> rusqlite::Result<Vec<Came>> {
    db.prepare_cached(
        "SELECT a.id, a.file, CASE a.state WHEN 'there' THEN a.path END, a.state = 'awaited'
         FROM prompts p JOIN attachments a ON a.prompt_id = p.id
         WHERE p.run_id = ?1 AND a.replaced = 0 ORDER BY a.id",
    )?
    .query_map([run.to_string()], |row| {
        Ok(Came {
            id: AttachmentId(row.get(0)?),
            file: from_json(1, &row.get::<_, String>(1)?)?,
            path: row.get::<_, Option<String>>(2)?.map(PathBuf::from),
            is_awaited: row.get(3)?,
        })
    })?
    .collect()
}

/// The files that came with a message of a prompt, and were not replaced.
pub fn of_message(
    db: &Connection,
    prompt: PromptId,
    message: MessageId,
) -> rusqlite::Result<Vec<File>> {
    db.prepare_cached(
        "SELECT file FROM attachments WHERE prompt_id = ?1 AND message_id = ?2 AND replaced = 0 ORDER BY id",
    )?
    .query_map(params![prompt.0.to_string(), message.0], |row| {
        from_json(0, &row.get::<_, String>(0)?)
    })?
    .collect()
}

/// Its message has another file now: nobody waits for this one any more.
pub fn set_replaced(db: &Connection, id: AttachmentId) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE attachments SET replaced = 1, failure = NULL,
                state = CASE state WHEN 'awaited' THEN 'failed' ELSE state END
         WHERE id = ?1",
    )?
    .execute([id.0])?;
    Ok(())
}

/// Another prompt has the files of this one from now on, except those that are still to be fetched.
pub fn move_settled(db: &Connection, from: PromptId, to: PromptId) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE attachments SET prompt_id = ?2 WHERE prompt_id = ?1 AND state <> 'awaited'",
    )?
    .execute([from.0.to_string(), to.0.to_string()])?;
    Ok(())
}

/// Another prompt waits for those files of its content that are not there yet.
pub fn move_awaited(db: &Connection, content: &Content, to: PromptId) -> rusqlite::Result<()> {
    for piece in &content.pieces {
        if let Piece::Awaited(id) = piece {
            db.prepare_cached("UPDATE attachments SET prompt_id = ?2 WHERE id = ?1")?
                .execute(params![id.0, to.0.to_string()])?;
        }
    }
    Ok(())
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Attachment> {
    Ok(Attachment {
        id: AttachmentId(row.get(0)?),
        prompt: prompts::prompt_id(1, &row.get::<_, String>(1)?)?,
        message: row.get::<_, Option<i32>>(2)?.map(MessageId),
        file: from_json(3, &row.get::<_, String>(3)?)?,
        path: row.get::<_, Option<String>>(4)?.map(PathBuf::from),
        sent_at: row.get(5)?,
    })
}
