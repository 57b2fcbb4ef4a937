//! Measurements, kept as long as their session.

use rusqlite::{Connection, OptionalExtension, params};

use super::{from_json, now, to_json};
use crate::domain::evidence::Evidence;
use crate::domain::id::{JobId, RunId, SessionId};

/// A stored measurement.
#[derive(Clone, Debug, PartialEq)]
pub struct Verification {
    /// The run that it is about; `None` if nothing had run.
    pub run: Option<String>,
    /// Somebody asked for it.
    pub by_hand: bool,
    pub evidence: Evidence,
    /// Unix milliseconds.
    pub at: i64,
}

pub fn insert(
    db: &Connection,
    job: JobId,
    session: &SessionId,
    run: Option<RunId>,
    by_hand: bool,
    evidence: &Evidence,
) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT OR REPLACE INTO verifications (job_id, session_id, run_id, by_hand, evidence, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        job.to_string(),
        session.0,
        run.map(|run| run.to_string()),
        by_hand,
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

/// The newest measurement of a run.
pub fn of_run(db: &Connection, run: RunId) -> rusqlite::Result<Option<Evidence>> {
    db.prepare_cached(
        "SELECT evidence FROM verifications WHERE run_id = ?1 ORDER BY rowid DESC LIMIT 1",
    )?
    .query_row([run.to_string()], |row| {
        from_json(0, &row.get::<_, String>(0)?)
    })
    .optional()
}

/// Whether the job's measurement is its session's newest, of the newest run, and that run is not undone.
pub fn is_newest(db: &Connection, job: JobId) -> rusqlite::Result<bool> {
    db.prepare_cached(
        "SELECT 1 FROM verifications v LEFT JOIN runs m ON m.id = v.run_id
         WHERE v.job_id = ?1 AND coalesce(m.undone, 0) = 0
           AND NOT EXISTS (SELECT 1 FROM verifications n
                           WHERE n.session_id = v.session_id AND n.rowid > v.rowid)
           AND NOT EXISTS (SELECT 1 FROM runs r
                           WHERE r.session_id = v.session_id AND r.seq > coalesce(m.seq, 0))",
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
        "SELECT run_id, by_hand, evidence, created_at FROM verifications
         WHERE session_id = ?1 ORDER BY rowid DESC LIMIT ?2",
    )?
    .query_map(params![session.0, most], |row| {
        Ok(Verification {
            run: row.get(0)?,
            by_hand: row.get(1)?,
            evidence: from_json(2, &row.get::<_, String>(2)?)?,
            at: row.get(3)?,
        })
    })?
    .collect()
}
