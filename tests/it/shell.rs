//! `telecoder session` in a terminal, beside a running bot.

use serde_json::Value;

use crate::support::Machine;
use crate::support::git::repository;

/// Runs telecoder to its end; its exit code and what it said on stdout.
fn shell(machine: &Machine, arguments: &[&str]) -> (Option<i32>, String) {
    let output = machine
        .telecoder(arguments)
        .output()
        .expect("telecoder starts");
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stdout).into_owned(),
    )
}

fn session_of(machine: &Machine) -> String {
    let (code, listed) = shell(machine, &["session", "list", "--json"]);
    assert_eq!(code, Some(0));
    let listed: Value = serde_json::from_str(&listed).expect("JSON");
    listed[0]["session"].as_str().expect("a session").to_owned()
}

#[test]
fn sessions_are_listed_and_shown_with_what_was_measured() {
    let machine = Machine::new().with("TELECODER_TEST_CMD", "echo '2 passed, 1 failed'; exit 1");
    let project = repository(machine.folder.path());
    let _bot = machine.start();
    machine.ada_says(&format!("/new {}", project.display()));
    machine.message_with("The worktree of ");
    machine.ada_says("[[bash: echo x > x]] [[say: one]]");
    machine.message_with("✗ Tests: 1 of 3 failed");
    let (code, listed) = shell(&machine, &["session", "list"]);
    assert_eq!(code, Some(0));
    assert!(listed.contains("ready"), "{listed}");
    assert!(listed.contains(&project.display().to_string()), "{listed}");
    let session = session_of(&machine);
    let (code, shown) = shell(&machine, &["session", "inspect", &session]);
    assert_eq!(code, Some(0));
    for part in [
        "Chat        7",
        "after a run",
        "✗ Tests: 1 of 3 failed",
        "1 file changed, +1 −0",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let (_, json) = shell(&machine, &["session", "inspect", &session, "--json"]);
    let json: Value = serde_json::from_str(&json).expect("JSON");
    let check = &json["verifications"][0]["evidence"]["checks"][0];
    assert_eq!(check["kind"], "tests");
    assert_eq!(check["counts"]["failed"], 1);
    assert_eq!(check["ended"]["failed"]["code"], 1);
    let (code, _) = shell(&machine, &["session", "inspect", "nonsense"]);
    assert_eq!(code, Some(1));
}

#[test]
fn checks_can_be_set_and_run_from_a_terminal_and_the_chat_hears_of_it() {
    let machine = Machine::new();
    let bot = machine.start();
    machine.ada_says("hello");
    machine.message_with("You said: hello");
    machine.until_quiet();
    let session = session_of(&machine);
    let (code, shown) = shell(
        &machine,
        &[
            "session",
            "verify",
            &session,
            "--test-cmd",
            "echo '9 passed'",
            "--lint-cmd",
            "",
        ],
    );
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("✓ Tests: 9 passed"), "{shown}");
    machine.message_with("✓ Tests: 9 passed");
    let (code, shown) = shell(
        &machine,
        &["session", "verify", &session, "--test-cmd", "false"],
    );
    assert_eq!(code, Some(1), "{shown}");
    bot.kill();
    let (code, said) = machine.run_to_its_end(&[
        "session",
        "verify",
        &session,
        "--test-cmd",
        "echo '8 passed'",
    ]);
    assert_eq!(code, Some(1));
    assert!(
        said.contains("no bot is at work here. It is written down"),
        "{said}"
    );
    let _bot = machine.start();
    machine.message_with("✓ Tests: 8 passed");
}

#[test]
fn where_nothing_has_run_yet_the_shell_says_so() {
    let machine = Machine::new();
    let output = machine
        .telecoder(&["session", "list"])
        .output()
        .expect("telecoder starts");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("there is no database at"), "{said}");
}
