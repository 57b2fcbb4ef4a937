//! Asks systemd about telecoder, without waiting long.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::process::Output;
use std::time::Duration;

use rustix::process::geteuid;

use super::{PROPERTIES, Scope, UNIT, Unit, lingers};
use crate::process::ask::ask;

/// How long each program that is asked may take.
const PATIENCE: Duration = Duration::from_secs(4);

/// The service manager of this machine.
pub enum Manager {
    /// There is no systemd, or it does not answer.
    Absent,
    /// systemd is there and does not know telecoder.
    NoUnit,
    Unit {
        unit: Unit,
        /// Whether a user's unit keeps running after logout; `None` if unknown, or for the machine's.
        lingers: Option<bool>,
    },
}

impl Manager {
    pub fn unit(&self) -> Option<&Unit> {
        match self {
            Manager::Unit { unit, .. } => Some(unit),
            _ => None,
        }
    }
}

/// Finds telecoder's unit, in the order of [`Scope::in_order`].
pub async fn find(environment: &BTreeMap<OsString, OsString>) -> Manager {
    let user = geteuid().as_raw().to_string();
    let of_user = ["show-user", &user, "--property=Linger"];
    let (system, own, linger) = tokio::join!(
        show(Scope::System, environment),
        show(Scope::User, environment),
        ask(Path::new("loginctl"), &of_user, environment, PATIENCE),
    );
    if system.is_none() && own.is_none() {
        return Manager::Absent;
    }
    let mut units: Vec<Unit> = [system, own]
        .into_iter()
        .flatten()
        .filter(Unit::is_there)
        .collect();
    units.sort_by_key(|unit| Scope::in_order()[0] != unit.scope);
    let Some(unit) = units.into_iter().next() else {
        return Manager::NoUnit;
    };
    let lingers = match unit.scope {
        Scope::System => None,
        Scope::User => linger.ok().and_then(|output| lingers(&output)),
    };
    Manager::Unit { unit, lingers }
}

async fn show(scope: Scope, environment: &BTreeMap<OsString, OsString>) -> Option<Unit> {
    let arguments = [scope.for_systemctl(), &["show", UNIT, PROPERTIES]].concat();
    let output = ask(Path::new("systemctl"), &arguments, environment, PATIENCE).await;
    Some(Unit::of(scope, &said(output.ok()?)?))
}

/// What the service has logged since then (journalctl(1), `--since`); `None` if this user may not read it.
pub async fn journal(
    scope: Scope,
    since: &str,
    environment: &BTreeMap<OsString, OsString>,
) -> Option<String> {
    let arguments = [
        &scope.for_journalctl(),
        &format!("--since={since}"),
        "--lines=2000",
        "--output=cat",
        "--no-pager",
        "--quiet",
    ];
    let output = ask(Path::new("journalctl"), &arguments, environment, PATIENCE).await;
    said(output.ok()?)
}

fn said(output: Output) -> Option<String> {
    let is_well = output.status.success();
    is_well.then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
