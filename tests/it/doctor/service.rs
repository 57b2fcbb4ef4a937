//! The service, with a service manager that answers what the test wants.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::Command;

use rustix::process::Signal;
use telecoder::telegram::poll::NO_OTHER_POLLER;

use super::doctor;
use crate::support::{Fault, Machine, TOKEN, fake_claude, processes};

/// A unit as it should be, running.
const WELL: [(&str, &str); 12] = [
    ("LoadState", "loaded"),
    ("UnitFileState", "enabled"),
    ("ActiveState", "active"),
    ("SubState", "running"),
    ("Result", "success"),
    ("ActiveEnterTimestamp", "Mon 2026-11-23 08:00:00 UTC"),
    ("NRestarts", "0"),
    ("KillMode", "process"),
    ("OOMPolicy", "continue"),
    ("Environment", ""),
    ("EnvironmentFiles", ""),
    ("User", "whoever runs this"),
];

/// A machine with a service manager that says this of telecoder's unit, some of it otherwise; and without the unit's
/// log.
pub(super) fn machine_with_service(otherwise: &[(&str, &str)]) -> Machine {
    let machine = Machine::new();
    let bin = machine.folder.path().join("bin");
    std::fs::create_dir(&bin).expect("a folder");
    let path = format!("{}:{}", bin.display(), machine.environment["PATH"]);
    let user = Command::new("id").arg("-un").output().expect("id").stdout;
    let user = String::from_utf8_lossy(&user).trim().to_owned();
    let properties: String = WELL
        .iter()
        .map(|(name, value)| {
            let other = otherwise.iter().find(|(it, _)| it == name);
            let value = if *name == "User" { &user } else { *value };
            format!("{name}={}\n", other.map_or(value, |(_, other)| other))
        })
        .collect();
    let environment = machine.folder.path().join("seen-by-systemctl");
    machine.script(
        "bin/systemctl",
        &format!(
            "env >> {}\ncase \"$*\" in *--user*) echo LoadState=not-found;; *) cat <<'E'\n{properties}E\n;; esac",
            environment.display()
        ),
    );
    machine.script("bin/journalctl", "exit 0");
    machine.with("PATH", path)
}

#[test]
fn a_service_that_would_not_go_on_is_seen() {
    let cases = [
        (
            ("ActiveState", "failed"),
            "broken",
            "it has failed",
            "journalctl",
        ),
        (
            ("ActiveState", "inactive"),
            "broken",
            "it does not run",
            "systemctl start telecoder",
        ),
        (
            ("LoadState", "bad-setting"),
            "broken",
            "cannot use its unit (bad-setting)",
            "telecoder service install",
        ),
        (
            ("UnitFileState", "disabled"),
            "warning",
            "does not start with the machine",
            "systemctl enable",
        ),
        (
            ("NRestarts", "7"),
            "warning",
            "start it again 7 times",
            "journalctl",
        ),
        (
            ("KillMode", "control-group"),
            "warning",
            "ends the runs",
            "KillMode=process",
        ),
        (
            ("OOMPolicy", "stop"),
            "warning",
            "all other runs",
            "OOMPolicy=continue",
        ),
    ];
    for (otherwise, mark, found, remedy) in cases {
        let report = doctor(&machine_with_service(&[otherwise]));
        report.has("service", mark, found, remedy);
    }
    let machine = machine_with_service(&[("LoadState", "not-found")]);
    doctor(&machine).has(
        "service",
        "warning",
        "not a service here",
        "telecoder service install",
    );
}

#[test]
fn a_service_of_ones_own_that_ends_with_the_login_is_seen() {
    let machine = machine_with_service(&[("ActiveState", "inactive")]);
    let systemctl = machine.folder.path().join("bin/systemctl");
    let of_system = std::fs::read_to_string(&systemctl).expect("a script");
    let of_user = of_system
        .replace("*--user*) echo LoadState=not-found;; *)", "*--user*)")
        .replace(";; esac", ";; *) echo LoadState=not-found;; esac");
    std::fs::write(&systemctl, of_user).expect("a script");
    machine.script("bin/loginctl", "echo Linger=no");
    let report = doctor(&machine);
    report.has(
        "service",
        "warning",
        "it ends when you log out",
        "loginctl enable-linger",
    );
    report.has(
        "service",
        "broken",
        "a service of your own; it does not run",
        "systemctl --user start",
    );
}

#[test]
fn the_services_own_settings_are_the_ones_that_are_looked_at() {
    let private = std::fs::Permissions::from_mode(0o700);
    let there = tempfile::Builder::new().permissions(private).tempdir();
    let there = there.expect("a folder");
    let data = format!(
        "TELECODER_DATA={} \"MY_NAME=two words\"",
        there.path().display()
    );
    let file = there.path().join("telecoder.env");
    std::fs::write(&file, "TELECODER_TG_ALLOWED_USERS=8,9\n").expect("a file");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("its rights");
    let files = format!("{} (ignore_errors=yes)", file.display());
    let machine = machine_with_service(&[("Environment", &data), ("EnvironmentFiles", &files)])
        .without("TELECODER_DATA")
        .without("TELECODER_TG_ALLOWED_USERS");
    let report = doctor(&machine);
    report.has("data", "good", &there.path().display().to_string(), "");
    report.has(
        "people",
        "good",
        "2 people may use the bot: 8 (has not written",
        "",
    );
}

#[test]
fn root_is_told_what_only_the_services_user_can_see() {
    let claude = format!("TELECODER_RUNTIME={}", fake_claude().display());
    let machine = machine_with_service(&[("User", "nobody"), ("Environment", &claude)])
        .without("IS_SANDBOX")
        .with("TELECODER_PERMISSION_MODE", "plan");
    let report = doctor(&machine);
    let same = "sudo -u nobody -H telecoder doctor";
    if std::fs::metadata("/proc/self").expect("it is there").uid() != 0 {
        report.has("user", "warning", "the service runs as nobody", same);
        return;
    }
    report.has("user", "remark", same, "");
    // It is not root's rights that claude has, and not root's settings that count.
    report.has("permissions", "good", "bypassPermissions", "");
    report.has("login", "remark", "only the login of nobody counts", "");
}

#[test]
fn roots_own_settings_are_not_taken_for_those_of_the_services_user() {
    if std::fs::metadata("/proc/self").expect("it is there").uid() != 0 {
        return;
    }
    let there = tempfile::tempdir().expect("a folder");
    let file = there.path().join("telecoder.env");
    std::fs::write(&file, "TELECODER_TG_ALLOWED_USERS=8,9\n").expect("a file");
    let files = format!("{} (ignore_errors=yes)", file.display());
    let machine = machine_with_service(&[("User", "nobody"), ("EnvironmentFiles", &files)]);
    let report = doctor(&machine);
    report.has("settings", "broken", "TELEGRAM_BOT_TOKEN is missing", "");
    report.has("people", "good", "2 people may use the bot: 8, 9", "");
}

/// What a bot writes to the journal, in this form, that is told that another program polls.
fn logged_to_a_journal(format: &str) -> String {
    let machine = Machine::new().with("TELECODER_LOG_FORMAT", format);
    let conflict = "Conflict: terminated by other getUpdates request";
    machine
        .api
        .plan("getUpdates", None, 1, Fault::Refuse(409, conflict));
    let journal = machine.folder.path().join("journal");
    let file = std::fs::File::create(&journal).expect("a file");
    let is = file.metadata().expect("it is there");
    let mut command = machine.telecoder(&["serve"]);
    let bot = command
        .env("JOURNAL_STREAM", format!("{}:{}", is.dev(), is.ino()))
        .stderr(file)
        .spawn()
        .expect("it starts");
    let said = || std::fs::read_to_string(&journal).expect("text");
    machine.until("it says so", || {
        said().contains("another program polls").then_some(())
    });
    processes::signal(bot.id(), Signal::TERM);
    bot.wait_with_output().expect("it ends");
    said()
}

#[test]
fn an_error_is_found_as_a_real_bot_writes_it_to_the_journal() {
    for format in ["text", "json"] {
        let written = logged_to_a_journal(format);
        let machine = machine_with_service(&[]);
        let journal = machine.folder.path().join("journal");
        std::fs::write(&journal, written).expect("a file");
        machine.script("bin/journalctl", &format!("cat {}", journal.display()));
        let report = doctor(&machine);
        report.has("log", "warning", "1 error in the last day", "journalctl");
        report.has("log", "warning", "another program polls", "");
    }
}

#[test]
fn another_program_that_polls_beside_the_running_bot_is_known_from_its_log() {
    let machine = machine_with_service(&[]);
    let journal = machine.folder.path().join("journal");
    machine.script("bin/journalctl", &format!("cat {}", journal.display()));
    let _bot = machine.start();
    let conflict = logged_to_a_journal("text");
    std::fs::write(&journal, &conflict).expect("a file");
    let polls = machine.api.polls();
    let stop = "Stop the other program";
    doctor(&machine).has("updates", "broken", "(409)", stop);
    let over = format!("{conflict} INFO telecoder::telegram::poll: {NO_OTHER_POLLER}\n");
    std::fs::write(&journal, over).expect("a file");
    let report = doctor(&machine);
    report.has("updates", "good", "and no other program", "");
    assert!(machine.api.polls() <= polls + 1, "nobody was disturbed");
}

#[test]
fn the_last_errors_of_the_services_log_are_shown_without_secrets() {
    let machine = machine_with_service(&[]);
    machine.script(
        "bin/journalctl",
        &format!(
            "echo '2026-11-23 INFO telecoder: all is well'\n\
             echo '2026-11-23 ERROR telecoder: another program polls ({TOKEN})'\n\
             echo '{{\"level\":\"ERROR\",\"message\":\"the bot hangs\"}}'"
        ),
    );
    let report = doctor(&machine);
    report.has(
        "log",
        "warning",
        "2 errors in the last day",
        "journalctl -u telecoder",
    );
    report.has(
        "log",
        "warning",
        "another program polls ([redacted: TELEGRAM_BOT_TOKEN])",
        "",
    );
    report.has("log", "warning", "the bot hangs", "");
    assert!(!report.text.contains("all is well"), "{}", report.text);
}
