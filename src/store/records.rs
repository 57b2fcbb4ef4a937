//! Records of runs: in which process a run takes place, and which part of the process's record is about it.

use rusqlite::{Connection, params};
use uuid::Uuid;

use super::now;
use super::runs::{insert, run_id};
use crate::domain::id::{JobId, RunId};
use crate::domain::process::Process;

/// Whether there is such a run, or a claude that it began.
pub fn is_known(db: &Connection, id: Uuid) -> rusqlite::Result<bool> {
    db.prepare_cached(
        "SELECT 1 WHERE EXISTS (SELECT 1 FROM runs WHERE id = ?1)
                     OR EXISTS (SELECT 1 FROM processes WHERE id = ?1)",
    )?
    .exists([id.to_string()])
}

/// Whether a run's record may be deleted: the run has ended, and `/logs` shows a newer one of its chat.
pub fn may_go(db: &Connection, id: RunId) -> rusqlite::Result<bool> {
    db.prepare_cached(
        "SELECT 1 WHERE NOT EXISTS (
             SELECT 1 FROM runs r WHERE (r.id = ?1 OR r.process_id = ?1)
               AND NOT (r.state = 'ended' AND EXISTS (
                   SELECT 1 FROM runs n
                   WHERE n.chat_id = r.chat_id AND n.thread_id = r.thread_id AND n.seq > r.seq
                     AND n.started_at IS NOT NULL)))
           AND EXISTS (SELECT 1 FROM runs WHERE id = ?1)
           AND NOT EXISTS (SELECT 1 FROM processes WHERE id = ?1)",
    )?
    .exists([id.to_string()])
}

/// Notes where the run's events end in the record of its process.
pub fn set_events_to(db: &Connection, id: RunId, read_to: u64) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE runs SET events_to = ?2 WHERE id = ?1")?
        .execute(params![id.to_string(), read_to])?;
    Ok(())
}

/// Notes the job that sends the run's files.
pub fn set_files_job(db: &Connection, id: RunId, job: JobId) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE runs SET files_job = ?2 WHERE id = ?1")?
        .execute(params![id.to_string(), job.to_string()])?;
    Ok(())
}

/// The job that sent the run's files, if there were any.
pub fn files_job(db: &Connection, id: RunId) -> rusqlite::Result<Option<JobId>> {
    let job: Option<String> = db
        .prepare_cached("SELECT files_job FROM runs WHERE id = ?1")?
        .query_row([id.to_string()], |row| row.get(0))?;
    Ok(job.and_then(|job| Uuid::parse_str(&job).ok()).map(JobId))
}

/// The run takes place in a claude that lives.
pub fn go_on_in(db: &Connection, id: RunId, process: &Process) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE runs SET process_id = ?2, events_from = ?3, acted_offset = ?3, cost_before = ?4
         WHERE id = ?1",
    )?
    .execute(params![
        id.to_string(),
        process.id.to_string(),
        process.read_to,
        process.cost_usd
    ])?;
    Ok(())
}

/// A run that claude begins by itself, without a prompt.
pub fn insert_begun(db: &Connection, id: RunId, process: &Process) -> rusqlite::Result<()> {
    insert(db, id, &process.session, process.at)?;
    db.prepare_cached("UPDATE runs SET state = 'running', started_at = ?2 WHERE id = ?1")?
        .execute(params![id.to_string(), now()])?;
    go_on_in(db, id, process)
}

/// Where the record of a run is.
#[derive(Clone, Copy, Debug)]
pub struct Record {
    /// The run whose folder has it.
    pub process: RunId,
    from: u64,
    to: Option<u64>,
}

impl Record {
    /// The byte behind the events of earlier runs.
    pub fn begins_at(&self) -> u64 {
        self.from
    }

    /// The byte behind its last event; `None` while it goes on.
    pub fn ends_at(&self) -> Option<u64> {
        self.to
    }

    /// Whether nothing about the run comes any more.
    pub fn is_over(&self) -> bool {
        self.to.is_some()
    }

    /// Whether a line that ends at this byte is about the run.
    pub fn has(&self, end: u64) -> bool {
        end > self.from && self.to.is_none_or(|to| end <= to)
    }
}

pub fn of_run(db: &Connection, id: RunId) -> rusqlite::Result<Record> {
    db.prepare_cached(
        "SELECT coalesce(process_id, id), events_from, events_to FROM runs WHERE id = ?1",
    )?
    .query_row([id.to_string()], |row| {
        Ok(Record {
            process: run_id(0, &row.get::<_, String>(0)?)?,
            from: row.get(1)?,
            to: row.get(2)?,
        })
    })
}

/// The runs that took place in the process that this run began, itself among them.
pub fn in_process(db: &Connection, id: RunId) -> rusqlite::Result<Vec<RunId>> {
    db.prepare_cached("SELECT id FROM runs WHERE id = ?1 OR process_id = ?1 ORDER BY seq")?
        .query_map([id.to_string()], |row| {
            row.get(0).and_then(|id: String| run_id(0, &id))
        })?
        .collect()
}
