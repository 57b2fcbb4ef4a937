//! Which commands check a project.
//!
//! For each kind, the session's command comes first, then the settings', then that of `.telecoder.toml` in the
//! repository if the owner trusts it. Commands that are only detected ([`detect`]) are offered, not run: a person says
//! yes first.

use crate::domain::check::CheckOrigin;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::domain::check::Commands;
use crate::domain::check::{Check, CheckKind};
use crate::domain::session::{Session, Source};
use crate::git::file;

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
        detected: detect(&workspace),
        file: file::text(&workspace.join(REPOSITORY_FILE)),
    });
    let looked = tokio::time::timeout(LOOK_LIMIT, looked).await;
    looked.ok().and_then(Result::ok).unwrap_or_default()
}

/// The usual commands for a project with such files.
///
/// Only the names of files and of scripts count; the commands are fixed here.
pub fn detect(workspace: &Path) -> Commands {
    let has = |name: &str| workspace.join(name).is_file();
    let text = |name: &str| file::text(&workspace.join(name)).unwrap_or_default();
    let of = |test: Option<&str>, lint: Option<&str>| Commands {
        test: test.map(str::to_owned),
        lint: lint.map(str::to_owned),
        ..Commands::default()
    };
    if let Some(name) = ["justfile", "Justfile", ".justfile"]
        .into_iter()
        .find(|name| has(name))
    {
        let recipes = text(name);
        let found = of(
            has_rule(&recipes, "test").then_some("just test"),
            has_rule(&recipes, "lint").then_some("just lint"),
        );
        if found != Commands::default() {
            return found;
        }
    }
    if has("Cargo.toml") {
        return of(
            Some("cargo test"),
            Some("cargo clippy --all-targets -- -D warnings"),
        );
    }
    if has("package.json") {
        let lockfiles = [
            ("pnpm-lock.yaml", "pnpm"),
            ("yarn.lock", "yarn"),
            ("bun.lock", "bun"),
            ("bun.lockb", "bun"),
        ];
        let manager = lockfiles.into_iter().find(|(file, _)| has(file));
        let manager = manager.map_or("npm", |(_, manager)| manager);
        return of_package_json(&text("package.json"), manager);
    }
    if has("go.mod") {
        return of(Some("go test ./..."), Some("go vet ./..."));
    }
    let python = ["pyproject.toml", "pytest.ini", "setup.cfg", "tox.ini"]
        .map(text)
        .join("\n");
    if python.contains("pytest")
        || has("conftest.py")
        || workspace.join("tests/conftest.py").is_file()
    {
        let (test, ruff) = if has("uv.lock") {
            ("uv run pytest", "uv run ruff check .")
        } else if has("poetry.lock") {
            ("poetry run pytest", "poetry run ruff check .")
        } else {
            ("python3 -m pytest", "ruff check .")
        };
        return of(Some(test), python.contains("[tool.ruff").then_some(ruff));
    }
    for name in ["GNUmakefile", "makefile", "Makefile"] {
        if has(name) {
            let rules = text(name);
            return of(
                has_rule(&rules, "test").then_some("make test"),
                has_rule(&rules, "lint").then_some("make lint"),
            );
        }
    }
    Commands::default()
}

/// Format: package.json of npm, `scripts`.
fn of_package_json(text: &str, manager: &str) -> Commands {
    /// What `npm init` writes if there are no tests.
    const NO_TESTS: &str = "no test specified";
    let package: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    let script = |name: &str| {
        package["scripts"][name]
            .as_str()
            .filter(|s| !s.contains(NO_TESTS))
    };
    Commands {
        test: script("test").map(|_| format!("{manager} run test")),
        lint: script("lint").map(|_| format!("{manager} run lint")),
        ..Commands::default()
    }
}

/// Whether a Makefile or a justfile has a rule of this name: `name:`, `name arguments:`, at a line's start.
fn has_rule(text: &str, name: &str) -> bool {
    text.lines().any(|line| {
        let Some(rest) = line.strip_prefix(name) else {
            return false;
        };
        let Some((between, after)) = rest.split_once(':') else {
            return false;
        };
        (between.is_empty() || between.starts_with(' ')) && !after.starts_with('=')
    })
}
