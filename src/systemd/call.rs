//! Calls `systemctl`, `loginctl` and `journalctl` to change something or while a person waits, and words their
//! refusals.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output, Stdio};

use anyhow::{Context, bail};

use super::{PROPERTIES, Scope, UNIT, Unit};

/// What systemd says of the unit.
pub fn show(scope: Scope) -> anyhow::Result<Unit> {
    Ok(Unit::of(scope, &call(scope, &["show", UNIT, PROPERTIES])?))
}

/// Calls `systemctl` and returns what it said on stdout.
pub fn call(scope: Scope, arguments: &[&str]) -> anyhow::Result<String> {
    let mut command = Command::new("systemctl");
    command.args(scope.for_systemctl()).args(arguments);
    let output = output(&mut command, "systemctl")?;
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

/// Whether a user's services keep running after logout; `None` if unknown.
pub fn lingers(user: &str) -> Option<bool> {
    let mut command = Command::new("loginctl");
    command.args(["show-user", user, "--property=Linger"]);
    let output = output(&mut command, "loginctl").ok()?;
    super::lingers(&output)
}

/// Becomes `journalctl`; returns only if that fails.
pub fn become_journal(scope: Scope, lines: u32, follow: bool) -> anyhow::Error {
    let mut command = Command::new("journalctl");
    command
        .arg(scope.for_journalctl())
        .arg(format!("--lines={lines}"));
    if follow {
        command.arg("--follow");
    }
    anyhow::Error::new(command.exec()).context("journalctl, which has the log, cannot be started")
}

fn output(command: &mut Command, name: &str) -> anyhow::Result<Output> {
    match command.stdin(Stdio::null()).output() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            bail!("there is no {name} on this machine, so systemd cannot be asked")
        }
        done => done.with_context(|| format!("{name} cannot be started")),
    }
}
