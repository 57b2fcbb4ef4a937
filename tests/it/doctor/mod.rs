//! `telecoder doctor`: what is well, what is not, and what to do.

mod broken;
mod service;

use std::net::TcpListener;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{CHAT, Fault, Machine, TEAM, TOKEN};
use service::machine_with_service;

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
fn an_owner_who_writes_as_the_group_is_not_heard_there() {
    let machine = Machine::new();
    machine.api.hide_admins(TEAM);
    doctor(&machine).has(
        "groups",
        "warning",
        "the owner writes there as the group",
        "Remain anonymous",
    );
}

#[test]
fn all_is_well_on_a_healthy_machine_beside_its_running_bot() {
    let machine = machine_with_service(&[]);
    let _bot = machine.start();
    machine.ada_says("hello");
    machine.message_with("You said: hello");
    machine.until_quiet();
    let polls = machine.api.polls();
    let report = doctor(&machine);
    assert!(
        !report.text.contains("could not be found out"),
        "{}",
        report.text
    );
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
    report.has("bot", "good", "running, process ", "");
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

#[test]
fn nothing_that_waits_at_telegram_is_confirmed_by_a_look() {
    let machine = Machine::new();
    machine.ada_says("written while no bot was there");
    let report = doctor(&machine);
    report.has("updates", "good", "1 message waits at Telegram", "");
    report.has("bot", "warning", "none is running here", "telecoder");
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
fn a_running_bot_that_shows_its_health_is_asked_whether_another_program_polls() {
    let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = free.local_addr().expect("its number").to_string();
    drop(free);
    let machine = Machine::new().with("TELECODER_WEB_ADDR", address);
    let conflict = "Conflict: terminated by other getUpdates request";
    let fault = Fault::Refuse(409, conflict);
    machine.api.plan_after("getUpdates", None, 1, 1, fault);
    let bot = machine.start();
    machine.until_log(&bot, "health and metrics can be read here");
    doctor(&machine).has("updates", "good", "and no other program", "");
    // Ends the poll that waits, so that there is another one.
    machine.ada_says("hello");
    machine.until_log(&bot, "another program polls");
    let report = doctor(&machine);
    report.has("updates", "broken", "(409)", "Stop the other program");
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
    doctor(&machine).has("claude", "good", "2.1.200 (Claude Code)", "");
    std::fs::write(
        machine.folder.path().join("claude"),
        "#!/bin/sh\n[ $1 = auth ] && echo '{\"loggedIn\": true}' || echo '2.2.0 (Claude Code)'\n",
    )
    .expect("a script");
    doctor(&machine).has("claude", "remark", "2.2.0 (Claude Code)", "");
}
