//! A session at a terminal: the lock that says so, for as long as claude lives there.
//!
//! ```text
//! attached/<session>         the lock                         (whoever attaches; claude inherits it)
//! attached/<session>.jsonl   what claude was asked meanwhile  (claude's hooks)
//! ```
//!
//! A mark in the store, written under the lock, says that the session is at a terminal. A killed terminal leaves a mark
//! without a lock.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::io::{FdFlags, fcntl_setfd};

use crate::domain::id::SessionId;

/// The lock lasts until it is released, or until this process and all that inherited it have ended.
pub struct Attached {
    lock: File,
}

impl Attached {
    /// `None` if somebody else has the session.
    pub fn take(data: &Path, session: &SessionId) -> io::Result<Option<Attached>> {
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path(data, session))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        Ok(Some(Attached { lock }))
    }

    /// Processes started from now on inherit the lock: claude may outlive this one. Those that claude starts do not get
    /// it (seen on 2.1.197).
    pub fn pass_on(&self) -> io::Result<()> {
        Ok(fcntl_setfd(&self.lock, FdFlags::empty())?)
    }

    /// Releases the lock, whoever has inherited it: a process left by claude blocks nobody.
    pub fn release(self) {
        // At the latest it ends with the last process.
        let _ = self.lock.unlock();
    }
}

/// Forgets what was asked before.
pub fn begin_record(data: &Path, session: &SessionId) -> io::Result<()> {
    match std::fs::remove_file(record(data, session)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The file that claude's hooks write prompts to.
pub fn record(data: &Path, session: &SessionId) -> PathBuf {
    path(data, session).with_extension("jsonl")
}

/// Removes the files of a deleted session.
pub fn forget(data: &Path, session: &SessionId) {
    for file in [path(data, session), record(data, session)] {
        // Most sessions were never at a terminal.
        let _ = std::fs::remove_file(file);
    }
}

fn path(data: &Path, session: &SessionId) -> PathBuf {
    data.join("attached").join(&session.0)
}
