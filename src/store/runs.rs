//! Runs: queued, running, ended. The facts for `/status` and for a restart.

use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use super::chats::{place_from, thread_column};
use super::now;
use crate::domain::id::{ChatThread, MessageId, RunId, SessionId};
use crate::domain::run::{Before, Outcome, Run, RunEnd};

/// For [`from_row`], of `runs r`.
pub(super) const COLUMNS: &str =
    "r.id, r.session_id, r.chat_id, r.thread_id, r.queued_at, r.started_at, r.acted_offset,
    r.live_message,
    (SELECT p.message_id FROM prompts p WHERE p.run_id = r.id ORDER BY p.rowid LIMIT 1),
    r.empty_on, coalesce(r.process_id, r.id), r.events_from, r.cost_before";

/// The condition for a run that has not ended, as the index of these has it. Where a session is named too, a `+` before
/// it keeps SQLite from reading all that the session ever had.
pub(super) const OPEN: &str = "(state = 'queued' OR state = 'running')";

/// Where a run belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub id: RunId,
    pub session: SessionId,
    pub at: ChatThread,
    pub asked_by: Option<MessageId>,
}

pub fn insert(
    db: &Connection,
    id: RunId,
    session: &SessionId,
    at: ChatThread,
) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO runs (id, session_id, chat_id, thread_id, state, queued_at)
         VALUES (?1, ?2, ?3, ?4, 'queued', ?5)",
    )?
    .execute(params![
        id.to_string(),
        session.0,
        at.chat.0,
        thread_column(at),
        now()
    ])?;
    Ok(())
}

/// The chat's run that is running, or was when the bot ended.
pub fn running(db: &Connection, at: ChatThread) -> rusqlite::Result<Option<Run>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM runs r
         WHERE r.chat_id = ?1 AND r.thread_id = ?2 AND r.state = 'running' ORDER BY r.seq LIMIT 1"
    ))?
    .query_row(params![at.chat.0, thread_column(at)], from_row)
    .optional()
}

/// The run with this id, if it is running.
pub fn running_under(db: &Connection, id: RunId) -> rusqlite::Result<Option<Run>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM runs r WHERE r.id = ?1 AND r.state = 'running'"
    ))?
    .query_row([id.to_string()], from_row)
    .optional()
}

/// How far a run is.
#[derive(Clone, Debug, PartialEq)]
pub enum RunState {
    Waiting,
    Running,
    Ended(RunEnd),
}

/// A run's state; `None` if there is no such run.
pub fn state_of(db: &Connection, id: RunId) -> rusqlite::Result<Option<RunState>> {
    db.prepare_cached(
        "SELECT state, outcome, reason, started_at, ended_at, coalesce(cost_usd, 0) FROM runs
         WHERE id = ?1",
    )?
    .query_row([id.to_string()], |row| {
        Ok(match row.get_ref(0)?.as_str()? {
            "queued" => RunState::Waiting,
            "running" => RunState::Running,
            _ => RunState::Ended(ended_from(row, 1)?),
        })
    })
    .optional()
}

/// All runs of a session.
pub fn of_session(db: &Connection, session: &SessionId) -> rusqlite::Result<Vec<RunId>> {
    db.prepare_cached("SELECT id FROM runs WHERE session_id = ?1 ORDER BY seq")?
        .query_map([&session.0], |row| {
            row.get(0).and_then(|id: String| run_id(0, &id))
        })?
        .collect()
}

/// The newest runs of a session, whether or not they have begun; the newest first.
pub fn newest(db: &Connection, session: &SessionId, most: u32) -> rusqlite::Result<Vec<RunId>> {
    db.prepare_cached("SELECT id FROM runs WHERE session_id = ?1 ORDER BY seq DESC LIMIT ?2")?
        .query_map(params![session.0, most], |row| {
            row.get(0).and_then(|id: String| run_id(0, &id))
        })?
        .collect()
}

/// The session's current run, or else the last one that has begun.
pub fn newest_of_session(db: &Connection, session: &SessionId) -> rusqlite::Result<Option<RunId>> {
    db.prepare_cached(
        "SELECT id FROM runs WHERE session_id = ?1 AND started_at IS NOT NULL
         ORDER BY seq DESC LIMIT 1",
    )?
    .query_row([&session.0], |row| {
        row.get(0).and_then(|id: String| run_id(0, &id))
    })
    .optional()
}

/// The run that is running in a session.
pub fn running_of_session(db: &Connection, session: &SessionId) -> rusqlite::Result<Option<Run>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM runs r WHERE +r.session_id = ?1 AND r.state = 'running'"
    ))?
    .query_row([&session.0], from_row)
    .optional()
}

/// The current run of a chat, or else the last one.
pub fn newest_begun(db: &Connection, at: ChatThread) -> rusqlite::Result<Option<Run>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM runs r
         WHERE r.chat_id = ?1 AND r.thread_id = ?2 AND r.started_at IS NOT NULL
         ORDER BY r.seq DESC LIMIT 1"
    ))?
    .query_row(params![at.chat.0, thread_column(at)], from_row)
    .optional()
}

/// How the session's last run ended.
pub fn last_ended(db: &Connection, session: &SessionId) -> rusqlite::Result<Option<RunEnd>> {
    db.prepare_cached(
        "SELECT outcome, reason, started_at, ended_at, coalesce(cost_usd, 0) FROM runs
         WHERE session_id = ?1 AND state = 'ended' ORDER BY ended_at DESC, seq DESC LIMIT 1",
    )?
    .query_row([&session.0], |row| ended_from(row, 0))
    .optional()
}

/// US dollars that the session's runs have cost, and how many ended.
pub fn session_totals(db: &Connection, session: &SessionId) -> rusqlite::Result<(f64, u64)> {
    db.prepare_cached(
        "SELECT coalesce(sum(cost_usd), 0), count(*) FILTER (WHERE state = 'ended')
         FROM runs WHERE session_id = ?1",
    )?
    .query_row([&session.0], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// How many runs are running in all chats.
pub fn running_count(db: &Connection) -> rusqlite::Result<u64> {
    db.prepare_cached("SELECT count(*) FROM runs WHERE state = 'running'")?
        .query_row([], |row| row.get(0))
}

/// How many runs have not ended, without those of late prompts, which wait for a person.
pub fn open_count(db: &Connection) -> rusqlite::Result<u64> {
    db.prepare_cached(&format!(
        "SELECT count(*) FROM runs WHERE {OPEN} AND held <> 1"
    ))?
    .query_row([], |row| row.get(0))
}

/// The runs that go on. (`+`: SQLite sorts the few, and does not walk through all.)
pub fn all_running(db: &Connection) -> rusqlite::Result<Vec<Run>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM runs r WHERE r.state = 'running' ORDER BY +r.seq"
    ))?
    .query_map([], from_row)?
    .collect()
}

/// Chats with an unfinished run that is not late.
pub fn chats_with_open(db: &Connection) -> rusqlite::Result<Vec<ChatThread>> {
    db.prepare_cached(&format!(
        "SELECT DISTINCT chat_id, thread_id FROM runs WHERE {OPEN} AND held <> 1"
    ))?
    .query_map([], |row| place_from(row, 0))?
    .collect()
}

/// Notes that this transaction acts on all of the run's events up to this byte. Returns false if that was done before;
/// then the transaction must have no effect.
pub fn set_acted(db: &Connection, id: RunId, offset: u64, cost_usd: f64) -> rusqlite::Result<bool> {
    let acted = db
        .prepare_cached(
            "UPDATE runs SET acted_offset = ?2, cost_usd = ?3 WHERE id = ?1 AND acted_offset < ?2",
        )?
        .execute(params![id.to_string(), offset, cost_usd])?;
    Ok(acted == 1)
}

/// The chat that the run belongs to now: groups migrate and sessions move.
pub fn place(db: &Connection, id: RunId) -> rusqlite::Result<ChatThread> {
    db.prepare_cached("SELECT chat_id, thread_id FROM runs WHERE id = ?1")?
        .query_row([id.to_string()], |row| place_from(row, 0))
}

/// As [`place`], but `None` if there is no such run.
pub fn place_if_known(db: &Connection, id: RunId) -> rusqlite::Result<Option<ChatThread>> {
    place(db, id).optional()
}

/// A run that has begun; it may have ended.
pub fn begun(db: &Connection, id: RunId) -> rusqlite::Result<Option<Run>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM runs r WHERE r.id = ?1 AND r.started_at IS NOT NULL"
    ))?
    .query_row([id.to_string()], from_row)
    .optional()
}

/// A run that failed before it was started.
pub fn failed_unbegun(db: &Connection, id: RunId) -> rusqlite::Result<Option<Run>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM runs r WHERE r.id = ?1 AND r.state = 'ended' AND r.outcome = 'failed'
           AND r.started_at IS NULL"
    ))?
    .query_row([id.to_string()], from_row)
    .optional()
}

/// How often in a row a hold has interrupted what the run asks.
pub fn tries(db: &Connection, id: RunId) -> rusqlite::Result<u32> {
    db.prepare_cached("SELECT tries FROM runs WHERE id = ?1")?
        .query_row([id.to_string()], |row| row.get(0))
}

/// Sets [`tries`] of a run that resumes another one.
pub fn set_tries(db: &Connection, id: RunId, tries: u32) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE runs SET tries = ?2 WHERE id = ?1")?
        .execute(params![id.to_string(), tries])?;
    Ok(())
}

/// Whether another run resumes this one.
pub fn is_taken_up(db: &Connection, id: RunId) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM runs WHERE id = ?1 AND resumed_by IS NOT NULL")?
        .exists([id.to_string()])
}

/// Notes that another run resumes a lost or interrupted one. Returns false if one did before.
pub fn take_up(db: &Connection, lost: RunId, by: RunId) -> rusqlite::Result<bool> {
    let taken = db
        .prepare_cached("UPDATE runs SET resumed_by = ?2 WHERE id = ?1 AND resumed_by IS NULL")?
        .execute(params![lost.to_string(), by.to_string()])?;
    Ok(taken == 1)
}

pub fn set_live_message(db: &Connection, id: RunId, message: MessageId) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE runs SET live_message = ?2 WHERE id = ?1")?
        .execute(params![id.to_string(), message.0])?;
    Ok(())
}

/// Forgets the live message: it shows how the run ended and needs no more edits.
pub fn forget_live_message(db: &Connection, id: RunId) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE runs SET live_message = NULL WHERE id = ?1")?
        .execute([id.to_string()])?;
    Ok(())
}

/// Runs that have ended and whose live message does not show it yet.
pub fn with_live_message_left(db: &Connection) -> rusqlite::Result<Vec<(Run, RunEnd)>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS}, r.outcome, r.reason, r.started_at, r.ended_at, coalesce(r.cost_usd, 0)
         FROM runs r WHERE r.state = 'ended' AND r.live_message IS NOT NULL"
    ))?
    .query_map([], |row| Ok((from_row(row)?, ended_from(row, 13)?)))?
    .collect()
}

/// Notes that somebody asked to stop the run.
pub fn request_stop(db: &Connection, id: RunId) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE runs SET stop_requested = 1 WHERE id = ?1 AND state = 'running'")?
        .execute([id.to_string()])?;
    Ok(())
}

/// Chats with a run that is to be stopped and has not ended.
pub fn chats_with_stop_requested(db: &Connection) -> rusqlite::Result<Vec<ChatThread>> {
    db.prepare_cached(
        "SELECT DISTINCT chat_id, thread_id FROM runs WHERE state = 'running' AND stop_requested = 1",
    )?
    .query_map([], |row| place_from(row, 0))?
    .collect()
}

/// Whether somebody asked for the run to be stopped.
pub fn stop_requested(db: &Connection, id: RunId) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM runs WHERE id = ?1 AND stop_requested = 1")?
        .exists([id.to_string()])
}

/// Ends the run. Only the first ending counts; returns whether this is it.
pub fn end(db: &Connection, id: RunId, outcome: &Outcome) -> rusqlite::Result<bool> {
    let ended = db
        .prepare_cached(
            "UPDATE runs SET state = 'ended', outcome = ?2, reason = ?3, ended_at = ?4
             WHERE id = ?1 AND state <> 'ended'",
        )?
        .execute(params![
            id.to_string(),
            outcome.name(),
            outcome.reason(),
            now()
        ])?;
    Ok(ended == 1)
}

/// The columns of an ending, from the `first` one on.
pub(super) fn ended_from(row: &Row<'_>, first: usize) -> rusqlite::Result<RunEnd> {
    Ok(RunEnd {
        outcome: row.get(first)?,
        reason: row.get(first + 1)?,
        started_at: row.get(first + 2)?,
        ended_at: row.get(first + 3)?,
        cost_usd: row.get(first + 4)?,
    })
}

pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<Run> {
    let id: String = row.get(0)?;
    Ok(Run {
        id: run_id(0, &id)?,
        session: SessionId(row.get(1)?),
        at: place_from(row, 2)?,
        queued_at: row.get(4)?,
        started_at: row.get(5)?,
        acted_offset: row.get(6)?,
        live_message: row.get::<_, Option<i32>>(7)?.map(MessageId),
        asked_by: row.get::<_, Option<i32>>(8)?.map(MessageId),
        before: Before::of(row.get(9)?, None),
        process: run_id(10, &row.get::<_, String>(10)?)?,
        events_from: row.get(11)?,
        cost_before: row.get(12)?,
    })
}

pub(super) fn run_id(column: usize, text: &str) -> rusqlite::Result<RunId> {
    Uuid::parse_str(text).map(RunId).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, error.into())
    })
}
