//! Asks a person's login shell for its environment, as editors do.
//!
//! The shell reads its startup files as in a terminal, and then shows its environment between two marks: those files
//! may write what they like before, and what they leave running is ended. There is no terminal, and no input.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use memchr::memmem;
use nix::unistd::{Uid, User};
use tempfile::TempDir;
use uuid::Uuid;

use super::supervised::{Piece, Program, Supervised};
use crate::domain::id::RunId;

/// How long the shell may take.
const LIMIT: Duration = Duration::from_secs(10);
/// How much it may write, in bytes.
const MOST: usize = 4_000_000;

/// What a login shell has.
#[derive(Debug)]
pub struct Answer {
    pub shell: PathBuf,
    pub variables: BTreeMap<OsString, OsString>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    #[error("no login shell is known: SHELL is not set, and the system names none for this user")]
    NoShell,
    #[error("the login shell is {}, which lets nobody in and has no environment", .0.display())]
    LetsNobodyIn(PathBuf),
    #[error("{} could not be started ({words})", .0.display(), words = .1)]
    NotStarted(PathBuf, String),
    #[error("{} ended ({how}) before it had shown its environment; a startup file may end it", .0.display(), how = .1)]
    Ended(PathBuf, String),
    #[error(
        "{} did not show its environment within {} s; a startup file may wait for something",
        .0.display(),
        LIMIT.as_secs()
    )]
    TooLate(PathBuf),
    #[error("{} wrote more than {} MB instead of its environment", .0.display(), MOST / 1_000_000)]
    TooMuch(PathBuf),
}

/// Starts the login shell with this environment, within ten seconds.
pub async fn ask(environment: &BTreeMap<OsString, OsString>) -> Result<Answer, NoAnswer> {
    let shell = shell_of(environment).await.ok_or(NoAnswer::NoShell)?;
    if matches!(name(&shell), "nologin" | "false") {
        return Err(NoAnswer::LetsNobodyIn(shell));
    }
    let mark = format!("telecoder-{}", Uuid::new_v4().simple());
    let started = tempfile::tempdir().and_then(|folder| {
        let asked = start(&shell, &mark, environment, &folder)?;
        Ok((asked, folder))
    });
    let (mut asked, folder) = match started {
        Ok(started) => started,
        Err(error) => return Err(NoAnswer::NotStarted(shell, error.to_string())),
    };
    match tokio::time::timeout(LIMIT, shown(&mut asked, &mark)).await {
        Ok(Shown::Whole(variables)) => {
            end(asked, folder);
            Ok(Answer { shell, variables })
        }
        Ok(Shown::Nothing) => Err(why_ended(asked, shell)),
        Ok(Shown::TooMuch) => {
            end(asked, folder);
            Err(NoAnswer::TooMuch(shell))
        }
        Err(_) => {
            end(asked, folder);
            Err(NoAnswer::TooLate(shell))
        }
    }
}

/// The name of a shell's program.
pub fn name(shell: &Path) -> &str {
    shell.file_name().and_then(OsStr::to_str).unwrap_or("shell")
}

async fn shell_of(environment: &BTreeMap<OsString, OsString>) -> Option<PathBuf> {
    let set = environment.get(OsStr::new("SHELL"));
    if let Some(shell) = set.filter(|shell| !shell.is_empty()) {
        return Some(PathBuf::from(shell));
    }
    // The system may ask a server.
    let looked = tokio::task::spawn_blocking(|| User::from_uid(Uid::effective()));
    let user = tokio::time::timeout(LIMIT, looked).await.ok()?.ok()?;
    let shell = user.ok().flatten()?.shell;
    (!shell.as_os_str().is_empty()).then_some(shell)
}

fn start(
    shell: &Path,
    mark: &str,
    environment: &BTreeMap<OsString, OsString>,
    folder: &TempDir,
) -> io::Result<Supervised> {
    let home = environment.get(OsStr::new("HOME")).map(PathBuf::from);
    let home = home.filter(|home| home.is_dir());
    // Words that every shell understands; env is named whole because a startup file may have broken PATH.
    let command = format!("printf {mark}; /usr/bin/env -0; printf {mark}");
    let options: &[&str] = match name(shell) {
        // They take -l only if it stands alone.
        "csh" | "tcsh" => &["-i", "-c"],
        _ => &["-l", "-i", "-c"],
    };
    let mut arguments = vec![OsString::from(shell)];
    arguments.extend(options.iter().map(OsString::from));
    arguments.push(command.into());
    Supervised::start_alone(Program {
        arguments,
        folder: home.as_deref().unwrap_or(Path::new("/")),
        environment,
        marker: RunId::new(),
        report: folder.path().join("report"),
    })
}

enum Shown {
    Whole(BTreeMap<OsString, OsString>),
    Nothing,
    TooMuch,
}

async fn shown(asked: &mut Supervised, mark: &str) -> Shown {
    let mut output = Vec::new();
    while let Some(piece) = asked.next().await {
        let Piece::Stdout(chunk) = piece else {
            continue;
        };
        // Only what is new is searched: a startup file may write without end.
        let new = output.len().saturating_sub(mark.len());
        output.extend(chunk);
        if memmem::find(&output[new..], mark.as_bytes()).is_some()
            && let Some(variables) = between_marks(&output, mark)
        {
            return Shown::Whole(variables);
        }
        if output.len() > MOST {
            return Shown::TooMuch;
        }
    }
    Shown::Nothing
}

fn between_marks(output: &[u8], mark: &str) -> Option<BTreeMap<OsString, OsString>> {
    let mut marks = memmem::find_iter(output, mark);
    let shown = marks.next()? + mark.len()..marks.next()?;
    Some(variables(&output[shown]))
}

/// Format: `env -0`, proc_pid_environ(5): NAME=value, with a NUL after each.
pub fn variables(shown: &[u8]) -> BTreeMap<OsString, OsString> {
    let text = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
    let of_line = |line: &[u8]| {
        let at = memchr::memchr(b'=', line)?;
        Some((text(&line[..at]), text(&line[at + 1..])))
    };
    let lines = shown.split(|byte| *byte == 0);
    lines.filter_map(of_line).collect()
}

/// Ends what is left of the shell while others use what it said.
fn end(mut asked: Supervised, folder: TempDir) {
    tokio::spawn(async move {
        asked.end_for_good().await;
        drop(folder);
    });
}

fn why_ended(asked: Supervised, shell: PathBuf) -> NoAnswer {
    let report = asked.into_report().unwrap_or_default();
    match (report.not_started, report.code) {
        (Some(words), _) => NoAnswer::NotStarted(shell, words),
        (None, Some(code)) => NoAnswer::Ended(shell, format!("exit code {code}")),
        (None, None) => NoAnswer::Ended(shell, "a signal ended it".to_owned()),
    }
}
