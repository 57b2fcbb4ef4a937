//! Looks whether claude is there and logged in.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::process::ask::ask;
use serde::Deserialize;

/// The version that telecoder is tested with; `.ci/run` reads it here.
pub const TESTED: &str = "2.1.197";

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
    let version = match ask_claude(program, &["--version"], environment).await {
        Ok(version) => version.trim().to_owned(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Found::Missing,
        Err(error) => return Found::Broken(error.to_string()),
    };
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Status {
        logged_in: bool,
    }
    let status = ask_claude(program, &["auth", "status"], environment)
        .await
        .ok()
        .and_then(|json| serde_json::from_str::<Status>(&json).ok());
    match status {
        Some(Status { logged_in: false }) => Found::NotLoggedIn { version },
        // An answer that cannot be read is not evidence that nobody is logged in.
        _ => Found::Ready { version },
    }
}

/// The path at which the system would find the program on this PATH.
pub fn on_path(program: &Path, path: Option<&std::ffi::OsStr>) -> Option<PathBuf> {
    if program.components().count() > 1 {
        return program.is_file().then(|| program.to_owned());
    }
    std::env::split_paths(path?)
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
}

async fn ask_claude(
    program: &Path,
    arguments: &[&str],
    environment: &BTreeMap<OsString, OsString>,
) -> std::io::Result<String> {
    let output = ask(program, arguments, environment, PATIENCE).await?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
