//! Follows a run from another process: reads its events as they are recorded.

use std::io;
use std::path::Path;

use crate::claude::folder::RunFolder;
use crate::claude::host::Host;
use crate::domain::event::Event;
use crate::domain::id::RunId;

/// Enough for the last lines of any run; in bytes.
const READ_AT_MOST: u64 = 8 * 1024 * 1024;

/// A run that may not have begun.
pub(super) struct Follower {
    folder: RunFolder,
    host: Option<Host>,
}

impl Follower {
    pub fn new(runs: &Path, run: RunId) -> Follower {
        Follower {
            folder: RunFolder::new(runs.join(run.to_string())),
            host: None,
        }
    }

    /// Whether the run has a record.
    pub fn is_there(&self) -> bool {
        self.folder.events().exists()
    }

    /// The events since the last call; the first call returns the newest ones so far.
    pub fn new_events(&mut self) -> io::Result<Vec<Event>> {
        if self.host.is_none() {
            match Host::open_near_end(self.folder.clone(), READ_AT_MOST) {
                Ok(host) => self.host = Some(host),
                // It has not begun, or its record is gone.
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
                Err(error) => return Err(error),
            }
        }
        let mut found = Vec::new();
        while let Some(host) = &mut self.host {
            let (events, more) = host.events()?;
            found.extend(events.into_iter().map(|(_, event)| event));
            if !more {
                break;
            }
        }
        Ok(found)
    }
}
