//! One call of git: its input, its output, and the end of all its processes.
//!
//! A short call has its own process group and ends with the future that waits for it. A long call, as over the network,
//! runs below a supervisor, which ends it even if the bot is gone.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use futures::StreamExt;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open, pidfd_send_signal};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio_process_stream::{Item, ProcessChunkStream};
use uuid::Uuid;

use super::heard::LineBegun;
use super::{Git, GitError, Listener};
use crate::domain::shown::without_password;
use crate::process::supervised::{Piece, Program, Supervised, end_marked};
use crate::process::supervisor::Report;
use crate::redact::short::last_lines;

/// How long a git that is given up may take to clean up.
const LEAVING_TIME: Duration = Duration::from_secs(2);
/// How many bytes of git's stderr are told, from its end.
const WORDS_KEPT: usize = 4_000;
/// How many bytes of git's stdout are kept by default, from its beginning.
const OUTPUT_KEPT: usize = 4 * 1024 * 1024;
/// Variables of the service's environment that point git elsewhere.
const ELSEWHERE: [&str; 11] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
];
/// Transports that only transfer data; `ext::` runs a command.
const TRANSPORTS: &str = "https:http:ssh:git:file";

/// A call under construction.
pub(super) struct Call<'a> {
    git: &'a Git,
    folder: &'a Path,
    arguments: Vec<OsString>,
    variables: Vec<(&'static str, OsString)>,
    input: Vec<u8>,
    most: usize,
}

/// What git wrote.
#[derive(Debug)]
pub(super) struct Output {
    /// On stdout.
    pub bytes: Vec<u8>,
    /// git wrote more than is kept.
    pub is_cut: bool,
    /// The end of its stderr.
    pub words: String,
}

impl Output {
    /// Stdout without final newlines.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes)
            .trim_end_matches('\n')
            .to_owned()
    }
}

impl Git {
    pub(super) fn call<'a, I, A>(&'a self, folder: &'a Path, arguments: I) -> Call<'a>
    where
        I: IntoIterator<Item = A>,
        A: Into<OsString>,
    {
        Call {
            git: self,
            folder,
            arguments: arguments.into_iter().map(Into::into).collect(),
            variables: Vec::new(),
            input: Vec::new(),
            most: OUTPUT_KEPT,
        }
    }

    /// Runs git and returns its stdout without final newlines.
    pub(super) async fn run<I, A>(&self, folder: &Path, arguments: I) -> Result<String, GitError>
    where
        I: IntoIterator<Item = A>,
        A: Into<OsString>,
    {
        let output = self.call(folder, arguments).output().await?;
        Ok(output.text())
    }

    /// The environment of git, its hooks and helpers.
    fn whole_environment(&self) -> BTreeMap<OsString, OsString> {
        let mut environment = self.environment.clone();
        for name in ELSEWHERE {
            environment.remove(OsStr::new(name));
        }
        // Nobody can type a password here. The person's settings for ssh stay.
        environment.insert("GIT_TERMINAL_PROMPT".into(), "0".into());
        if !environment.contains_key(OsStr::new("SSH_ASKPASS")) {
            environment.insert("SSH_ASKPASS".into(), "false".into());
            environment.insert("SSH_ASKPASS_REQUIRE".into(), "force".into());
        }
        // A dead connection ends by itself after a while.
        for (name, value) in [
            ("GIT_HTTP_LOW_SPEED_LIMIT", "1"),
            ("GIT_HTTP_LOW_SPEED_TIME", "300"),
        ] {
            environment
                .entry(name.into())
                .or_insert_with(|| value.into());
        }
        environment.insert("LC_ALL".into(), "C.UTF-8".into());
        // It would beat that.
        environment.remove(OsStr::new("LANGUAGE"));
        environment
    }
}

impl Call<'_> {
    /// Adds an environment variable.
    pub fn with(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    /// Adds paths to its arguments.
    pub fn about<'b>(mut self, paths: impl IntoIterator<Item = &'b OsStr>) -> Self {
        self.arguments
            .extend(paths.into_iter().map(OsStr::to_owned));
        self
    }

    /// Sets git's stdin; only for [`Call::output`].
    pub fn input(mut self, bytes: Vec<u8>) -> Self {
        self.input = bytes;
        self
    }

    /// Sets how many bytes of stdout are kept.
    pub fn keeping(mut self, most: usize) -> Self {
        self.most = most;
        self
    }

    fn environment(&self) -> BTreeMap<OsString, OsString> {
        let mut environment = self.git.whole_environment();
        // If this folder has no repository, git must not use one above it.
        if let Some(above) = self.folder.parent() {
            environment.insert("GIT_CEILING_DIRECTORIES".into(), above.into());
        }
        for (name, value) in &self.variables {
            environment.insert(name.into(), value.clone());
        }
        environment
    }

    pub async fn output(mut self) -> Result<Output, GitError> {
        let input = std::mem::take(&mut self.input);
        let mut command = Command::new("git");
        command
            .args(&self.arguments)
            .current_dir(self.folder)
            .env_clear()
            .envs(self.environment())
            .stdin(match input.is_empty() {
                true => Stdio::null(),
                false => Stdio::piped(),
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        let mut child = command.spawn().map_err(|error| {
            if error.kind() == std::io::ErrorKind::NotFound && self.folder.is_dir() {
                GitError::Missing
            } else {
                GitError::Impossible(format!("git cannot be started: {error}"))
            }
        })?;
        let group = GroupGuard::of(child.id());
        if let Some(mut stdin) = child.stdin.take() {
            tokio::spawn(async move {
                // If git does not read to the end, it says why.
                let _ = stdin.write_all(&input).await;
            });
        }
        let mut output = ProcessChunkStream::from(child);

        let mut written = Written::new(self.most);
        while let Some(item) = output.next().await {
            match item {
                Item::Stdout(chunk) => written.stdout(&chunk),
                Item::Stderr(chunk) => written.stderr(&chunk),
                Item::Done(Ok(status)) if status.success() => break,
                Item::Done(status) => {
                    group.end_what_is_left();
                    return Err(written.refusal(status.ok().and_then(|status| status.code())));
                }
            }
        }
        group.end_what_is_left();
        Ok(written.output())
    }

    /// As [`Call::output`], for a long call. It ends even if the bot is gone, and a moment after the future is dropped.
    pub async fn supervised(self, listener: Listener<'_>) -> Result<Output, GitError> {
        if listener.stop.is_cancelled() {
            return Err(GitError::Stopped);
        }
        let arguments = std::iter::once("git".into()).chain(self.arguments.iter().cloned());
        let environment = self
            .environment()
            .into_iter()
            .chain([("GIT_ALLOW_PROTOCOL".into(), TRANSPORTS.into())])
            .collect();
        let marker = listener.marker.unwrap_or_default();
        let mut program = Supervised::start(Program {
            arguments: arguments.collect(),
            folder: self.folder,
            environment: &environment,
            marker,
            report: self.git.scratch.join(Uuid::new_v4().simple().to_string()),
        })
        .map_err(|error| GitError::Impossible(format!("git cannot be started: {error}")))?;
        let mut written = Written::new(self.most);
        let mut line = LineBegun::default();
        let mut is_stopped = false;
        loop {
            let piece = tokio::select! {
                piece = program.next() => piece,
                () = listener.stop.cancelled(), if !is_stopped => {
                    is_stopped = true;
                    program.end();
                    continue;
                }
            };
            match piece {
                Some(Piece::Stdout(chunk)) => written.stdout(&chunk),
                Some(Piece::Stderr(chunk)) => {
                    written.stderr(&chunk);
                    if let Some(line) = line.take(&chunk) {
                        (listener.heard)(&line);
                    }
                }
                None => break,
            }
        }
        let report = program.into_report();
        if report.is_none() {
            // The supervisor was killed.
            end_marked(marker).await;
        }
        match report {
            Some(Report { code: Some(0), .. }) => Ok(written.output()),
            _ if is_stopped => Err(GitError::Stopped),
            Some(Report {
                not_started: Some(_),
                ..
            }) => Err(GitError::Missing),
            report => Err(written.refusal(report.and_then(|report| report.code))),
        }
    }
}

/// What a call has written so far.
struct Written {
    most: usize,
    bytes: Vec<u8>,
    is_cut: bool,
    words: Vec<u8>,
}

impl Written {
    fn new(most: usize) -> Written {
        Written {
            most,
            bytes: Vec::new(),
            is_cut: false,
            words: Vec::new(),
        }
    }

    fn stdout(&mut self, chunk: &[u8]) {
        let room = self.most.saturating_sub(self.bytes.len());
        self.is_cut |= chunk.len() > room;
        self.bytes
            .extend_from_slice(&chunk[..chunk.len().min(room)]);
    }

    fn stderr(&mut self, chunk: &[u8]) {
        self.words.extend_from_slice(chunk);
        // More than is shown, so that what is cut off here is not shown.
        let surplus = self.words.len().saturating_sub(2 * WORDS_KEPT);
        self.words.drain(..surplus);
    }

    fn output(self) -> Output {
        Output {
            words: last_lines(&readable(&self.words), WORDS_KEPT),
            bytes: self.bytes,
            is_cut: self.is_cut,
        }
    }

    fn refusal(&self, code: Option<i32>) -> GitError {
        GitError::Refused {
            code,
            words: readable(&self.words),
        }
    }
}

/// Ends git, and what it has started, if the call is given up: politely first, so that it removes its locks and its
/// unfinished files.
struct GroupGuard(Option<(Pid, OwnedFd)>);

impl GroupGuard {
    fn of(git: Option<u32>) -> GroupGuard {
        let pid = git.and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        // The descriptor is git's, not that of a later process with its number.
        let both = |pid| Some((pid, pidfd_open(pid, PidfdFlags::empty()).ok()?));
        GroupGuard(pid.and_then(both))
    }

    /// git has ended; whatever it has left ends too.
    fn end_what_is_left(mut self) {
        if let Some((group, _)) = self.0.take() {
            // Normally nobody is there any more.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for GroupGuard {
    fn drop(&mut self) {
        let Some((group, git)) = self.0.take() else {
            return;
        };
        let _ = kill_process_group(group, Signal::TERM);
        std::thread::spawn(move || {
            std::thread::sleep(LEAVING_TIME);
            if pidfd_send_signal(&git, Signal::KILL).is_ok() {
                let _ = kill_process_group(group, Signal::KILL);
            }
        });
    }
}

/// git's stderr without progress and without passwords in URLs.
fn readable(stderr: &[u8]) -> String {
    const PROGRESS: [&str; 8] = [
        "Enumerating objects:",
        "Counting objects:",
        "Compressing objects:",
        "Receiving objects:",
        "Resolving deltas:",
        "Writing objects:",
        "Updating files:",
        "Delta compression using",
    ];
    let words = String::from_utf8_lossy(stderr);
    without_password(&words)
        .lines()
        .map(|line| line.rsplit('\r').next().unwrap_or(line).trim_end())
        .filter(|line| {
            let said = line.strip_prefix("remote: ").unwrap_or(line);
            !line.is_empty() && !PROGRESS.iter().any(|progress| said.starts_with(progress))
        })
        .collect::<Vec<_>>()
        .join("\n")
}
