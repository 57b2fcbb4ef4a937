//! Checks the database from outside the bot: whether it is sound, and what waits for somebody.

use std::cmp::Ordering;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::{migrations, now};
use crate::domain::id::RunId;

/// How long to wait for a locked database.
const PATIENCE: Duration = Duration::from_secs(2);
/// Up to this size the indexes are compared with their tables too.
const WHOLE_LOOK_BYTES: u64 = 32 * 1024 * 1024;
/// Updates set aside earlier do not count.
const RECENT_MS: i64 = 7 * 24 * 60 * 60 * 1000;

/// What is stuck, waiting or running.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Parked messages, and in how many chats.
    pub parked: u64,
    pub parked_chats: u64,
    /// Updates of the last seven days that failed three times.
    pub set_aside: u64,
    /// Runs of late prompts, which wait for a person.
    pub held: u64,
    /// Unfinished updates, runs, jobs and messages.
    pub open: u64,
    /// Runs that the database calls running.
    pub running: Vec<RunId>,
}

/// Opens the database for reading while others may write it.
pub fn open(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)?;
    db.busy_timeout(PATIENCE)?;
    Ok(db)
}

/// The faults that SQLite finds; empty if none. SQLite: `PRAGMA integrity_check`, `PRAGMA quick_check`.
pub fn faults(db: &Connection, bytes: u64) -> rusqlite::Result<Vec<String>> {
    let look = match bytes <= WHOLE_LOOK_BYTES {
        true => "PRAGMA integrity_check(5)",
        false => "PRAGMA quick_check(5)",
    };
    let mut lines: Vec<String> = db
        .prepare(look)?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    lines.retain(|line| line != "ok");
    Ok(lines)
}

pub fn waiting(db: &Connection) -> rusqlite::Result<Waiting> {
    let count = |query: &str| db.query_row(query, [], |row| row.get::<_, u64>(0));
    let running = db
        .prepare("SELECT id FROM runs WHERE state = 'running'")?
        .query_map([], |row| row.get::<_, String>(0))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(Waiting {
        parked: count("SELECT count(*) FROM outbox WHERE state = 'parked' AND tells_of IS NULL")?,
        parked_chats: count(
            "SELECT count(DISTINCT chat_id) FROM outbox WHERE state = 'parked' AND tells_of IS NULL",
        )?,
        set_aside: db.query_row(
            "SELECT count(*) FROM updates WHERE state = 'set_aside' AND received_at > ?1",
            [now() - RECENT_MS],
            |row| row.get(0),
        )?,
        held: count("SELECT count(*) FROM runs WHERE state = 'queued' AND held = 1")?,
        open: super::open_count(db)?,
        running: running
            .into_iter()
            .filter_map(|id| id.parse().ok().map(RunId))
            .collect(),
    })
}

/// A database's schema, compared with this telecoder's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schema {
    Same,
    Older,
    Newer,
}

pub fn schema(db: &Connection) -> rusqlite::Result<Schema> {
    let at: usize = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    Ok(match at.cmp(&migrations::known()) {
        Ordering::Less => Schema::Older,
        Ordering::Equal => Schema::Same,
        Ordering::Greater => Schema::Newer,
    })
}
