//! What evidence and an undo need to know of runs. Columns of `runs`.

use rusqlite::{Connection, OptionalExtension, params};

use super::runs::run_id;
use super::{from_json, to_json};
use crate::domain::evidence::Deeds;
use crate::domain::id::{JobId, MessageId, RunId, SessionId};
use crate::domain::run::{Before, Measured};

/// Keeps the outbox row of the run's newest answer.
pub fn set_answer(db: &Connection, id: RunId, outbox_row: i64) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE runs SET answer_row = ?2 WHERE id = ?1")?
        .execute(params![id.to_string(), outbox_row])?;
    Ok(())
}

/// Keeps what claude itself did in the run.
pub fn set_deeds(db: &Connection, id: RunId, deeds: &Deeds) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE runs SET deeds = ?2 WHERE id = ?1")?
        .execute(params![id.to_string(), to_json(deeds)?])?;
    Ok(())
}

/// What evidence needs to know of a run.
pub fn to_measure(db: &Connection, id: RunId) -> rusqlite::Result<Measured> {
    db.prepare_cached(
        "SELECT answer_row, deeds, fix_round, no_snapshot, coalesce(cost_usd, 0),
                coalesce(started_at, queued_at), ended_at,
                (SELECT p.message_id FROM prompts p WHERE p.run_id = r.id ORDER BY p.rowid LIMIT 1),
                fixes IS NOT NULL, empty_on
         FROM runs r WHERE id = ?1",
    )?
    .query_row([id.to_string()], |row| {
        let deeds: Option<String> = row.get(1)?;
        Ok(Measured {
            answer_row: row.get(0)?,
            deeds: deeds.map(|json| from_json(1, &json)).transpose()?,
            fix_round: row.get(2)?,
            cost_usd: row.get(4)?,
            started_at: row.get(5)?,
            ended_at: row.get(6)?,
            asked_by: row.get::<_, Option<i32>>(7)?.map(MessageId),
            is_fix: row.get(8)?,
            before: Before::of(row.get(9)?, row.get(3)?),
        })
    })
}

/// Notes that the run is to fix this job's failed checks; `round` counts automatic fix runs.
pub fn set_fixes(db: &Connection, id: RunId, job: JobId, round: u32) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE runs SET fixes = ?2, fix_round = ?3 WHERE id = ?1")?
        .execute(params![id.to_string(), job.to_string(), round])?;
    Ok(())
}

/// Lets the run fix what the other one was to fix, in the same round.
pub fn set_same_fixes(db: &Connection, id: RunId, other: RunId) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE runs SET (fixes, fix_round) = (SELECT fixes, fix_round FROM runs WHERE id = ?2)
         WHERE id = ?1",
    )?
    .execute([id.to_string(), other.to_string()])?;
    Ok(())
}

/// Notes why the run has no snapshot.
pub fn set_no_snapshot(db: &Connection, id: RunId, why: &str) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE runs SET no_snapshot = ?2 WHERE id = ?1")?
        .execute(params![id.to_string(), why])?;
    Ok(())
}

/// Notes that the run changed nothing.
pub fn set_unchanged(db: &Connection, id: RunId) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE runs SET unchanged = 1 WHERE id = ?1")?
        .execute([id.to_string()])?;
    Ok(())
}

/// The session's newest run that has begun, was not undone, and may have changed something.
pub fn newest_not_undone(db: &Connection, session: &SessionId) -> rusqlite::Result<Option<RunId>> {
    Ok(not_undone(db, session, 1)?.into_iter().next())
}

/// As [`newest_not_undone`], so many of them, the newest first.
pub fn not_undone(db: &Connection, session: &SessionId, most: u32) -> rusqlite::Result<Vec<RunId>> {
    db.prepare_cached(
        "SELECT id FROM runs WHERE session_id = ?1 AND started_at IS NOT NULL AND undone = 0
           AND unchanged = 0
         ORDER BY seq DESC LIMIT ?2",
    )?
    .query_map(params![session.0, most], |row| {
        row.get(0).and_then(|id: String| run_id(0, &id))
    })?
    .collect()
}

pub fn set_undone(db: &Connection, id: RunId, undone: bool) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE runs SET undone = ?2 WHERE id = ?1")?
        .execute(params![id.to_string(), undone])?;
    Ok(())
}

/// Whether a run was undone, and in which session it was.
pub fn is_undone(db: &Connection, id: RunId) -> rusqlite::Result<Option<(SessionId, bool)>> {
    db.prepare_cached("SELECT session_id, undone FROM runs WHERE id = ?1")?
        .query_row([id.to_string()], |row| {
            Ok((SessionId(row.get(0)?), row.get(1)?))
        })
        .optional()
}

/// Voids the questions about undoing the session's runs: somebody has it at a terminal.
pub fn void_undo_in(db: &Connection, session: &SessionId) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE runs SET undo_void = 1 WHERE session_id = ?1 AND started_at IS NOT NULL",
    )?
    .execute([&session.0])?;
    Ok(())
}

/// Makes the undo valid again: it is asked anew.
pub fn may_be_undone(db: &Connection, id: RunId) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE runs SET undo_void = 0 WHERE id = ?1")?
        .execute([id.to_string()])?;
    Ok(())
}

/// Whether the question about undoing the run is void.
pub fn is_undo_void(db: &Connection, id: RunId) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM runs WHERE id = ?1 AND undo_void = 1")?
        .exists([id.to_string()])
}
