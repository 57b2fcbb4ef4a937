//! The programs that telecoder starts: git and claude, as the service finds them.

use std::path::Path;
use std::sync::Arc;

use super::Ground;
use super::report::{Check, Finding};
use crate::claude::install::{self, Found, HOW_TO_INSTALL, NEWEST_TESTED, OLDEST_TESTED, Tested};
use crate::domain::choices::PermissionMode;
use crate::git::Git;

/// `git worktree list --porcelain -z` (2.36) is the newest feature that every workspace needs.
const GIT_NEEDED: Version = (2, 36, 0);

type Version = (u64, u64, u64);

pub(super) async fn look_at_git(ground: Arc<Ground>) -> Vec<Finding> {
    let path = ground.known.path();
    let Some(git) = install::on_path(Path::new("git"), path) else {
        return vec![Check::Git.broken(
            "there is no git where telecoder looks for programs (PATH)",
            "sudo apt-get install git",
        )];
    };
    let mut environment = ground.environment.clone();
    environment.extend(path.map(|path| ("PATH".into(), path.to_owned())));
    let asked = Git {
        environment,
        scratch: std::env::temp_dir(),
        snapshots: std::env::temp_dir(),
        file_max: 0,
    };
    let said = asked.version().await;
    let Some(version) = said.ok().as_deref().and_then(version_in) else {
        return vec![Check::Git.broken(
            format!("{} does not say its version", git.display()),
            "Run git --version by hand, and install git anew if it does not work",
        )];
    };
    let shown = format!("{} at {}", written(version), git.display());
    vec![if version < GIT_NEEDED {
        Check::Git.broken(
            format!(
                "{shown} is too old; workspaces need {}",
                written(GIT_NEEDED)
            ),
            "Install a newer git",
        )
    } else {
        Check::Git.good(shown)
    }]
}

pub(super) async fn look_at_claude(ground: Arc<Ground>) -> Vec<Finding> {
    let permissions = permissions(&ground);
    let runtime = &ground.known.runtime;
    let Some(program) = install::on_path(runtime, ground.known.path()) else {
        let where_looked = match runtime.components().count() {
            1 => "is not where telecoder looks for programs (PATH)",
            _ => "is not there",
        };
        let missing = Check::Claude.broken(
            format!("{} {where_looked}", runtime.display()),
            format!("{HOW_TO_INSTALL}, or set TELECODER_RUNTIME to the full path of claude"),
        );
        let login = Check::Login.remark("not looked at: there is no claude");
        return vec![missing, login, permissions];
    };
    if let Some(user) = ground.manager.unit().and_then(|unit| unit.other_user()) {
        // claude writes into its home when asked; root's files there would lock its user out.
        let login = format!("not looked at: only the login of {} counts", user.name);
        return vec![
            Check::Claude.remark(format!("{} is there", program.display())),
            Check::Login.remark(login),
            permissions,
        ];
    }
    let found = install::look(&program, &ground.known.environment).await;
    let (claude, login) = match found {
        Found::Ready { version } => (
            tested(&version, &program),
            Check::Login.good("claude is logged in, or has a key"),
        ),
        Found::NotLoggedIn { version } => (
            tested(&version, &program),
            Check::Login.broken(
                "claude is not logged in, so every run fails",
                "Run claude once on this machine, as telecoder's user, and log in; or set ANTHROPIC_API_KEY",
            ),
        ),
        Found::Missing => (
            Check::Claude.broken(
                format!("{} is not there", program.display()),
                HOW_TO_INSTALL,
            ),
            Check::Login.remark("not looked at: there is no claude"),
        ),
        Found::Broken(words) => (
            Check::Claude.broken(
                format!("{} does not answer as expected: {words}", program.display()),
                "Run claude --version by hand; it has to be a program that this user may start",
            ),
            Check::Login.remark("not looked at: claude does not answer"),
        ),
    };
    vec![claude, login, permissions]
}

fn tested(said: &str, program: &Path) -> Finding {
    let shown = format!("{said} at {}", program.display());
    match install::tested(said) {
        Some(Tested::Within) => Check::Claude.good(shown),
        Some(Tested::Older) => Check::Claude.warning(
            format!("{shown} is older than what telecoder is tested with ({OLDEST_TESTED} to {NEWEST_TESTED})"),
            format!("claude update, or {HOW_TO_INSTALL}"),
        ),
        Some(Tested::Newer) => Check::Claude.remark(format!(
            "{shown} is newer than what telecoder is tested with ({OLDEST_TESTED} to {NEWEST_TESTED})"
        )),
        None => Check::Claude.warning(
            format!("{} does not say a version, but: {said}", program.display()),
            "Run claude --version by hand",
        ),
    }
}

fn permissions(ground: &Ground) -> Finding {
    match &ground.known.permission_mode {
        Ok(mode @ PermissionMode::BypassPermissions) => {
            Check::Permissions.good(format!("{}: claude does not ask", mode.name()))
        }
        Ok(mode) => Check::Permissions.good(mode.name()),
        Err(fault) if fault.setting.is_none() => {
            Check::Permissions.remark("not known: a settings file cannot be read")
        }
        Err(fault) => Check::Permissions.broken(&fault.what, &fault.remedy),
    }
}

/// The first thing in a text that looks like a version: "git version 2.39.5 (Apple …)".
fn version_in(text: &str) -> Option<Version> {
    text.split_whitespace().find_map(|word| {
        let mut numbers = word.split('.').map(|part| part.parse().ok());
        let (major, minor) = (numbers.next()??, numbers.next()??);
        Some((major, minor, numbers.next().flatten().unwrap_or(0)))
    })
}

fn written((major, minor, patch): Version) -> String {
    format!("{major}.{minor}.{patch}")
}
