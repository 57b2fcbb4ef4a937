//! What the page shows, read together: sessions with their newest run, the runs of a session, how a run stands.

use std::hash::{DefaultHasher, Hash, Hasher};

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::chats::place_from;
use super::runs::{RunState, ended_from, run_id};
use super::{from_json, now};
use crate::domain::id::{ChatThread, JobId, RunId, SessionId};
use crate::domain::session::Source;

/// A session in the list.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    pub id: SessionId,
    pub at: ChatThread,
    pub source: Source,
    pub branch: Option<String>,
    /// Its newest run.
    pub newest: Option<RunLine>,
}

/// A run in a list.
#[derive(Clone, Debug, PartialEq)]
pub struct RunLine {
    pub id: RunId,
    /// Runs in the order of their making.
    pub seq: i64,
    pub state: RunState,
    /// Unix milliseconds.
    pub queued_at: i64,
    /// `None` while it waits.
    pub started_at: Option<i64>,
    /// The words of its first prompt; `None` if claude began it by itself.
    pub prompt: Option<String>,
    pub was_undone: bool,
}

/// For [`run_line`], of `runs r`.
const RUN: &str = "r.state, r.outcome, r.reason, r.started_at, r.ended_at, coalesce(r.cost_usd, 0), r.id, r.seq,
    r.queued_at, r.undone, (SELECT p.text FROM prompts p WHERE p.run_id = r.id ORDER BY p.rowid LIMIT 1)";

/// All sessions, those first in which something happened last.
pub fn sessions(db: &Connection) -> rusqlite::Result<Vec<Listed>> {
    db.prepare_cached(&format!(
        "SELECT {RUN}, s.id, s.chat_id, s.thread_id, s.source, s.branch
         FROM sessions s
         LEFT JOIN runs r ON r.seq = (SELECT max(n.seq) FROM runs n WHERE n.session_id = s.id)
         ORDER BY coalesce(r.queued_at, s.created_at) DESC, s.rowid DESC"
    ))?
    .query_map([], |row| {
        let has_run = row.get::<_, Option<String>>(6)?.is_some();
        Ok(Listed {
            newest: has_run.then(|| run_line(row)).transpose()?,
            id: SessionId(row.get(11)?),
            at: place_from(row, 12)?,
            source: from_json(14, &row.get::<_, String>(14)?)?,
            branch: row.get(15)?,
        })
    })?
    .collect()
}

/// The runs of a session before this one, or the newest ones; the newest first.
pub fn runs(
    db: &Connection,
    session: &SessionId,
    before: Option<i64>,
    most: usize,
) -> rusqlite::Result<Vec<RunLine>> {
    db.prepare_cached(&format!(
        "SELECT {RUN} FROM runs r WHERE r.session_id = ?1 AND r.seq < ?2 ORDER BY r.seq DESC LIMIT ?3"
    ))?
    .query_map(
        params![session.0, before.unwrap_or(i64::MAX), most],
        run_line,
    )?
    .collect()
}

/// One run.
pub fn run(db: &Connection, id: RunId) -> rusqlite::Result<Option<RunLine>> {
    db.prepare_cached(&format!("SELECT {RUN} FROM runs r WHERE r.id = ?1"))?
        .query_row([id.to_string()], run_line)
        .optional()
}

/// The newest measurement of a run, and the job that made it.
pub fn measured(db: &Connection, id: RunId) -> rusqlite::Result<Option<JobId>> {
    db.prepare_cached(
        "SELECT v.job_id FROM verifications v
         WHERE v.session_id = (SELECT r.session_id FROM runs r WHERE r.id = ?1) AND v.run_id = ?1
         ORDER BY v.rowid DESC LIMIT 1",
    )?
    .query_row([id.to_string()], |row| {
        run_id(0, &row.get::<_, String>(0)?).map(|id| JobId(id.0))
    })
    .optional()
}

/// The run of the session before this one that has begun, and the one behind it.
pub fn beside(
    db: &Connection,
    session: &SessionId,
    seq: i64,
) -> rusqlite::Result<(Option<RunId>, Option<RunId>)> {
    let id = |row: &Row<'_>| run_id(0, &row.get::<_, String>(0)?);
    let before = db
        .prepare_cached(
            "SELECT id FROM runs WHERE session_id = ?1 AND seq < ?2 AND started_at IS NOT NULL
             ORDER BY seq DESC LIMIT 1",
        )?
        .query_row(params![session.0, seq], id)
        .optional()?;
    let behind = db
        .prepare_cached(
            "SELECT id FROM runs WHERE session_id = ?1 AND seq > ?2 AND started_at IS NOT NULL
             ORDER BY seq LIMIT 1",
        )?
        .query_row(params![session.0, seq], id)
        .optional()?;
    Ok((before, behind))
}

/// How many runs of the session have begun, from one to the other.
pub fn count_between(
    db: &Connection,
    session: &SessionId,
    first: i64,
    last: i64,
) -> rusqlite::Result<usize> {
    db.prepare_cached(
        "SELECT count(*) FROM runs
         WHERE session_id = ?1 AND seq BETWEEN ?2 AND ?3 AND started_at IS NOT NULL",
    )?
    .query_row(params![session.0, first, last], |row| row.get(0))
}

/// What is shown above a run's steps, as far as it changes while somebody looks.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Standing {
    /// `queued`, `running` or `ended`.
    pub state: String,
    /// The open ones, and what was chosen so far.
    pub questions: Vec<(String, Option<String>)>,
    answers: u64,
    measured: Option<JobId>,
    was_undone: bool,
    /// The byte of its record behind its last event; `None` while it goes on.
    pub ends_at: Option<u64>,
    /// The run has ended, and no job follows it any more.
    pub is_over: bool,
}

impl Standing {
    /// A mark of it: two that differ have different ones, as long as the program is the same.
    pub fn mark(&self) -> String {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }
}

/// How a run stands. One that is gone is over.
pub fn standing(db: &Connection, id: RunId) -> rusqlite::Result<Standing> {
    let run: Option<(String, bool, Option<u64>, bool)> = db
        .prepare_cached(
            "SELECT r.state, r.undone, r.events_to,
                    EXISTS (SELECT 1 FROM jobs j WHERE j.session_id = r.session_id AND j.state = 'due'
                            AND j.chat_id = r.chat_id AND j.thread_id = r.thread_id)
             FROM runs r WHERE r.id = ?1",
        )?
        .query_row([id.to_string()], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .optional()?;
    let gone = ("ended".to_owned(), false, None, false);
    let (state, was_undone, ends_at, has_jobs) = run.unwrap_or(gone);
    let questions = db
        .prepare_cached(
            "SELECT q.id, q.answer FROM questions q WHERE q.run_id = ?1 AND q.state = 'open' ORDER BY q.rowid",
        )?
        .query_map([id.to_string()], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let answers = db
        .prepare_cached("SELECT count(DISTINCT p.answer_row) FROM prompts p WHERE p.run_id = ?1")?
        .query_row([id.to_string()], |row| row.get(0))?;
    Ok(Standing {
        ends_at,
        is_over: state == "ended" && !has_jobs,
        measured: measured(db, id)?,
        state,
        questions,
        answers,
        was_undone,
    })
}

/// How long ago a moment was.
pub fn age_ms(moment: i64) -> u64 {
    u64::try_from(now().saturating_sub(moment)).unwrap_or(0)
}

fn run_line(row: &Row<'_>) -> rusqlite::Result<RunLine> {
    let state = match row.get_ref(0)?.as_str()? {
        "queued" => RunState::Waiting,
        "running" => RunState::Running,
        _ => RunState::Ended(ended_from(row, 1)?),
    };
    Ok(RunLine {
        state,
        started_at: row.get(3)?,
        id: run_id(6, &row.get::<_, String>(6)?)?,
        seq: row.get(7)?,
        queued_at: row.get(8)?,
        was_undone: row.get(9)?,
        prompt: row.get(10)?,
    })
}
