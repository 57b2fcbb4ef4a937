//! `telecoder doctor`: what is well, what is not, and what to do.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::{CHAT, Fault, Machine, TEAM, TOKEN};

/// A unit as it should be, running.
const WELL: [(&str, &str); 11] = [
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
];

/// A machine with a service manager that says this of telecoder's unit, some of it otherwise; and without the unit's
/// log.
fn machine_with_service(otherwise: &[(&str, &str)]) -> Machine {
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
            format!("{name}={}\n", other.map_or(value, |(_, other)| other))
        })
        .collect();
    let environment = machine.folder.path().join("seen-by-systemctl");
    machine.script(
        "bin/systemctl",
        &format!(
            "env >> {}\ncase \"$*\" in *--user*) echo LoadState=not-found;; *) cat <<'E'\n{properties}User={user}\nE\n;; esac",
            environment.display()
        ),
    );
    machine.script("bin/journalctl", "exit 0");
    machine.with("PATH", path)
}

/// What it found, and whether it exits with 1.
struct Report {
    checks: Vec<Value>,
    text: String,
    code: Option<i32>,
}

fn doctor(machine: &Machine) -> Report {
    let output = machine
        .telecoder(&["doctor", "--json"])
        .output()
        .expect("telecoder starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let said = format!("{text}{}", String::from_utf8_lossy(&output.stderr));
    let (_, secret) = TOKEN.split_once(':').expect("a token");
    assert!(!said.contains(secret), "{said}");
    let json: Value = serde_json::from_str(&text).expect("JSON");
    let checks = json["checks"].as_array().expect("an array").clone();
    for check in &checks {
        let needs_remedy = check["mark"] == "warning" || check["mark"] == "broken";
        assert_eq!(check["remedy"].is_string(), needs_remedy, "{check}");
    }
    let broken = checks.iter().filter(|it| it["mark"] == "broken").count();
    assert_eq!(json["broken"], broken);
    assert_eq!(output.status.code(), Some(i32::from(broken > 0)), "{said}");
    Report {
        checks,
        text,
        code: output.status.code(),
    }
}

impl Report {
    /// One of the findings is this.
    fn has(&self, check: &str, mark: &str, found: &str, remedy: &str) {
        let is_there = self.checks.iter().any(|it| {
            let says = |field: &str, part: &str| it[field].as_str().unwrap_or("").contains(part);
            it["check"] == check
                && it["mark"] == mark
                && says("found", found)
                && says("remedy", remedy)
        });
        assert!(
            is_there,
            "no {mark} {check} {found:?} {remedy:?} in {}",
            self.text
        );
    }

    fn marks(&self) -> Vec<(&str, &str)> {
        self.checks
            .iter()
            .map(|it| {
                (
                    it["check"].as_str().expect("a word"),
                    it["mark"].as_str().expect("a word"),
                )
            })
            .collect()
    }
}

#[test]
fn all_is_well_on_a_healthy_machine_beside_its_running_bot() {
    let machine = machine_with_service(&[]);
    let _bot = machine.start();
    machine.ada_says("hello");
    machine.message_with("You said: hello");
    machine.until_quiet();
    let polls = machine.api.polls();
    let began = Instant::now();
    let report = doctor(&machine);
    // A debug build, among other tests.
    assert!(began.elapsed() < Duration::from_secs(10));
    assert_eq!(report.code, Some(0));
    for (check, mark) in report.marks() {
        assert!(
            mark == "good" || mark == "remark",
            "{check}: {}",
            report.text
        );
    }
    report.has("token", "good", "the bot is @test_coder_bot", "");
    report.has("people", "good", "1 person may use the bot: Person (7)", "");
    report.has("groups", "good", "Team (-100500): the bot is in it", "");
    report.has("groups", "remark", "privacy mode is on", "");
    report.has("updates", "good", "the bot here takes them", "");
    report.has("workspaces", "good", "1 session", "");
    report.has("claude", "good", "2.1.197 (fake claude)", "");
    report.has("login", "good", "", "");
    report.has(
        "service",
        "good",
        "runs since Mon 2026-11-23 08:00:00 UTC",
        "",
    );
    report.has("bot", "good", "at work, process ", "");
    assert_eq!(machine.api.polls(), polls, "the bot's own poll goes on");

    let text = machine.telecoder(&["doctor"]).output().expect("it starts");
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(text.contains("✓ Token        Telegram takes it"), "{text}");
    assert!(text.ends_with("All is well.\n"), "{text}");
    assert!(!text.contains('\u{1b}'), "no colours in a pipe: {text}");

    let seen = std::fs::read_to_string(machine.folder.path().join("seen-by-systemctl"));
    let seen = seen.expect("systemctl was asked");
    assert!(
        seen.contains("PATH=") && !seen.contains("TELEGRAM_"),
        "{seen}"
    );
}

/// A change to a machine, and what is then found broken: check, part of what was found, part of the remedy.
type Case = (
    fn(Machine) -> Machine,
    &'static str,
    &'static str,
    &'static str,
);

const BROKEN: [Case; 17] = [
    (
        |machine| machine.without("TELEGRAM_BOT_TOKEN"),
        "settings",
        "TELEGRAM_BOT_TOKEN is missing",
        "@BotFather",
    ),
    (
        |machine| machine.with("TELEGRAM_BOT_TOKEN", "43:another-token"),
        "token",
        "Telegram does not take it",
        "/mybots",
    ),
    (
        |machine| machine.with("TELEGRAM_API_URL", "http://127.0.0.1:9"),
        "telegram",
        "Telegram cannot be reached",
        "Check this machine's network",
    ),
    (
        |machine| {
            machine.api.set_webhook("https://hook.example/secret/path");
            machine
        },
        "updates",
        "a webhook at hook.example, so telecoder gets none",
        "--delete-webhook",
    ),
    (
        |machine| machine.without("TELECODER_TG_ALLOWED_USERS"),
        "people",
        "nobody may use the bot",
        "telecoder init",
    ),
    (
        |machine| {
            let ahead = SignedDuration::from_secs(120);
            machine.api.set_clock_ahead(ahead);
            machine
        },
        "clock",
        "s behind Telegram's",
        "timedatectl set-ntp true",
    ),
    (
        |machine| {
            let file = machine.folder.path().join(".env");
            std::fs::write(&file, "MY_KEY=x\n").expect("a file");
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644))
                .expect("its rights");
            machine
        },
        "settings",
        "can be read or changed by others (its rights are 644)",
        "chmod 600 ",
    ),
    (
        |machine| {
            machine.start().terminate();
            let open = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(machine.data(), open).expect("its rights");
            machine
        },
        "data",
        "can be looked into by others",
        "chmod 700 ",
    ),
    (
        |machine| {
            std::fs::write(machine.data(), "a file").expect("a file");
            machine
        },
        "data",
        "is no folder",
        "TELECODER_DATA",
    ),
    (
        |machine| {
            machine.start().terminate();
            for beside in ["telecoder.db-wal", "telecoder.db-shm"] {
                std::fs::remove_file(machine.data().join(beside)).ok();
            }
            std::fs::write(machine.data().join("telecoder.db"), [b'x'; 9000]).expect("a file");
            machine
        },
        "database",
        "it cannot be used",
        "restore a backup",
    ),
    (
        |machine| {
            machine.start().terminate();
            let index = "UPDATE sqlite_schema SET sql = replace(sql, 'state = ''stored''', 'state = ''done''') \
                         WHERE name = 'updates_stored'";
            let db = machine.database();
            db.execute_batch(
                "INSERT INTO updates (update_id, raw, state, received_at) VALUES (9, '{}', 'done', 9)",
            )
            .expect("a row");
            db.execute_batch(&format!("PRAGMA writable_schema = ON; {index}"))
                .expect("a damage");
            machine
        },
        "database",
        "it is damaged: ",
        "restore a backup",
    ),
    (
        |machine| {
            machine.start().terminate();
            let newer = machine
                .database()
                .pragma_update(None, "user_version", 9_999);
            newer.expect("a version");
            machine
        },
        "database",
        "of a newer telecoder",
        "Install the newer telecoder",
    ),
    (
        |machine| machine.with("PATH", "/nowhere"),
        "git",
        "there is no git",
        "install git",
    ),
    (
        |machine| {
            std::fs::create_dir(machine.folder.path().join("old")).expect("a folder");
            machine.script("old/git", "echo git version 2.30.2");
            let path = machine.folder.path().join("old").display().to_string();
            machine.with("PATH", format!("{path}:/usr/bin:/bin"))
        },
        "git",
        "2.30.2 at ",
        "Install a newer git",
    ),
    (
        |machine| machine.with("TELECODER_RUNTIME", "no-such-claude"),
        "claude",
        "no-such-claude is not where telecoder looks for programs",
        "npm install -g @anthropic-ai/claude-code",
    ),
    (
        |machine| machine.with("FAKE_CLAUDE_LOGGED_OUT", "1"),
        "login",
        "claude is not logged in",
        "ANTHROPIC_API_KEY",
    ),
    (
        |machine| machine.with("TELECODER_PERMISSION_MODE", "yolo"),
        "permissions",
        "unknown to claude: yolo",
        "bypassPermissions",
    ),
];

#[test]
fn each_thing_that_is_broken_is_said_with_its_remedy() {
    std::thread::scope(|threads| {
        for (breaks, check, found, remedy) in BROKEN {
            threads.spawn(move || {
                let report = doctor(&breaks(Machine::new()));
                report.has(check, "broken", found, remedy);
                assert_eq!(report.code, Some(1));
            });
        }
    });
}

#[test]
fn a_disk_that_is_almost_full_is_seen() {
    let machine = Machine::new();
    std::fs::create_dir(machine.data()).expect("a folder");
    let mount = format!(
        "mount -t tmpfs -o size=24m,mode=700 none {}",
        machine.data().display()
    );
    let within = |command: &str| {
        let mut unshare = Command::new("unshare");
        unshare
            .args(["--user", "--map-root-user", "--mount", "sh", "-c"])
            .arg(format!("{mount} && {command}"))
            .env_clear()
            .envs(&machine.environment)
            .current_dir(machine.folder.path());
        unshare
    };
    // Some systems let only root have disks of their own.
    if !within("true").status().is_ok_and(|status| status.success()) {
        return;
    }
    let report = within(&format!("exec {} doctor", env!("CARGO_BIN_EXE_telecoder"))).output();
    let report = String::from_utf8(report.expect("it starts").stdout).expect("text");
    assert!(
        report.contains("✗ Disk         25 MB of 25 MB free"),
        "{report}"
    );
    assert!(report.contains("→ Make room: "), "{report}");
}

#[test]
fn where_everything_is_broken_every_check_still_has_its_line() {
    let machine = Machine::new();
    let nothing = machine
        .telecoder(&["doctor", "--json"])
        .env_clear()
        .env("XDG_CONFIG_HOME", "/nowhere")
        .output()
        .expect("it starts");
    assert_eq!(nothing.status.code(), Some(1));
    let json: Value = serde_json::from_slice(&nothing.stdout).expect("JSON");
    let mut checks: Vec<&str> = json["checks"]
        .as_array()
        .expect("an array")
        .iter()
        .filter_map(|it| it["check"].as_str())
        .collect();
    checks.dedup();
    let all = [
        "settings",
        "telegram",
        "token",
        "updates",
        "people",
        "clock",
        "data",
        "space",
        "database",
        "git",
        "claude",
        "login",
        "permissions",
        "bot",
        "service",
        "log",
    ];
    assert_eq!(checks, all);
    assert_eq!(json["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn nothing_that_waits_at_telegram_is_confirmed_by_a_look() {
    let machine = Machine::new();
    machine.ada_says("written while no bot was there");
    let report = doctor(&machine);
    report.has("updates", "good", "1 message waits at Telegram", "");
    report.has("bot", "warning", "none is at work here", "telecoder");
    assert_eq!(machine.api.unconfirmed(), 1);
    let _bot = machine.start();
    machine.message_with("You said: written while no bot was there");
}

#[test]
fn another_program_that_polls_with_the_same_token_is_seen() {
    let machine = Machine::new();
    let over = AtomicBool::new(false);
    let url = format!("{}/bot{TOKEN}/getUpdates", machine.api.url());
    std::thread::scope(|threads| {
        threads.spawn(|| {
            machine.runtime.block_on(async {
                let client = reqwest::Client::new();
                while !over.load(Ordering::Relaxed) {
                    let asked = client.post(&url).json(&json!({"timeout": 5})).send();
                    let _ = tokio::time::timeout(Duration::from_secs(6), asked).await;
                }
            });
        });
        machine.until("it polls", || (machine.api.polls() > 0).then_some(()));
        let report = doctor(&machine);
        over.store(true, Ordering::Relaxed);
        // Lets its last poll end at once.
        machine.ada_says("over");
        report.has("updates", "broken", "(409)", "Stop the other program");
    });
}

#[test]
fn what_needs_a_look_is_said_and_is_no_failure() {
    let machine = Machine::new().with("TELECODER_MODLE", "opus");
    machine.api.plan(
        "sendMessage",
        Some(CHAT.0),
        1,
        Fault::Refuse(403, "Forbidden: bot was blocked by the user"),
    );
    let bot = machine.start();
    machine.ada_says("one");
    machine.until("its answer is parked", || {
        (machine.rows("SELECT count(*) FROM outbox WHERE state = 'parked'") == [1]).then_some(())
    });
    machine.api.leave(TEAM);
    let workspaces = machine.data().join("workspaces");
    let workspace = std::fs::read_dir(&workspaces)
        .expect("it is there")
        .flatten()
        .next();
    std::fs::rename(workspace.expect("one").path(), workspaces.join("stray")).expect("it moves");
    let report = doctor(&machine);
    report.has(
        "settings",
        "warning",
        "TELECODER_MODLE is no setting",
        "mistyped",
    );
    report.has(
        "groups",
        "warning",
        "Team (-100500): the bot is not in it",
        "Add the bot",
    );
    report.has(
        "waiting",
        "warning",
        "1 message could not be delivered, in 1 chat",
        "/status",
    );
    report.has(
        "workspaces",
        "warning",
        "workspaces/stray",
        "remove by hand",
    );
    report.has(
        "workspaces",
        "warning",
        "sessions without their folder: ",
        "/new",
    );
    assert!(workspaces.join("stray").is_dir(), "nothing is taken away");
    assert_eq!(report.code, Some(0));
    drop(bot);
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
    report.has("log", "warning", "another program polls (***)", "");
    report.has("log", "warning", "the bot hangs", "");
    assert!(!report.text.contains("all is well"), "{}", report.text);
}

#[test]
fn a_bot_whose_program_was_replaced_is_to_be_restarted() {
    let machine = Machine::new();
    let old = machine.folder.path().join("telecoder-of-before");
    std::fs::copy(env!("CARGO_BIN_EXE_telecoder"), &old).expect("a copy");
    let mut command = Command::new(&old);
    command
        .arg("serve")
        .env_clear()
        .envs(&machine.environment)
        .current_dir(machine.folder.path());
    let polls = machine.api.polls();
    let _bot = machine.start_as(command);
    machine.until("the bot polls", || {
        (machine.api.polls() > polls).then_some(())
    });
    doctor(&machine).has(
        "bot",
        "warning",
        "with another program than this one",
        "Restart",
    );
    std::fs::remove_file(&old).expect("it goes");
    doctor(&machine).has("bot", "warning", "was replaced since it started", "Restart");
}

#[test]
fn claude_is_held_against_the_version_that_telecoder_is_tested_with() {
    let machine = Machine::new();
    let claude = |version: &str| {
        machine
            .script("claude", &format!("[ $1 = auth ] && echo '{{\"loggedIn\": true}}' || echo '{version} (Claude Code)'"))
            .display()
            .to_string()
    };
    let old = claude("1.0.9");
    let machine = machine.with("TELECODER_RUNTIME", old);
    doctor(&machine).has("claude", "warning", "1.0.9 (Claude Code)", "claude update");
    std::fs::write(
        machine.folder.path().join("claude"),
        "#!/bin/sh\n[ $1 = auth ] && echo '{\"loggedIn\": true}' || echo '2.1.200 (Claude Code)'\n",
    )
    .expect("a script");
    doctor(&machine).has("claude", "good", "(tested with 2.1.197)", "");
}
