//! The only module that runs git: the binary, with worktrees, hooks and credentials as the person has them.
//!
//! Every call has its own process group and ends with the future that waits for it, children included.

pub mod changes;
pub mod workspace;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::Stdio;

use futures::StreamExt;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Command;
use tokio_process_stream::{Item, ProcessChunkStream};

/// How much of what git says is kept, in bytes; the end counts.
const WORDS_KEPT: usize = 4_000;

/// Why git did not do it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GitError {
    #[error("git is not installed on this machine")]
    Missing,
    /// git's own words are on stderr.
    #[error("git refused")]
    Refused { words: String },
    /// Known before git was asked.
    #[error("{0}")]
    Impossible(String),
    #[error("it was stopped")]
    Stopped,
}

impl GitError {
    /// For a sentence: "… could not be cloned: {reason}."
    pub fn reason(&self) -> String {
        match self {
            GitError::Refused { .. } => "git says".to_owned(),
            other => other.to_string(),
        }
    }

    /// git's own words; empty where it was not asked.
    pub fn words(&self) -> &str {
        match self {
            GitError::Refused { words } => words,
            _ => "",
        }
    }
}

/// git with the environment that claude gets too: its hooks and helpers see nothing of telecoder's own.
pub struct Git {
    pub environment: BTreeMap<OsString, OsString>,
}

impl Git {
    /// Runs git and returns what it wrote to stdout, without the last line's end.
    async fn run<I, A>(&self, folder: &Path, arguments: I) -> Result<String, GitError>
    where
        I: IntoIterator<Item = A>,
        A: AsRef<OsStr>,
    {
        let mut command = Command::new("git");
        command.args(arguments).current_dir(folder);
        self.output_of(command, folder).await
    }

    async fn output_of(&self, mut command: Command, folder: &Path) -> Result<String, GitError> {
        command
            .env_clear()
            .envs(&self.environment)
            // Nobody is there to type a password.
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        if !self.environment.contains_key(OsStr::new("GIT_SSH_COMMAND")) {
            command.env("GIT_SSH_COMMAND", "ssh -o BatchMode=yes");
        }
        let mut output = ProcessChunkStream::try_from(command).map_err(|error| {
            if error.kind() == std::io::ErrorKind::NotFound && folder.is_dir() {
                GitError::Missing
            } else {
                GitError::Impossible(format!("git cannot be started: {error}"))
            }
        })?;
        let _group = GroupGuard(output.child().and_then(tokio::process::Child::id));

        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        while let Some(item) = output.next().await {
            match item {
                Item::Stdout(chunk) => keep_end(&mut stdout, &chunk),
                Item::Stderr(chunk) => keep_end(&mut stderr, &chunk),
                Item::Done(Ok(status)) if status.success() => break,
                Item::Done(_) => {
                    return Err(GitError::Refused {
                        words: readable(&stderr),
                    });
                }
            }
        }
        Ok(String::from_utf8_lossy(&stdout)
            .trim_end_matches('\n')
            .to_owned())
    }
}

/// Ends what git started when nobody waits for it any more.
struct GroupGuard(Option<u32>);

impl Drop for GroupGuard {
    fn drop(&mut self) {
        let group = self
            .0
            .and_then(|id| i32::try_from(id).ok())
            .and_then(Pid::from_raw);
        if let Some(group) = group {
            // Gone already in the good case.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

fn keep_end(kept: &mut Vec<u8>, chunk: &[u8]) {
    kept.extend_from_slice(chunk);
    let surplus = kept.len().saturating_sub(WORDS_KEPT);
    kept.drain(..surplus);
}

/// What git said, without progress lines that were overwritten.
fn readable(stderr: &[u8]) -> String {
    String::from_utf8_lossy(stderr)
        .lines()
        .map(|line| line.rsplit('\r').next().unwrap_or(line).trim_end())
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join("\n")
}
