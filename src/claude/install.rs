//! Looks whether claude is there and logged in.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::folder::NotStarted;
use crate::process::ask::ask;
use serde::Deserialize;

/// The tests on the real claude run on the newest of these versions, and a dozen of them on the oldest; `.ci/run` reads
/// both here. `doctor` and the log of the start name a claude that is outside of them.
pub const NEWEST_TESTED: &str = "2.1.332";
pub const OLDEST_TESTED: &str = "2.1.197";
/// How a person installs a claude that is tested, on any machine.
pub const HOW_TO_INSTALL: &str = "curl -fsSL https://claude.ai/install.sh | bash -s 2.1.332";

/// How long claude may take for one answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// What was found out about the claude binary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    Ready {
        version: String,
    },
    /// It runs, but `claude auth status` says that nobody is logged in.
    NotLoggedIn {
        version: String,
    },
    /// There is no such program.
    Missing,
    /// It is there but did not answer as expected; in its own words.
    Broken(String),
}

/// Runs `claude --version` and `claude auth status`, ten seconds each at most.
pub async fn look(program: &Path, environment: &BTreeMap<OsString, OsString>) -> Found {
    let said = match ask(program, &["--version"], environment, PATIENCE).await {
        // env says so of a program that it cannot find.
        Ok(output) if output.status.code() == Some(127) => {
            return why_missing(program, environment);
        }
        Ok(output) => output.stdout,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return why_missing(program, environment);
        }
        Err(error) => return Found::Broken(error.to_string()),
    };
    let version = String::from_utf8_lossy(&said).trim().to_owned();
    match is_logged_in(program, environment).await {
        Some(false) => Found::NotLoggedIn { version },
        // An answer that cannot be read is not evidence that nobody is logged in.
        Some(true) | None => Found::Ready { version },
    }
}

/// What `claude auth status` says, within ten seconds; `None` if that cannot be read.
pub async fn is_logged_in(
    program: &Path,
    environment: &BTreeMap<OsString, OsString>,
) -> Option<bool> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Status {
        logged_in: bool,
    }
    let asked = ask(program, &["auth", "status"], environment, PATIENCE).await;
    let status = serde_json::from_slice::<Status>(&asked.ok()?.stdout);
    Some(status.ok()?.logged_in)
}

/// The path at which the system would find the program on this PATH.
pub fn on_path(program: &Path, path: Option<&OsStr>) -> Option<PathBuf> {
    if program.components().count() > 1 {
        return program.is_file().then(|| program.to_owned());
    }
    std::env::split_paths(path?)
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
}

fn why_missing(program: &Path, environment: &BTreeMap<OsString, OsString>) -> Found {
    let path = environment.get(OsStr::new("PATH"));
    match missing(program, path.map(OsString::as_os_str)) {
        NotStarted::Refused(words) => Found::Broken(words),
        NotStarted::ProgramMissing | NotStarted::WorkspaceMissing => Found::Missing,
    }
}

/// Why a program that the system cannot find does not start: it is missing, or the interpreter that its first line
/// names.
pub fn missing(program: &Path, path: Option<&OsStr>) -> NotStarted {
    let Some(found) = on_path(program, path) else {
        return NotStarted::ProgramMissing;
    };
    let mut beginning = Vec::new();
    let read = File::open(&found).and_then(|file| file.take(256).read_to_end(&mut beginning));
    let beginning = String::from_utf8_lossy(&beginning);
    let first_line = beginning.lines().next().filter(|_| read.is_ok());
    let found = found.display();
    NotStarted::Refused(match first_line.and_then(|line| line.strip_prefix("#!")) {
        Some(interpreter) => format!(
            "{found} is there, but the program that its first line names is not: {}",
            interpreter.trim()
        ),
        None => format!("{found} is there, but a program that it needs is not"),
    })
}

/// Where a version is seen from those that are tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tested {
    Within,
    Older,
    Newer,
}

/// Compares what `claude --version` says (`2.1.332 (Claude Code)`) with the tested versions; `None` if it has no
/// number.
pub fn tested(said: &str) -> Option<Tested> {
    let version = number(said)?;
    let (oldest, newest) = (number(OLDEST_TESTED)?, number(NEWEST_TESTED)?);
    Some(match version {
        version if version < oldest => Tested::Older,
        version if version > newest => Tested::Newer,
        _ => Tested::Within,
    })
}

fn number(said: &str) -> Option<(u64, u64, u64)> {
    let mut parts = said.split_whitespace().next()?.split('.').map(str::parse);
    match (parts.next(), parts.next(), parts.next()) {
        (Some(Ok(major)), Some(Ok(minor)), Some(Ok(patch))) => Some((major, minor, patch)),
        _ => None,
    }
}
