//! A session at a terminal: the lock that says so, for as long as claude lives there.
//!
//! ```text
//! attached/<session>         the lock                         (whoever attaches; claude inherits it)
//! attached/<session>.jsonl   what claude was asked meanwhile  (claude's hooks)
//! ```
//!
//! That the session is at a terminal is a mark in the store, written while the lock is held. A mark without the lock is
//! what a terminal leaves that was killed.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::io::{FdFlags, fcntl_setfd};

use crate::domain::id::SessionId;

/// Held until it is released, or until this process and every one that it has started meanwhile have ended.
pub struct Attached {
    lock: File,
}

impl Attached {
    /// `None` when somebody else has the session.
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

    /// A process that is started from now on holds it, too: when this one is killed, claude may live on. What claude
    /// starts does not get it (seen on 2.1.197).
    pub fn pass_on(&self) -> io::Result<()> {
        Ok(fcntl_setfd(&self.lock, FdFlags::empty())?)
    }

    /// Lets go of it, whoever has inherited it: what claude has left running holds up nobody.
    pub fn release(self) {
        // It ends with the last of them at the latest.
        let _ = self.lock.unlock();
    }
}

/// What was asked before is forgotten.
pub fn begin_record(data: &Path, session: &SessionId) -> io::Result<()> {
    match std::fs::remove_file(record(data, session)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Where claude's hooks write down what it is asked.
pub fn record(data: &Path, session: &SessionId) -> PathBuf {
    path(data, session).with_extension("jsonl")
}

/// Takes away what is left of a session that is no more.
pub fn forget(data: &Path, session: &SessionId) {
    for file in [path(data, session), record(data, session)] {
        // Most sessions were never at a terminal.
        let _ = std::fs::remove_file(file);
    }
}

fn path(data: &Path, session: &SessionId) -> PathBuf {
    data.join("attached").join(&session.0)
}
