//! The bot's side of a run: starts its keeper, reads its events, asks the keeper to stop it, lets claude exit.
//!
//! A restart of the bot loses nothing: all state is in the run's folder.

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
use crate::redact::Redactor;
use crate::redact::streamed::Streamed;

/// Tells the keeper that a line was left for claude. A process without a handler ignores this signal: keepers of an
/// earlier telecoder may still be running.
pub const LINE_LEFT: Signal = Signal::URG;

/// How a run ended, as far as can be known.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    Exited(Exit),
    /// The keeper is gone and has not recorded an end.
    Lost,
    /// No keeper has begun, and none will.
    NotBegun,
}

/// Writes the run's folder and starts a keeper for it.
///
/// Safe to repeat: the second of two keepers for one run exits immediately. Errors are the file system's, or
/// that no process could be started. Dropping the returned handle does not end the keeper; await it all the
/// same, or the keeper stays a zombie until the bot exits.
pub fn launch(
    folder: &RunFolder,
    spec: &Spec,
    settings: &str,
    environment: &BTreeMap<OsString, OsString>,
) -> io::Result<tokio::process::Child> {
    folder.create(spec, settings)?;
    let stderr = private_append(&folder.stderr())?;
    // The running binary itself, even if an upgrade has replaced the file.
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

/// Words come in pieces, in each of which no secret is recognised; other texts come whole.
fn without_secrets(event: Event, words: &mut Streamed) -> Event {
    match event {
        Event::Words(piece) => Event::Words(words.take(&piece, Redactor::of_this_process())),
        event => {
            if matches!(
                event,
                Event::Text(_) | Event::TurnStarted { .. } | Event::TurnEnded(_)
            ) {
                words.begin();
            }
            event
        }
    }
}

/// Reads a run's events from its folder.
pub struct Host {
    folder: RunFolder,
    tail: Tail,
    words: Streamed,
}

impl Host {
    pub fn open(folder: RunFolder) -> io::Result<Host> {
        let tail = Tail::open(&folder.events())?;
        Ok(Host::of(folder, tail))
    }

    /// As [`Host::open`], for the last `limit` bytes; the line that is cut there is left out.
    pub fn open_near_end(folder: RunFolder, limit: u64) -> io::Result<Host> {
        let tail = Tail::open_near_end(&folder.events(), limit)?;
        Ok(Host::of(folder, tail))
    }

    fn of(folder: RunFolder, tail: Tail) -> Host {
        Host {
            folder,
            tail,
            words: Streamed::default(),
        }
    }

    /// The next events, each with the offset after its line; at most those of one chunk, so that the caller
    /// can do other things in between. The flag says whether there may be more already.
    pub fn events(&mut self) -> io::Result<(Vec<(u64, Event)>, bool)> {
        let mut events = Vec::new();
        let words = &mut self.words;
        let more = self.tail.read(|end, line| match line {
            Line::Text(line) => {
                let read = catch_unwind(AssertUnwindSafe(|| {
                    fail_point!("stream");
                    stream::events(line, &mut |event| {
                        events.push((end, without_secrets(event, words)))
                    });
                }));
                if read.is_err() {
                    events.push((end, Event::Garbage));
                }
            }
            Line::Overlong {
                beginning,
                end: last,
            } => stream::overlong(beginning, last, &mut |event| events.push((end, event))),
        })?;
        Ok((events, more))
    }

    /// How the run ended; `None` if it is running, or has not begun.
    pub fn end(&self) -> io::Result<Option<End>> {
        // The lock first: a keeper that ends between the two looks has written `exit.json`.
        let kept = self.folder.kept()?;
        if let Some(exit) = self.folder.read_exit() {
            return Ok(Some(End::Exited(exit)));
        }
        Ok((kept == Kept::Gone).then_some(End::Lost))
    }

    /// The process id of the keeper, if one is running.
    pub fn keeper(&self) -> io::Result<Option<i32>> {
        Ok(match self.folder.kept()? {
            Kept::Alive(keeper) => Some(keeper),
            Kept::NotYet | Kept::Gone => None,
        })
    }

    /// Asks the keeper to stop the run. Returns false if there is no keeper.
    pub fn ask_to_stop(&self) -> io::Result<bool> {
        self.signal_keeper(Signal::TERM)
    }

    /// Passes a line on to claude, once for each `key`, after all earlier lines. No effect if claude is gone, or no
    /// longer reads.
    ///
    /// When this returns, the line is in a file. The keeper writes it from there, so claude never gets half a line,
    /// whatever happens to the bot. (A crash of the machine may lose the file, but ends claude too.) Returns false if a
    /// line with this key was passed on before. `key` consists of letters, digits and `-`.
    pub fn pass_on(&self, key: &str, line: &str) -> io::Result<bool> {
        let is_new = self.folder.leave_line(key, line)?;
        self.signal_keeper(LINE_LEFT)?;
        Ok(is_new)
    }

    /// The keys that begin with `beginning`, without it, of the lines that were passed on, oldest first.
    pub fn passed_on(&self, beginning: &str) -> io::Result<Vec<String>> {
        self.folder.keys_left(beginning)
    }

    /// What claude was started with.
    pub fn launched(&self) -> io::Result<Launched> {
        Ok(Launched::with(&self.folder.read_spec()?.arguments))
    }

    /// The arguments that claude was started with.
    pub fn arguments(&self) -> io::Result<Vec<String>> {
        Ok(self.folder.read_spec()?.arguments)
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
        // The lock is still held: the descriptor is the keeper's, not that of a later process with its id.
        if !matches!(self.folder.kept()?, Kept::Alive(_)) {
            return Ok(false);
        }
        match pidfd_send_signal(keeper, signal) {
            Ok(()) => Ok(true),
            Err(Errno::SRCH) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Makes it impossible for a keeper to begin the run. Returns false if one has begun it.
    pub fn give_up(&self) -> io::Result<bool> {
        Ok(self.folder.begin()?.is_some())
    }

    /// Whether a keeper has begun.
    pub fn has_begun(&self) -> io::Result<bool> {
        Ok(self.folder.kept()? != Kept::NotYet)
    }

    /// Tells an idle claude to exit. No effect on one that is gone, or does not read: that one is stopped later.
    pub fn end_session(&self) -> io::Result<()> {
        self.pass_on(&format!("end-{}", Uuid::new_v4()), &control::end_session())?;
        Ok(())
    }

    /// The end of what claude and the keeper wrote to stderr.
    pub fn stderr_end(&self) -> String {
        self.folder.stderr_end(600)
    }
}
