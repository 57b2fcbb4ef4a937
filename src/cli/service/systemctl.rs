//! Calls of `systemctl`, `loginctl` and `journalctl`, and their refusals as a person can use them.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output, Stdio};

use anyhow::{Context, bail};

use super::place::{Scope, UNIT};

/// What systemd says of the unit. Format: systemctl(1), `show`.
#[derive(Debug, Default)]
pub(super) struct Shown(BTreeMap<String, String>);

impl Shown {
    pub fn get(&self, property: &str) -> &str {
        self.0.get(property).map_or("", String::as_str)
    }

    /// It takes messages, or is about to.
    pub fn is_running(&self) -> bool {
        matches!(self.get("ActiveState"), "active" | "reloading")
    }

    /// It was started and ended.
    pub fn has_failed(&self) -> bool {
        !matches!(self.get("Result"), "" | "success")
    }

    pub fn is_enabled(&self) -> bool {
        self.get("UnitFileState") == "enabled"
    }

    /// What the bot says that it is, where that looks like a version.
    pub fn version(&self) -> Option<&str> {
        let (version, _) = self
            .get("StatusText")
            .strip_prefix("version ")?
            .split_once(',')?;
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+');
        version.chars().all(fits).then_some(version)
    }

    /// The bot's process.
    pub fn process(&self) -> Option<u32> {
        self.get("MainPID")
            .parse()
            .ok()
            .filter(|process| *process != 0)
    }
}

const PROPERTIES: &str = "LoadState,ActiveState,SubState,UnitFileState,MainPID,NRestarts,ActiveEnterTimestamp,\
                          Result,ExecMainStatus,StatusText";

pub(super) fn show(scope: Scope) -> anyhow::Result<Shown> {
    let said = call(scope, &["show", UNIT, &format!("--property={PROPERTIES}")])?;
    let lines = said.lines().filter_map(|line| line.split_once('='));
    Ok(Shown(
        lines
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
    ))
}

/// Calls `systemctl` and returns what it said on stdout.
pub(super) fn call(scope: Scope, arguments: &[&str]) -> anyhow::Result<String> {
    let mut command = Command::new("systemctl");
    if scope == Scope::User {
        command.arg("--user");
    }
    let output = output(command.args(arguments), "systemctl")?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        let remedy = match scope {
            // Under `su` and `sudo -u` there is no session.
            Scope::User if words.contains("connect to bus") => {
                ". Log in as this user (ssh, not su or sudo), or have root run: telecoder service install --run-as USER"
            }
            _ => "",
        };
        bail!(
            "systemctl {} failed: {}{remedy}",
            arguments.join(" "),
            words.trim().trim_end_matches('.')
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether a user's services go on when the user logs out; `None` where nobody says.
pub(super) fn lingers(user: &str) -> Option<bool> {
    let mut command = Command::new("loginctl");
    command.args(["show-user", user, "--property=Linger"]);
    let output = output(&mut command, "loginctl").ok()?;
    match String::from_utf8_lossy(&output.stdout).trim() {
        "Linger=yes" => Some(true),
        "Linger=no" => Some(false),
        // Who is not logged in and does not linger is not known to it.
        _ => (!output.status.success()).then_some(false),
    }
}

/// Becomes `journalctl`; returns only when that cannot be.
pub(super) fn become_journal(scope: Scope, lines: u32, follow: bool) -> anyhow::Error {
    let unit = match scope {
        Scope::System => format!("--unit={UNIT}"),
        Scope::User => format!("--user-unit={UNIT}"),
    };
    let mut command = Command::new("journalctl");
    command.arg(unit).arg(format!("--lines={lines}"));
    if follow {
        command.arg("--follow");
    }
    anyhow::Error::new(command.exec()).context("journalctl, which has the log, cannot be started")
}

fn output(command: &mut Command, name: &str) -> anyhow::Result<Output> {
    match command.stdin(Stdio::null()).output() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            bail!("there is no {name} on this machine, so systemd cannot be asked for anything")
        }
        done => done.with_context(|| format!("{name} cannot be started")),
    }
}
