//! What was measured after runs, kept for good.

use rusqlite::{Connection, OptionalExtension, params};

use super::{from_json, now, to_json};
use crate::id::{JobId, RunId, SessionId};
use crate::verify::Evidence;

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
