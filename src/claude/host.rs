//! The bot's side of a run: start its keeper, read along, ask it to stop, let claude go.
//!
//! Holds nothing that a restart of the bot would lose: everything is in the run's folder.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Stdio;

use fail::fail_point;
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use uuid::Uuid;

use super::argv::Launched;
use super::control;
use super::folder::{Exit, Kept, RunFolder, Spec, private_append};
use super::stream;
use super::tail::{Line, Tail};
use crate::domain::event::Event;

/// Says to the keeper that a line was left for claude. One that a process ignores which does not know it: keepers of
/// an earlier telecoder may be at work.
pub const LINE_LEFT: Signal = Signal::URG;

/// How a run ended, as far as can be known.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    Exited(Exit),
    /// The keeper is gone without a word.
    Lost,
    /// No keeper has begun, and none will.
    NotBegun,
}

/// Writes the run's folder and starts a keeper for it.
///
/// Safe to repeat: of two keepers for one run the second leaves at once. Errors are the file system's, or
/// that no process could be started. The keeper is not ended when the returned handle is dropped; it is to
/// be awaited all the same, or it stays a zombie until the bot exits.
pub fn launch(
    folder: &RunFolder,
    spec: &Spec,
    environment: &BTreeMap<OsString, OsString>,
) -> io::Result<tokio::process::Child> {
    folder.create(spec)?;
    let stderr = private_append(&folder.stderr())?;
    // The running binary itself, also when the file was replaced by an upgrade meanwhile.
    tokio::process::Command::new("/proc/self/exe")
        .arg0("telecoder")
        .arg("keep")
        .arg(folder.path())
        .env_clear()
        .envs(environment)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::from(stderr))
        .kill_on_drop(false)
        .spawn()
}

/// Reads a run's events from its folder.
pub struct Host {
    folder: RunFolder,
    tail: Tail,
}

impl Host {
    pub fn open(folder: RunFolder) -> io::Result<Host> {
        let tail = Tail::open(&folder.events())?;
        Ok(Host { folder, tail })
    }

    /// As [`Host::open`], from the first whole line of the last `limit` bytes; what is before it is left out.
    pub fn open_near_end(folder: RunFolder, limit: u64) -> io::Result<Host> {
        let tail = Tail::open_near_end(&folder.events(), limit)?;
        Ok(Host { folder, tail })
    }

    /// The next events, each with the byte behind its line; at most those of one chunk, so that the caller
    /// can do other things in between. The flag says whether there may be more at once.
    pub fn events(&mut self) -> io::Result<(Vec<(u64, Event)>, bool)> {
        let mut events = Vec::new();
        let more = self.tail.read(|end, line| match line {
            Line::Text(line) => {
                let read = catch_unwind(AssertUnwindSafe(|| {
                    fail_point!("stream");
                    stream::events(line, &mut |event| events.push((end, event)));
                }));
                if read.is_err() {
                    events.push((end, Event::Garbage));
                }
            }
            Line::TooLong => events.push((end, Event::Garbage)),
        })?;
        Ok((events, more))
    }

    /// How the run ended; `None` while it goes on, or before it began.
    pub fn end(&self) -> io::Result<Option<End>> {
        // The lock first: a keeper that ends between the two looks has left its word.
        let kept = self.folder.kept()?;
        if let Some(exit) = self.folder.read_exit() {
            return Ok(Some(End::Exited(exit)));
        }
        Ok((kept == Kept::Gone).then_some(End::Lost))
    }

    /// The process id of the keeper, where one is at work.
    pub fn keeper(&self) -> io::Result<Option<i32>> {
        Ok(match self.folder.kept()? {
            Kept::Alive(keeper) => Some(keeper),
            Kept::NotYet | Kept::Gone => None,
        })
    }

    /// Asks the keeper to stop the run. Returns false when no keeper is there.
    pub fn ask_to_stop(&self) -> io::Result<bool> {
        self.signal_keeper(Signal::TERM)
    }

    /// Passes a line on to claude, once for each `key`, behind those that were passed on before. Without an effect
    /// when claude is gone, or does not read any more.
    ///
    /// The line is in a file when this returns, and the keeper writes it, so that claude never gets half of one, whatever
    /// happens to the bot. (A crash of the machine may lose the file; claude is gone then, too.) Returns false where one with this key was passed on before. `key` is letters, digits and
    /// `-`.
    pub fn pass_on(&self, key: &str, line: &str) -> io::Result<bool> {
        let is_new = self.folder.leave_line(key, line)?;
        self.signal_keeper(LINE_LEFT)?;
        Ok(is_new)
    }

    /// The keys that were passed on and begin so, oldest first; without that beginning.
    pub fn passed_on(&self, beginning: &str) -> io::Result<Vec<String>> {
        self.folder.keys_left(beginning)
    }

    /// What claude was started with.
    pub fn launched(&self) -> io::Result<Launched> {
        Ok(Launched::with(&self.folder.read_spec()?.arguments))
    }

    fn signal_keeper(&self, signal: Signal) -> io::Result<bool> {
        let Kept::Alive(keeper) = self.folder.kept()? else {
            return Ok(false);
        };
        let Some(pid) = Pid::from_raw(keeper) else {
            return Ok(false);
        };
        let Ok(keeper) = pidfd_open(pid, PidfdFlags::empty()) else {
            return Ok(false);
        };
        // Still held: the process behind the descriptor is the keeper, not a later one with its number.
        if !matches!(self.folder.kept()?, Kept::Alive(_)) {
            return Ok(false);
        }
        match pidfd_send_signal(keeper, signal) {
            Ok(()) => Ok(true),
            Err(Errno::SRCH) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Gives a run up whose keeper has not begun, so that none can begin any more. Returns false when one has.
    pub fn give_up(&self) -> io::Result<bool> {
        Ok(self.folder.begin()?.is_some())
    }

    /// Whether a keeper has begun.
    pub fn has_begun(&self) -> io::Result<bool> {
        Ok(self.folder.kept()? != Kept::NotYet)
    }

    /// Lets an idle claude exit. No effect on one that is gone, or that does not read; it is stopped later.
    pub fn end_session(&self) -> io::Result<()> {
        self.pass_on(&format!("end-{}", Uuid::new_v4()), &control::end_session())?;
        Ok(())
    }

    /// The end of what claude wrote to its stderr.
    pub fn stderr_end(&self) -> String {
        self.folder.stderr_end(600)
    }
}
