//! The data folder: what is in it, and the lock that keeps a second bot out.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tracing::warn;

use super::ServeError;

/// A bot that was just killed may have forked a child, which has the lock until it executes its program.
const LOCK_PATIENCE: Duration = Duration::from_millis(500);
/// The database's name in the data folder.
pub const DATABASE: &str = "telecoder.db";

/// The data folder, locked against a second bot while this value lives.
pub struct DataFolder {
    path: PathBuf,
    _lock: File,
}

impl DataFolder {
    /// Makes the folder if it is missing and takes its lock.
    pub fn take(path: &Path) -> Result<DataFolder, ServeError> {
        let unusable = |reason| ServeError::Data {
            folder: path.to_owned(),
            reason,
        };
        let within = [
            "runs",
            "workspaces",
            "mirrors",
            "checks",
            "scratch",
            "snapshots",
            "bell",
            "attached",
            "files",
        ];
        let folders = within.map(|name| path.join(name));
        for folder in std::iter::once(path.to_owned()).chain(folders) {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)
                .map_err(unusable)?;
        }
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path.join("telecoder.lock"))
            .map_err(unusable)?;
        let deadline = Instant::now() + LOCK_PATIENCE;
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                Err(TryLockError::WouldBlock) => {
                    let mut by = String::new();
                    let _ = lock.read_to_string(&mut by);
                    return Err(ServeError::InUse {
                        folder: path.to_owned(),
                        by: by.trim().to_owned(),
                    });
                }
                Err(TryLockError::Error(reason)) => return Err(unusable(reason)),
            }
        }
        // The process id is for people to read; on a full disk the bot starts without it.
        if let Err(error) = lock
            .set_len(0)
            .and_then(|()| writeln!(lock, "{}", std::process::id()))
        {
            warn!(%error, "the process id could not be written into the data folder's lock");
        }
        Ok(DataFolder {
            path: path.to_owned(),
            _lock: lock,
        })
    }

    /// Whether a bot is running in the folder.
    pub fn is_in_use(path: &Path) -> bool {
        File::open(path.join("telecoder.lock"))
            .is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    /// The process of the bot running in the folder, if any; 0 if the lock does not say which.
    pub fn in_use_by(path: &Path) -> Option<u32> {
        DataFolder::is_in_use(path).then(|| {
            std::fs::read_to_string(path.join("telecoder.lock"))
                .ok()
                .and_then(|by| by.trim().parse().ok())
                .unwrap_or(0)
        })
    }

    pub(super) fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }

    pub(super) fn runs(&self) -> PathBuf {
        self.path.join("runs")
    }

    /// The output of checks, a folder for each job.
    pub(super) fn checks(&self) -> PathBuf {
        self.path.join("checks")
    }

    /// The objects that clones borrow. Workspaces need them for as long as they are there.
    pub(super) fn mirrors(&self) -> PathBuf {
        self.path.join("mirrors")
    }

    /// Files that are made again if missing.
    pub(super) fn scratch(&self) -> PathBuf {
        self.path.join("scratch")
    }

    /// What workspaces were before their runs.
    pub(super) fn snapshots(&self) -> PathBuf {
        self.path.join("snapshots")
    }

    pub(super) fn workspaces(&self) -> PathBuf {
        self.path.join("workspaces")
    }
}
