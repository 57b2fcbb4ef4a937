//! What was measured after runs, kept for good.

use rusqlite::{Connection, OptionalExtension, params};

use super::{from_json, now, to_json};
use crate::id::{JobId, RunId, SessionId};
use crate::verify::Evidence;

/// A measurement, as it was kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Verification {
    /// None where somebody asked for it.
    pub run: Option<String>,
    pub evidence: Evidence,
    /// Unix milliseconds.
    pub at: i64,
}

pub fn insert(
    db: &Connection,
    job: JobId,
    session: &SessionId,
    run: Option<RunId>,
    evidence: &Evidence,
) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT OR REPLACE INTO verifications (job_id, session_id, run_id, evidence, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![
        job.to_string(),
        session.0,
        run.map(|run| run.to_string()),
        to_json(evidence)?,
        now()
    ])?;
    Ok(())
}

/// What a job measured, and for which session.
pub fn of_job(db: &Connection, job: JobId) -> rusqlite::Result<Option<(SessionId, Evidence)>> {
    db.prepare_cached("SELECT session_id, evidence FROM verifications WHERE job_id = ?1")?
        .query_row([job.to_string()], |row| {
            Ok((
                SessionId(row.get(0)?),
                from_json(1, &row.get::<_, String>(1)?)?,
            ))
        })
        .optional()
}

/// Whether it is the newest measurement of its session, with no run begun since.
pub fn is_newest(db: &Connection, job: JobId) -> rusqlite::Result<bool> {
    db.prepare_cached(
        "SELECT 1 FROM verifications v WHERE v.job_id = ?1
           AND NOT EXISTS (SELECT 1 FROM verifications n
                           WHERE n.session_id = v.session_id AND n.created_at > v.created_at)
           AND NOT EXISTS (SELECT 1 FROM runs r
                           WHERE r.session_id = v.session_id AND r.queued_at > v.created_at)",
    )?
    .exists([job.to_string()])
}

/// The newest measurements of a session, the newest first.
pub fn of_session(
    db: &Connection,
    session: &SessionId,
    most: u32,
) -> rusqlite::Result<Vec<Verification>> {
    db.prepare_cached(
        "SELECT run_id, evidence, created_at FROM verifications
         WHERE session_id = ?1 ORDER BY created_at DESC, rowid DESC LIMIT ?2",
    )?
    .query_map(params![session.0, most], |row| {
        Ok(Verification {
            run: row.get(0)?,
            evidence: from_json(1, &row.get::<_, String>(1)?)?,
            at: row.get(2)?,
        })
    })?
    .collect()
}
