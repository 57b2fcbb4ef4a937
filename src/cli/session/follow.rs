//! Follows a run from another process: reads its events as they are recorded.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::claude::folder::RunFolder;
use crate::claude::host::Host;
use crate::domain::event::Event;
use crate::domain::id::RunId;
use crate::store::records::{self, Record};

/// Enough for the last lines of any run; in bytes.
const READ_AT_MOST: u64 = 8 * 1024 * 1024;

/// A run that may not have begun.
pub(super) struct Follower {
    runs: PathBuf,
    run: RunId,
    host: Option<Host>,
}

impl Follower {
    pub fn new(runs: &Path, run: RunId) -> Follower {
        Follower {
            runs: runs.to_owned(),
            run,
            host: None,
        }
    }

    /// Whether the run has a record.
    pub fn is_there(&self, db: &Connection) -> rusqlite::Result<bool> {
        let record = records::of_run(db, self.run)?;
        Ok(self.folder(&record).events().exists())
    }

    fn folder(&self, record: &Record) -> RunFolder {
        RunFolder::new(self.runs.join(record.process.to_string()))
    }

    /// The events since the last call; the first call returns the newest ones so far.
    pub fn new_events(&mut self, db: &Connection) -> anyhow::Result<Vec<Event>> {
        let record = records::of_run(db, self.run)?;
        if self.host.is_none() {
            match Host::open_near_end(self.folder(&record), READ_AT_MOST) {
                Ok(host) => self.host = Some(host),
                // It has not begun, or its record is gone.
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
                Err(error) => return Err(error.into()),
            }
        }
        let mut found = Vec::new();
        while let Some(host) = &mut self.host {
            let (events, more) = host.events()?;
            let own = events.into_iter().filter(|(end, _)| record.has(*end));
            found.extend(own.map(|(_, event)| event));
            if !more {
                break;
            }
        }
        Ok(found)
    }
}
