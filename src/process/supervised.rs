//! The bot's handle on a program below a supervisor: its output as it comes, and how it ended.
//!
//! Dropping the handle ends the program and everything it started; the supervisor sees to it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use futures::StreamExt;
use tokio::io::AsyncWriteExt;
use tokio::process::{ChildStdin, Command};
use tokio_process_stream::{Item, ProcessChunkStream};

use super::RUN_MARKER;
use super::sweep::{self, Seen};
use crate::domain::id::RunId;
use crate::process::supervisor::{Place, Report};

/// How long the rest in the pipes is read after the supervisor is gone. Only a process stuck in the kernel can still
/// have them open.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// How long a supervisor may take to end its program.
const SUPERVISOR_PATIENCE: Duration = Duration::from_secs(8);
/// How often to look whether the supervisor is gone while nothing is written.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Ends all processes with a marker after their supervisor was killed. Returns how many there were.
pub async fn end_marked(marker: RunId) -> usize {
    let sweep = move || sweep::end_left_behind(marker, &Seen::default());
    let swept = tokio::task::spawn_blocking(sweep).await;
    swept.ok().and_then(Result::ok).unwrap_or(0)
}

/// What is to be run.
pub struct Program<'a> {
    /// The program first.
    pub arguments: Vec<OsString>,
    pub folder: &'a Path,
    /// Its whole environment.
    pub environment: &'a BTreeMap<OsString, OsString>,
    /// Marks every process of it, in case the supervisor is killed.
    pub marker: RunId,
    /// Where the supervisor leaves its report: an unused path.
    pub report: PathBuf,
}

/// A program that runs.
pub struct Supervised {
    output: ProcessChunkStream,
    /// The supervisor ends everything when this is closed.
    lifeline: Option<ChildStdin>,
    report: PathBuf,
}

/// Something that the program wrote.
#[derive(Debug)]
pub enum Piece {
    Stdout(Vec<u8>),
    Stderr(Vec<u8>),
}

impl Supervised {
    /// Starts a supervisor and the program below it. Errors are those of the folder, or of starting a process.
    pub fn start(program: Program<'_>) -> io::Result<Supervised> {
        Supervised::start_in(Place::Pipes, program)
    }

    /// The same in a terminal: see [`Place::Terminal`].
    pub fn start_in_terminal(program: Program<'_>) -> io::Result<Supervised> {
        Supervised::start_in(Place::Terminal, program)
    }

    /// The same in a session of its own: see [`Place::Alone`].
    pub fn start_alone(program: Program<'_>) -> io::Result<Supervised> {
        Supervised::start_in(Place::Alone, program)
    }

    fn start_in(place: Place, program: Program<'_>) -> io::Result<Supervised> {
        let mut command = Command::new("/proc/self/exe");
        if place != Place::Alone {
            // Signals to the bot's group do not reach it. Who leads a group cannot begin a session.
            command.process_group(0);
        }
        let mut child = command
            .arg0("telecoder")
            .arg(place.subcommand())
            .arg(&program.report)
            .args(&program.arguments)
            .env_clear()
            .envs(program.environment)
            .env(RUN_MARKER, program.marker.to_string())
            .current_dir(program.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let lifeline = child.stdin.take();
        Ok(Supervised {
            output: ProcessChunkStream::from(child),
            lifeline,
            report: program.report,
        })
    }

    /// The next piece of output, in the order of writing on each of the two; `None` at the end.
    pub async fn next(&mut self) -> Option<Piece> {
        let item = loop {
            let patience = if self.supervisor_is_gone() {
                LAST_WORDS
            } else {
                LOOK_AGAIN
            };
            match tokio::time::timeout(patience, self.output.next()).await {
                Ok(item) => break item,
                Err(_) if patience == LAST_WORDS => break None,
                Err(_) => {}
            }
        };
        match item {
            Some(Item::Stdout(chunk)) => Some(Piece::Stdout(chunk.to_vec())),
            Some(Item::Stderr(chunk)) => Some(Piece::Stderr(chunk.to_vec())),
            Some(Item::Done(_)) | None => None,
        }
    }

    /// Types something into the terminal that the program is in.
    pub async fn types(&mut self, keys: &[u8]) -> io::Result<()> {
        match &mut self.lifeline {
            Some(keyboard) => keyboard.write_all(keys).await,
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn supervisor_is_gone(&mut self) -> bool {
        self.output
            .child_mut()
            .is_none_or(|supervisor| matches!(supervisor.try_wait(), Ok(Some(_)) | Err(_)))
    }

    /// Ends the program and everything it started; its last output still comes.
    pub fn end(&mut self) {
        self.lifeline = None;
    }

    /// Ends it as [`Supervised::end`] does, and waits for the end of its output; a supervisor that hangs is killed.
    pub async fn end_for_good(&mut self) {
        self.end();
        let rest = async { while self.next().await.is_some() {} };
        if tokio::time::timeout(SUPERVISOR_PATIENCE, rest)
            .await
            .is_err()
        {
            self.kill();
        }
    }

    /// Kills a supervisor that does not obey; its processes must then be found by the marker.
    pub fn kill(&mut self) {
        if let Some(supervisor) = self.output.child_mut() {
            let _ = supervisor.start_kill();
        }
    }

    /// How it ended; call it after the last piece. `None` if the supervisor was killed: then nobody knows how, and
    /// processes may be left.
    pub fn into_report(self) -> Option<Report> {
        let bytes = fs::read(&self.report).ok()?;
        let _ = fs::remove_file(&self.report);
        serde_json::from_slice(&bytes).ok()
    }
}
