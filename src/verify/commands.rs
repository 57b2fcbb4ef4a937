//! Which commands check a project.
//!
//! For each kind, the session's command comes first, then the settings', then that of `.telecoder.toml` in the
//! repository if the owner trusts it. Commands that are only detected ([`detect`]) are offered, not run.

use crate::domain::check::CheckOrigin;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::Deserialize;

use crate::domain::check::Commands;
use crate::domain::check::{Check, CheckKind};
use crate::domain::session::{Session, Source};
use crate::domain::shown::shell_word;
use crate::git::file;

pub use super::detect::detect;

/// The repository's own file, used if `TELECODER_REPO_CHECKS` allows it.
pub const REPOSITORY_FILE: &str = ".telecoder.toml";

/// How long the workspace's disk may take to answer.
const LOOK_LIMIT: Duration = Duration::from_secs(2);

/// The checks to run, in order, each with its origin. `file` is the text of [`REPOSITORY_FILE`], if it is trusted.
pub fn chosen(
    session: &Commands,
    defaults: &Commands,
    file: Option<&str>,
) -> Vec<(Check, CheckOrigin)> {
    // A file that cannot be read counts as none; `of_file` gives the reason.
    let file = file.and_then(|text| of_file(text).ok()).unwrap_or_default();
    [
        first(
            CheckKind::Tests,
            [&session.test, &defaults.test, &file.test],
        ),
        first(CheckKind::Lint, [&session.lint, &defaults.lint, &file.lint]),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The command that sets a new workspace up, found as [`chosen`] finds checks. The settings are about repositories, not
/// about empty workspaces.
pub fn setup(
    session: &Session,
    defaults: &Commands,
    file: Option<&str>,
) -> Option<(Check, CheckOrigin)> {
    let file = file.and_then(|text| of_file(text).ok()).unwrap_or_default();
    let default = match session.source {
        Source::Empty => &None,
        Source::Clone(_) | Source::Worktree(_) => &defaults.setup,
    };
    first(
        CheckKind::Setup,
        [&session.checks.setup, default, &file.setup],
    )
}

/// The first that is set of the session's, the settings' and the repository's; `None` if that one is empty.
fn first(kind: CheckKind, set: [&Option<String>; 3]) -> Option<(Check, CheckOrigin)> {
    let origins = [
        CheckOrigin::Session,
        CheckOrigin::Settings,
        CheckOrigin::Repository,
    ];
    let mut set = set.into_iter().zip(origins);
    let (command, origin) = set.find_map(|(command, origin)| Some((command.clone()?, origin)))?;
    (!command.trim().is_empty()).then_some((Check { kind, command }, origin))
}

/// The commands that a `.telecoder.toml` names. The error is for a person.
///
/// ```toml
/// [checks]
/// setup = "npm ci"
/// test = "cargo test"
/// lint = "cargo clippy"
/// ```
pub fn of_file(text: &str) -> Result<Commands, String> {
    #[derive(Deserialize)]
    struct File {
        #[serde(default)]
        checks: Commands,
    }
    let file: File = toml::from_str(text).map_err(|error| error.message().to_owned())?;
    Ok(file.checks)
}

/// What the files in a workspace say.
#[derive(Clone, Default)]
pub struct Found {
    pub detected: Commands,
    /// The text of [`REPOSITORY_FILE`].
    pub file: Option<String>,
}

/// Looks at a workspace. If the disk does not answer in time, nothing is found.
pub async fn look(workspace: PathBuf) -> Found {
    let looked = tokio::task::spawn_blocking(move || Found {
        detected: Some(detect(&workspace))
            .filter(|commands| *commands != Commands::default())
            .unwrap_or_else(|| detect_inside(&workspace)),
        file: file::text(&workspace.join(REPOSITORY_FILE)),
    });
    let looked = tokio::time::timeout(LOOK_LIMIT, looked).await;
    looked.ok().and_then(Result::ok).unwrap_or_default()
}

/// The commands for a repository in a folder of the workspace: of several, the one in which git wrote last.
fn detect_inside(workspace: &Path) -> Commands {
    let entries = fs::read_dir(workspace).into_iter().flatten().flatten();
    let mut inside: Vec<(SystemTime, OsString)> = entries
        .filter_map(|entry| {
            let written = entry.path().join(".git").metadata().ok()?.modified().ok()?;
            Some((written, entry.file_name()))
        })
        .collect();
    inside.sort_by(|one, other| other.cmp(one));
    let of = |name: &OsString| {
        // `cd` would take another one for an option.
        let name = name.to_str().filter(|name| !name.starts_with('-'))?;
        let found = detect(&workspace.join(name));
        let there = |command| format!("cd {} && {command}", shell_word(name));
        (found != Commands::default()).then(|| Commands {
            test: found.test.map(there),
            lint: found.lint.map(there),
            ..Commands::default()
        })
    };
    inside
        .iter()
        .find_map(|(_, name)| of(name))
        .unwrap_or_default()
}
