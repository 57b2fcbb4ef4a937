//! Waiting prompts: which run is next, when it may begin, and what people see of it.
//!
//! Only this file defines the order of waiting runs. `gatherings` decides whether a run is complete; `steering` decides
//! what goes to a running claude.

use crate::domain::prompt::InQueue;
use rusqlite::{Connection, OptionalExtension, params};

use super::chats::{place_from, thread_column};
use super::runs::{COLUMNS, from_row, run_id};
use super::{gatherings, now};
use crate::domain::id::{ChatThread, RunId, SessionId, UserId};
use crate::domain::run::{Outcome, Run};

/// The order of waiting runs `r`: resumed ones first, then the oldest. It is that of the index `runs_open`.
pub(super) const ORDER: &str = "r.tries = 0, r.seq";

/// The conditions for a waiting run `r` to begin, apart from its turn and its missing messages: nobody is still asked
/// about its age, no terminal has its session, and its chat has no hold.
const MAY_BEGIN: &str = "r.held <> 1
    AND r.session_id NOT IN (SELECT id FROM sessions WHERE attached_at IS NOT NULL)
    AND NOT EXISTS (SELECT 1 FROM holds h WHERE h.chat_id = r.chat_id AND h.thread_id = r.thread_id)";

/// The chat's next run: the first in order that may begin, once all its messages and files are there. Only a resumed
/// run may overtake it.
pub fn next_queued(db: &Connection, at: ChatThread) -> rusqlite::Result<Option<Run>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM runs r
         WHERE r.seq = (
             SELECT r.seq FROM runs r
             WHERE r.chat_id = ?1 AND r.thread_id = ?2 AND r.state = 'queued' AND {MAY_BEGIN}
             ORDER BY {ORDER} LIMIT 1)
           AND {}",
        gatherings::ready("?3")
    ))?
    .query_row(params![at.chat.0, thread_column(at), now()], from_row)
    .optional()
}

/// When the chat's next run has all its messages, in Unix milliseconds; `None` if it has them or no run waits.
pub fn next_gathers_until(db: &Connection, at: ChatThread) -> rusqlite::Result<Option<i64>> {
    let next: Option<Option<i64>> = db
        .prepare_cached(&format!(
            "SELECT r.gathers_until FROM runs r
             WHERE r.chat_id = ?1 AND r.thread_id = ?2 AND r.state = 'queued' AND {MAY_BEGIN}
             ORDER BY {ORDER} LIMIT 1"
        ))?
        .query_row(params![at.chat.0, thread_column(at)], |row| row.get(0))
        .optional()?;
    let now = now();
    Ok(next
        .flatten()
        .filter(|until| (now..now + gatherings::LONGEST_MS).contains(until)))
}

/// Marks the run as running; call it before its keeper is started. Returns false if the run no longer waits, may not
/// begin, or must wait for a job in its workspace or for its messages or files.
///
/// `was_empty` names the branch of a workspace that has no file and no commit.
pub fn mark_running(db: &Connection, id: RunId, was_empty: Option<&str>) -> rusqlite::Result<bool> {
    let marked = db
        .prepare_cached(&format!(
            "UPDATE runs AS r SET state = 'running', started_at = ?2, empty_on = ?3
             WHERE r.id = ?1 AND r.state = 'queued'
             AND NOT EXISTS (SELECT 1 FROM jobs j WHERE +j.session_id = r.session_id
                             AND j.lane = 'workspace' AND j.state = 'due')
             AND NOT EXISTS (SELECT 1 FROM runs o WHERE +o.session_id = r.session_id AND o.state = 'running')
             AND {MAY_BEGIN} AND {}",
            gatherings::ready("?2")
        ))?
        .execute(params![id.to_string(), now(), was_empty])?;
    Ok(marked == 1)
}

/// The waiting runs of people, each with who wrote its prompt. A run that several people's prompts became is nobody's.
pub fn by_people(db: &Connection) -> rusqlite::Result<Vec<(RunId, UserId, ChatThread)>> {
    db.prepare_cached(
        "SELECT r.id, min(p.user_id), r.chat_id, r.thread_id FROM runs r JOIN prompts p ON p.run_id = r.id
         WHERE r.state = 'queued' AND p.edited IS NOT 'null'
         GROUP BY +r.id HAVING count(p.user_id) = count(*) AND min(p.user_id) = max(p.user_id)",
    )?
    .query_map([], |row| {
        Ok((
            run_id(0, &row.get::<_, String>(0)?)?,
            UserId(row.get(1)?),
            place_from(row, 2)?,
        ))
    })?
    .collect()
}

/// How many prompts wait in a chat.
pub fn queued_count(db: &Connection, at: ChatThread) -> rusqlite::Result<usize> {
    db.prepare_cached(
        "SELECT count(*) FROM runs
         WHERE chat_id = ?1 AND thread_id = ?2 AND state = 'queued' AND held <> 1",
    )?
    .query_row(params![at.chat.0, thread_column(at)], |row| row.get(0))
}

/// How many prompts wait in a session.
pub fn queued_in(db: &Connection, session: &SessionId) -> rusqlite::Result<usize> {
    db.prepare_cached(
        "SELECT count(*) FROM runs WHERE +session_id = ?1 AND state = 'queued' AND held <> 1",
    )?
    .query_row([&session.0], |row| row.get(0))
}

/// The chat's waiting prompts, in order.
pub fn queue(db: &Connection, at: ChatThread) -> rusqlite::Result<Vec<InQueue>> {
    db.prepare_cached(&format!(
        "SELECT r.id, p.text, p.handed_to IS NOT NULL FROM runs r JOIN prompts p ON p.run_id = r.id
         WHERE r.chat_id = ?1 AND r.thread_id = ?2 AND r.state = 'queued' AND r.held <> 1 AND p.edited IS NOT 'null'
         ORDER BY {ORDER}, p.rowid"
    ))?
    .query_map(params![at.chat.0, thread_column(at)], |row| {
        Ok(InQueue {
            run: run_id(0, &row.get::<_, String>(0)?)?,
            words: row.get(1)?,
            is_handed: row.get(2)?,
        })
    })?
    .collect()
}

/// Ends the waiting runs of a chat, or only one session's; returns how many there were.
pub fn end_queued(
    db: &Connection,
    at: ChatThread,
    session: Option<&SessionId>,
    outcome: &Outcome,
) -> rusqlite::Result<usize> {
    db.prepare_cached(
        "UPDATE runs SET state = 'ended', outcome = ?3, reason = ?4, ended_at = ?5
         WHERE chat_id = ?1 AND thread_id = ?2 AND state = 'queued' AND (?6 IS NULL OR session_id = ?6)",
    )?
    .execute(params![
        at.chat.0,
        thread_column(at),
        outcome.name(),
        outcome.reason(),
        now(),
        session.map(|id| &id.0)
    ])
}
