//! How much waits and runs now, read across the tables in one query.

use std::time::Duration;

use rusqlite::Connection;

use super::now;
use super::outbox::OPEN;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub runs_running: u64,
    pub runs_queued: u64,
    pub jobs_open: u64,
    pub updates_waiting: u64,
    /// How long the oldest update has waited for its effect; zero if none does.
    pub updates_oldest_waiting: Duration,
    pub outbox_due: u64,
    pub outbox_parked: u64,
    /// How long the oldest message has been due; zero if none is.
    pub outbox_oldest_due: Duration,
}

pub fn read(db: &Connection) -> rusqlite::Result<Counts> {
    db.prepare_cached(&format!(
        "SELECT (SELECT count(*) FROM runs WHERE state = 'running'),
                (SELECT count(*) FROM runs WHERE state = 'queued'),
                (SELECT count(*) FROM jobs WHERE state = 'due'),
                (SELECT count(*) FROM updates WHERE state = 'stored'),
                (SELECT count(*) FROM outbox WHERE {OPEN}),
                (SELECT count(*) FROM outbox WHERE state = 'parked'),
                (SELECT min(created_at) FROM outbox WHERE {OPEN}),
                (SELECT received_at FROM updates WHERE state = 'stored' ORDER BY seq LIMIT 1)"
    ))?
    .query_row([], |row| {
        let age = |column: usize| -> rusqlite::Result<Duration> {
            let since: Option<i64> = row.get(column)?;
            let age = since.map_or(0, |at| u64::try_from(now() - at).unwrap_or(0));
            Ok(Duration::from_millis(age))
        };
        Ok(Counts {
            runs_running: row.get(0)?,
            runs_queued: row.get(1)?,
            jobs_open: row.get(2)?,
            updates_waiting: row.get(3)?,
            outbox_due: row.get(4)?,
            outbox_parked: row.get(5)?,
            outbox_oldest_due: age(6)?,
            updates_oldest_waiting: age(7)?,
        })
    })
}
