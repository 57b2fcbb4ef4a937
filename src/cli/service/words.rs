//! The sentences about the service. Pure.

use crate::systemd::{Scope, Unit};

/// If systemd does not run the machine.
pub(super) const NO_SYSTEMD: &str = "systemd does not run this machine (in most containers it does not), so there is no service to manage. Start the \
     bot by `telecoder` in a terminal that stays, or as the container's command; after a restart it finds its runs again";

/// For the user that the machine's service runs as.
pub(super) const MACHINE_HAS_ONE: &str = "telecoder is a service of the whole machine here already, and runs as this user. Nothing was changed. This starts \
     it: sudo telecoder service start";

/// The facts that `status` shows.
pub(super) struct Status<'a> {
    pub scope: Scope,
    pub shown: &'a Unit,
    /// The running program is not the one on disk any more.
    pub is_replaced: bool,
    pub running: Option<usize>,
}

pub(super) fn status(status: &Status) -> String {
    let shown = status.shown;
    if !matches!(shown.property("LoadState"), "loaded") {
        return "telecoder is not installed as a service. Try: telecoder service install".into();
    }
    let mut lines = vec![first_line(status)];
    if status.is_replaced {
        lines.push(format!(
            "Another version has been put in its place; `{}` starts it, and runs continue.",
            command(status.scope, "restart")
        ));
    }
    if let Some(running) = status.running.filter(|running| *running > 0) {
        lines.push(format!("{}.", going_on(running)));
    }
    lines.push(match (shown.is_enabled(), status.scope) {
        (true, Scope::System) => "It starts with the machine.".into(),
        (true, Scope::User) => {
            "It starts when you log in, or with the machine if you linger.".into()
        }
        (false, _) => format!(
            "It does not start by itself; `{}` changes that.",
            command(status.scope, "install")
        ),
    });
    lines.join("\n")
}

fn first_line(status: &Status) -> String {
    let shown = status.shown;
    let since = match shown.property("ActiveEnterTimestamp") {
        "" => String::new(),
        since => format!(" since {since}"),
    };
    let process = shown
        .process()
        .map_or_else(String::new, |process| format!(", process {process}"));
    match (shown.property("ActiveState"), shown.property("SubState")) {
        ("active" | "reloading", _) => {
            let version = shown
                .version()
                .map_or_else(String::new, |version| format!(", version {version}"));
            let restarts = match shown.property("NRestarts") {
                "" | "0" => String::new(),
                "1" => ", started again once by systemd".into(),
                times => format!(", started again {times} times by systemd"),
            };
            format!("telecoder is running{since}{process}{version}{restarts}.")
        }
        ("activating", "auto-restart") => format!(
            "telecoder is not running: {}. systemd starts it again in a few seconds; `{}` says more.",
            how_it_ended(shown),
            command(status.scope, "logs")
        ),
        ("activating", _) => format!("telecoder is starting{process}."),
        ("deactivating", _) => format!("telecoder is stopping{process}."),
        ("failed", _) => format!(
            "telecoder is not running: {}. `{}` says more.",
            how_it_ended(shown),
            command(status.scope, "logs")
        ),
        _ => format!(
            "telecoder is not running: it was stopped, or not started yet. `{}` starts it.",
            command(status.scope, "start")
        ),
    }
}

/// After a start or a restart that failed.
pub(super) fn did_not_start(scope: Scope, shown: &Unit) -> String {
    let init = match shown.property("ExecMainStatus") {
        "2" => "; `telecoder init`, as the user of the service, asks for the settings",
        _ => "",
    };
    format!(
        "the bot did not start: {}. `{}` says more{init}",
        how_it_ended(shown),
        command(scope, "logs")
    )
}

/// Format: systemd.service(5), `$SERVICE_RESULT`.
fn how_it_ended(shown: &Unit) -> String {
    match (shown.property("Result"), shown.property("ExecMainStatus")) {
        ("exit-code", "2") => {
            "a setting is wrong, or Telegram refused the token (exit code 2)".into()
        }
        ("exit-code", "3") => "another telecoder has its data folder (exit code 3)".into(),
        ("exit-code", "203") => "its program cannot be started (exit code 203)".into(),
        ("exit-code", "217") => "its user is not there any more (exit code 217)".into(),
        ("exit-code", code) => format!("it ended with exit code {code}"),
        ("success", _) => "it was told to end".into(),
        ("watchdog", _) => "it hung and was ended".into(),
        ("oom-kill", _) => "the kernel ended it, because there was no memory left".into(),
        ("signal" | "core-dump", signal) => format!("it was ended by signal {signal}"),
        ("timeout", _) => "it took too long to start or to stop".into(),
        (other, _) => format!("systemd says \"{other}\""),
    }
}

/// After a stop or a removal.
pub(super) fn runs_after_stop(running: Option<usize>) -> String {
    match running {
        Some(0) => "No run was going on.".into(),
        Some(running) => format!(
            "{} without it; when telecoder starts again, it follows them and posts their answers.",
            going_on(running)
        ),
        None => {
            "Current runs continue without it; when telecoder starts again, it follows them.".into()
        }
    }
}

fn going_on(running: usize) -> String {
    match running {
        1 => "1 run continues".into(),
        many => format!("{many} runs continue"),
    }
}

pub(super) fn linger(user: &str) -> String {
    format!(
        "To run it while you are logged out, and start it at boot: sudo loginctl enable-linger {user}"
    )
}

pub(super) fn no_such_user(user: &str) -> String {
    let home = format!("/home/{user}");
    format!(
        "there is no user {user} on this machine. Nothing was changed. deploy/install.sh makes one, and so does: \
         sudo useradd --system --create-home --home-dir {home} --shell /bin/bash {user}. --run-as names another one"
    )
}

/// The command that a person types.
pub(super) fn command(scope: Scope, verb: &str) -> String {
    match scope {
        Scope::System => format!("sudo telecoder service {verb}"),
        Scope::User => format!("telecoder service {verb}"),
    }
}
