//! The service: whether it starts with the machine and keeps running, whether runs outlive it, what it logged.

use std::sync::Arc;

use super::Ground;
use super::report::{Check, Finding, counted};
use crate::systemd::look::{self, Manager};
use crate::systemd::{Scope, Unit};

/// This many restarts since the last start by hand are not worth a word.
const FEW_RESTARTS: u64 = 2;
/// How many lines of the log are shown, and how much of each.
const LINES: usize = 5;
const LINE_CHARACTERS: usize = 160;

pub(super) fn look(ground: &Ground) -> Vec<Finding> {
    let (unit, lingers) = match &ground.manager {
        Manager::Absent => {
            return vec![Check::Service.remark(
                "there is no systemd here; whatever starts telecoder must also restart it",
            )];
        }
        Manager::NoUnit => {
            return vec![Check::Service.warning(
                "telecoder is not a service here, so nothing starts it after a restart of the machine",
                "telecoder service install",
            )];
        }
        Manager::Unit { unit, lingers } => (unit, *lingers),
    };
    let loaded = unit.property("LoadState");
    if loaded != "loaded" {
        return vec![Check::Service.broken(
            format!("systemd cannot use its unit ({loaded})"),
            format!(
                "{} says why; telecoder service install writes it anew",
                unit.scope.command("status")
            ),
        )];
    }
    let mut findings = vec![state(unit)];
    findings.extend(restarts(unit));
    findings.extend(start_with_the_machine(unit, lingers));
    findings.extend(what_runs_need(unit));
    findings
}

fn state(unit: &Unit) -> Finding {
    let whose = match (unit.scope, unit.property("User")) {
        (Scope::User, _) => "a service of your own".to_owned(),
        (Scope::System, "") => "a service, as root".to_owned(),
        (Scope::System, user) => format!("a service, as {user}"),
    };
    match unit.property("ActiveState") {
        "active" | "reloading" => Check::Service.good(format!(
            "{whose}; runs since {}",
            unit.property("ActiveEnterTimestamp")
        )),
        "activating" => Check::Service.warning(
            format!("{whose}; it is being started, perhaps again and again"),
            format!("{} says why", unit.scope.log_command()),
        ),
        "failed" => Check::Service.broken(
            format!("{whose}; it has failed ({})", unit.property("Result")),
            format!(
                "{} says why; then {}",
                unit.scope.log_command(),
                unit.scope.command("restart")
            ),
        ),
        _ => Check::Service.broken(
            format!("{whose}; it does not run"),
            unit.scope.command("start"),
        ),
    }
}

fn restarts(unit: &Unit) -> Option<Finding> {
    let restarts: u64 = unit.property("NRestarts").parse().ok()?;
    (restarts > FEW_RESTARTS).then(|| {
        Check::Service.warning(
            format!("systemd had to start it again {restarts} times"),
            format!("{} says why", unit.scope.log_command()),
        )
    })
}

fn start_with_the_machine(unit: &Unit, lingers: Option<bool>) -> Option<Finding> {
    if !unit.is_enabled() {
        let enabled = unit.property("UnitFileState");
        return Some(Check::Service.warning(
            format!("it does not start with the machine (it is {enabled})"),
            unit.scope.command("enable"),
        ));
    }
    (lingers == Some(false)).then(|| {
        Check::Service.warning(
            "it ends when you log out, and starts only when you log in",
            "sudo loginctl enable-linger $USER",
        )
    })
}

fn what_runs_need(unit: &Unit) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut want = |name, wanted, else_what: &str| {
        let is = unit.property(name);
        if is != wanted {
            findings.push(Check::Service.warning(
                format!("{name} is {is}: {else_what}"),
                format!(
                    "Set {name}={wanted} in its unit, or let telecoder service install write it anew; then {}",
                    unit.scope.command("restart")
                ),
            ));
        }
    };
    want(
        "KillMode",
        "process",
        "a restart of the service ends the runs that are going on",
    );
    want(
        "OOMPolicy",
        "continue",
        "a run that takes too much memory ends the bot and all other runs with it",
    );
    findings
}

/// What went wrong in the last day, as the service's journal has it.
pub(super) async fn look_at_log(ground: Arc<Ground>) -> Vec<Finding> {
    let Some(unit) = ground.manager.unit() else {
        return vec![Check::Log.remark(
            "not looked at: without a service, the log is wherever the bot's stderr goes",
        )];
    };
    let Some(log) = look::journal(unit.scope, "-1d", &ground.environment).await else {
        return vec![Check::Log.remark(format!(
            "not looked at: this user may not read the journal; {} shows it",
            unit.scope.log_command()
        ))];
    };
    let bad: Vec<&str> = log.lines().filter(|line| is_bad(line)).collect();
    if bad.is_empty() {
        return vec![Check::Log.good("no error in the last day")];
    }
    let newest: Vec<String> = bad[bad.len().saturating_sub(LINES)..]
        .iter()
        .map(|line| line.trim().chars().take(LINE_CHARACTERS).collect())
        .collect();
    vec![Check::Log.warning(
        format!(
            "{} in the last day, the newest:\n{}",
            counted(bad.len(), "error", "errors"),
            newest.join("\n")
        ),
        format!("{} shows what was around them", unit.scope.log_command()),
    )]
}

/// Finds errors in telecoder's lines, as text and as JSON, and in systemd's about it. The journal cannot select them:
/// the bot's lines have no priority. A text line begins with its level there, because the journal adds the time.
fn is_bad(line: &str) -> bool {
    const SIGNS: [&str; 4] = [
        " ERROR ",
        "\"level\":\"ERROR\"",
        "Failed with result",
        "Main process exited",
    ];
    line.starts_with("ERROR ") || SIGNS.iter().any(|sign| line.contains(sign))
}
