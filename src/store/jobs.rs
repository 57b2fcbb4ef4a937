//! Jobs: work in a workspace outside runs.

use rusqlite::{Connection, OptionalExtension, Row, params};
use tracing::warn;
use uuid::Uuid;

use super::chats::{place_from, thread_column};
use super::{from_json, now, to_json};
use crate::domain::id::{ChatThread, JobId, MessageId, SessionId};
use crate::domain::job::{Job, Lane, Task};

const COLUMNS: &str = "id, session_id, chat_id, thread_id, task, asked_by, live_message,
    state = 'ended', begun_at";

/// Stores a new job that is due.
pub fn insert(
    db: &Connection,
    session: &SessionId,
    at: ChatThread,
    task: &Task,
    asked_by: Option<MessageId>,
) -> rusqlite::Result<JobId> {
    let id = JobId::new();
    db.prepare_cached(
        "INSERT INTO jobs (id, session_id, chat_id, thread_id, lane, task, state, asked_by, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'due', ?7, ?8)",
    )?
    .execute(params![
        id.to_string(),
        session.0,
        at.chat.0,
        thread_column(at),
        lane_name(task.lane()),
        to_json(task)?,
        asked_by.map(|message| message.0),
        now()
    ])?;
    Ok(id)
}

/// The chat's oldest unfinished job of a lane. Workspace jobs wait while somebody has their session at a terminal. An
/// unreadable job, as of a newer telecoder, is ended so that it does not block the next ones.
pub fn next(db: &Connection, at: ChatThread, lane: Lane) -> rusqlite::Result<Option<Job>> {
    let due: Vec<(String, rusqlite::Result<Job>)> = db
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM jobs
             WHERE chat_id = ?1 AND thread_id = ?2 AND lane = ?3 AND state = 'due'
               AND (lane = 'beside' OR session_id NOT IN
                    (SELECT id FROM sessions WHERE attached_at IS NOT NULL))
             ORDER BY seq"
        ))?
        .query_map(
            params![at.chat.0, thread_column(at), lane_name(lane)],
            |row| Ok((row.get::<_, String>(0)?, from_row(row))),
        )?
        .collect::<rusqlite::Result<_>>()?;
    for (id, job) in due {
        match job {
            Ok(job) if job.task.lane() == lane => return Ok(Some(job)),
            Ok(_) => {}
            Err(error) => {
                warn!(job.id = id, %error, "a job cannot be read and is put aside");
                db.prepare_cached("UPDATE jobs SET state = 'ended' WHERE id = ?1")?
                    .execute([id])?;
            }
        }
    }
    Ok(None)
}

/// The job with this id, if it is not done.
pub fn due_under(db: &Connection, id: JobId) -> rusqlite::Result<Option<Job>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM jobs WHERE id = ?1 AND state = 'due'"
    ))?
    .query_row([id.to_string()], from_row)
    .optional()
}

/// Whether there is such a job, done or not.
pub fn is_known(db: &Connection, id: Uuid) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM jobs WHERE id = ?1")?
        .exists([id.to_string()])
}

/// The job with this id, done or not.
pub fn get(db: &Connection, id: JobId) -> rusqlite::Result<Option<Job>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM jobs WHERE id = ?1"))?
        .query_row([id.to_string()], from_row)
        .optional()
}

/// Whether there is or was a job of the session with this very task.
pub fn was_asked_for(db: &Connection, session: &SessionId, task: &Task) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM jobs WHERE session_id = ?1 AND task = ?2")?
        .exists([&session.0, &to_json(task)?])
}

/// The chat that the job belongs to now: groups migrate and sessions move.
pub fn place(db: &Connection, id: JobId) -> rusqlite::Result<ChatThread> {
    db.prepare_cached("SELECT chat_id, thread_id FROM jobs WHERE id = ?1")?
        .query_row([id.to_string()], |row| place_from(row, 0))
}

/// Marks a job as begun and returns it. `None` if it is done, or needs a workspace that somebody has at a terminal now.
pub fn begin(db: &Connection, id: JobId) -> rusqlite::Result<Option<Job>> {
    db.prepare_cached(&format!(
        "UPDATE jobs SET begun_at = coalesce(begun_at, ?2)
         WHERE id = ?1 AND state = 'due'
           AND (lane = 'beside' OR session_id NOT IN
                (SELECT id FROM sessions WHERE attached_at IS NOT NULL))
         RETURNING {COLUMNS}"
    ))?
    .query_row(params![id.to_string(), now()], from_row)
    .optional()
}

/// Ends a job. Returns false if it had ended; then the transaction must have no effect.
pub fn end(db: &Connection, id: JobId) -> rusqlite::Result<bool> {
    let ended = db
        .prepare_cached(
            "UPDATE jobs SET state = 'ended', ended_at = ?2 WHERE id = ?1 AND state = 'due'",
        )?
        .execute(params![id.to_string(), now()])?;
    Ok(ended == 1)
}

/// Notes that somebody asked to stop a job.
pub fn request_stop(db: &Connection, id: JobId) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE jobs SET stop_requested = 1 WHERE id = ?1 AND state = 'due'")?
        .execute([id.to_string()])?;
    Ok(())
}

pub fn stop_requested(db: &Connection, id: JobId) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM jobs WHERE id = ?1 AND stop_requested = 1")?
        .exists([id.to_string()])
}

/// Chats with an unfinished job of a lane, or of one beside runs.
pub fn chats_with_due(db: &Connection, lane: Lane) -> rusqlite::Result<Vec<ChatThread>> {
    db.prepare_cached(
        "SELECT DISTINCT chat_id, thread_id FROM jobs WHERE state = 'due' AND lane = ?1",
    )?
    .query_map([lane_name(lane)], |row| place_from(row, 0))?
    .collect()
}

/// Chats with a job of a lane that has not begun.
pub fn chats_not_begun(db: &Connection, lane: Lane) -> rusqlite::Result<Vec<ChatThread>> {
    db.prepare_cached(
        "SELECT DISTINCT chat_id, thread_id FROM jobs
         WHERE state = 'due' AND lane = ?1 AND begun_at IS NULL",
    )?
    .query_map([lane_name(lane)], |row| place_from(row, 0))?
    .collect()
}

/// A chat's unfinished jobs.
pub fn due_at(db: &Connection, at: ChatThread) -> rusqlite::Result<Vec<Job>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM jobs
         WHERE chat_id = ?1 AND thread_id = ?2 AND state = 'due' ORDER BY seq"
    ))?
    .query_map(params![at.chat.0, thread_column(at)], from_row)?
    .collect()
}

/// A session's unfinished jobs.
pub fn due_in(db: &Connection, session: &SessionId) -> rusqlite::Result<Vec<Job>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM jobs WHERE +session_id = ?1 AND state = 'due' ORDER BY +seq"
    ))?
    .query_map([&session.0], from_row)?
    .collect()
}

/// All jobs that a session ever had.
pub fn of_session(db: &Connection, session: &SessionId) -> rusqlite::Result<Vec<JobId>> {
    db.prepare_cached("SELECT id FROM jobs WHERE session_id = ?1 ORDER BY seq")?
        .query_map([&session.0], |row| {
            let id: String = row.get(0)?;
            job_id(0, &id)
        })?
        .collect()
}

/// Whether a job that needs the session's workspace is unfinished.
pub fn is_measuring(db: &Connection, session: &SessionId) -> rusqlite::Result<bool> {
    db.prepare_cached(
        "SELECT 1 FROM jobs WHERE +session_id = ?1 AND state = 'due' AND lane = 'workspace'",
    )?
    .exists([&session.0])
}

/// How many jobs of a lane are unfinished in a chat.
pub fn due_count(db: &Connection, at: ChatThread, lane: Lane) -> rusqlite::Result<u64> {
    db.prepare_cached(
        "SELECT count(*) FROM jobs
         WHERE chat_id = ?1 AND thread_id = ?2 AND lane = ?3 AND state = 'due'",
    )?
    .query_row(
        params![at.chat.0, thread_column(at), lane_name(lane)],
        |row| row.get(0),
    )
}

/// How many jobs are not done.
pub fn open_count(db: &Connection) -> rusqlite::Result<u64> {
    db.prepare_cached("SELECT count(*) FROM jobs WHERE state = 'due'")?
        .query_row([], |row| row.get(0))
}

pub fn set_live_message(db: &Connection, id: JobId, message: MessageId) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE jobs SET live_message = ?2 WHERE id = ?1")?
        .execute(params![id.to_string(), message.0])?;
    Ok(())
}

pub fn forget_live_message(db: &Connection, id: JobId) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE jobs SET live_message = NULL WHERE id = ?1")?
        .execute([id.to_string()])?;
    Ok(())
}

/// Jobs that had a live message when the bot ended.
pub fn with_live_message(db: &Connection) -> rusqlite::Result<Vec<Job>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM jobs WHERE live_message IS NOT NULL"
    ))?
    .query_map([], from_row)?
    .collect()
}

/// All lanes beside runs have one name; the task says which of them it is.
fn lane_name(lane: Lane) -> &'static str {
    match lane.is_beside_runs() {
        true => "beside",
        false => "workspace",
    }
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Job> {
    let id: String = row.get(0)?;
    let task: String = row.get(4)?;
    let message =
        |column| Ok::<_, rusqlite::Error>(row.get::<_, Option<i32>>(column)?.map(MessageId));
    Ok(Job {
        id: job_id(0, &id)?,
        session: SessionId(row.get(1)?),
        at: place_from(row, 2)?,
        task: from_json(4, &task)?,
        asked_by: message(5)?,
        live_message: message(6)?,
        is_ended: row.get(7)?,
        begun_at: row.get(8)?,
    })
}

fn job_id(column: usize, text: &str) -> rusqlite::Result<JobId> {
    Uuid::parse_str(text).map(JobId).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, error.into())
    })
}
