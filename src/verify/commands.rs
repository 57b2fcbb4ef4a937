//! Which commands check a project.
//!
//! What the session was given comes first, then the settings, then `.telecoder.toml` in the repository if the
//! owner trusts that, each kind by itself. What is only found ([`detect`]) is offered and not run: a person says
//! yes first.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::{Check, Kind};
use crate::session::Checks;

/// The repository's own file, where `TELECODER_REPO_CHECKS` lets it count.
pub const REPOSITORY_FILE: &str = ".telecoder.toml";

/// Where a check's command comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    Session,
    Settings,
    Repository,
}

/// The commands of the settings: `TELECODER_TEST_CMD` and `TELECODER_LINT_CMD`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Defaults {
    pub test: Option<String>,
    pub lint: Option<String>,
}

/// What is to be run, in its order, each with where it comes from. `file` is the text of [`REPOSITORY_FILE`], if
/// it counts.
pub fn chosen(session: &Checks, defaults: &Defaults, file: Option<&str>) -> Vec<(Check, Origin)> {
    // A file that cannot be read is none; `of_file` says why to who asks.
    let file = file.and_then(|text| of_file(text).ok()).unwrap_or_default();
    let of = |kind, session: &Option<String>, default: &Option<String>, file: Option<String>| {
        let own = session.clone().map(|command| (command, Origin::Session));
        let default = || default.clone().map(|command| (command, Origin::Settings));
        let file = || file.map(|command| (command, Origin::Repository));
        let (command, origin) = own.or_else(default).or_else(file)?;
        (!command.trim().is_empty()).then_some((Check { kind, command }, origin))
    };
    [
        of(Kind::Tests, &session.test, &defaults.test, file.test),
        of(Kind::Lint, &session.lint, &defaults.lint, file.lint),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The commands that a `.telecoder.toml` names. The error is for a person.
///
/// ```toml
/// [checks]
/// test = "cargo test"
/// lint = "cargo clippy"
/// ```
pub fn of_file(text: &str) -> Result<Defaults, String> {
    #[derive(Deserialize)]
    struct File {
        #[serde(default)]
        checks: Commands,
    }
    #[derive(Default, Deserialize)]
    struct Commands {
        test: Option<String>,
        lint: Option<String>,
    }
    let file: File = toml::from_str(text).map_err(|error| error.message().to_owned())?;
    Ok(Defaults {
        test: file.checks.test,
        lint: file.checks.lint,
    })
}

/// What the files in a workspace look like: the usual commands for such a project.
///
/// Only names of files and of scripts are looked at; the commands themselves are from this list.
pub fn detect(workspace: &Path) -> Defaults {
    let has = |name: &str| workspace.join(name).is_file();
    let text = |name: &str| fs::read_to_string(workspace.join(name)).unwrap_or_default();
    let of = |test: Option<&str>, lint: Option<&str>| Defaults {
        test: test.map(str::to_owned),
        lint: lint.map(str::to_owned),
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
        if found != Defaults::default() {
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
        return of_package_json(&text("package.json"));
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
        let lint = python.contains("[tool.ruff").then_some("ruff check .");
        return of(Some("python3 -m pytest"), lint);
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
    Defaults::default()
}

/// Format: package.json of npm, `scripts`.
fn of_package_json(text: &str) -> Defaults {
    /// What `npm init` writes where there are no tests.
    const NO_TESTS: &str = "no test specified";
    let package: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    let script = |name: &str| {
        package["scripts"][name]
            .as_str()
            .filter(|s| !s.contains(NO_TESTS))
    };
    Defaults {
        test: script("test").map(|_| "npm test".to_owned()),
        lint: script("lint").map(|_| "npm run lint".to_owned()),
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
