//! The claudes that live on after their run, a row each; the row goes when a run takes its claude over, or when it
//! ends.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::chats::{place_from, thread_column};
use super::runs::run_id;
use super::{from_json, to_json};
use crate::domain::id::{ChatId, ChatThread, ClaudeSessionId, RunId, SessionId};
use crate::domain::process::Process;

const COLUMNS: &str =
    "id, session_id, chat_id, thread_id, until, background, read_to, cost_usd, conversation";

pub fn insert(db: &Connection, process: &Process) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO processes (id, session_id, chat_id, thread_id, until, background, read_to, cost_usd,
                                conversation)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        process.id.to_string(),
        process.session.0,
        process.at.chat.0,
        thread_column(process.at),
        process.until,
        to_json(&process.background)?,
        process.read_to,
        process.cost_usd,
        process.conversation.as_ref().map(|id| &id.0),
    ])?;
    Ok(())
}

/// Changes how long it lives, and what is known to go on in it.
pub fn set_rest(
    db: &Connection,
    id: RunId,
    until: Option<i64>,
    background: &[String],
) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE processes SET until = ?2, background = ?3 WHERE id = ?1")?
        .execute(params![id.to_string(), until, to_json(&background)?])?;
    Ok(())
}

/// Takes it over, or forgets it: it is nobody's any more. Returns false if that was done before.
pub fn take(db: &Connection, id: RunId) -> rusqlite::Result<bool> {
    let taken = db
        .prepare_cached("DELETE FROM processes WHERE id = ?1")?
        .execute([id.to_string()])?;
    Ok(taken == 1)
}

pub fn get(db: &Connection, id: RunId) -> rusqlite::Result<Option<Process>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM processes WHERE id = ?1"))?
        .query_row([id.to_string()], from_row)
        .optional()
}

/// The one of a session.
pub fn of_session(db: &Connection, session: &SessionId) -> rusqlite::Result<Option<Process>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM processes WHERE session_id = ?1"
    ))?
    .query_row([&session.0], from_row)
    .optional()
}

/// Those of a chat.
pub fn at(db: &Connection, at: ChatThread) -> rusqlite::Result<Vec<Process>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM processes WHERE chat_id = ?1 AND thread_id = ?2 ORDER BY id"
    ))?
    .query_map(params![at.chat.0, thread_column(at)], from_row)?
    .collect()
}

/// Those that are kept warm, the one that is given up first at the beginning.
pub fn warm(db: &Connection) -> rusqlite::Result<Vec<Process>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM processes WHERE until IS NOT NULL ORDER BY until"
    ))?
    .query_map([], from_row)?
    .collect()
}

/// The chats that have one.
pub fn chats(db: &Connection) -> rusqlite::Result<Vec<ChatThread>> {
    db.prepare_cached("SELECT DISTINCT chat_id, thread_id FROM processes")?
        .query_map([], |row| place_from(row, 0))?
        .collect()
}

/// Notes that somebody wants it to end.
pub fn request_stop(db: &Connection, id: RunId) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE processes SET stop_requested = 1 WHERE id = ?1")?
        .execute([id.to_string()])?;
    Ok(())
}

/// Those that only wait for a prompt are to end: they were started by another telecoder, perhaps with other settings.
pub fn request_stop_of_warm(db: &Connection) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE processes SET stop_requested = 1 WHERE until IS NOT NULL")?
        .execute([])?;
    Ok(())
}

/// As [`request_stop_of_warm`], for one chat: it takes something from its claude.
pub fn request_stop_of_warm_in(db: &Connection, chat: ChatId) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE processes SET stop_requested = 1 WHERE until IS NOT NULL AND chat_id = ?1",
    )?
    .execute([chat.0])?;
    Ok(())
}

pub fn stop_requested(db: &Connection, id: RunId) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM processes WHERE id = ?1 AND stop_requested = 1")?
        .exists([id.to_string()])
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Process> {
    Ok(Process {
        id: run_id(0, &row.get::<_, String>(0)?)?,
        session: SessionId(row.get(1)?),
        at: place_from(row, 2)?,
        until: row.get(4)?,
        background: from_json(5, &row.get::<_, String>(5)?)?,
        read_to: row.get(6)?,
        cost_usd: row.get(7)?,
        conversation: row.get::<_, Option<String>>(8)?.map(ClaudeSessionId),
    })
}
