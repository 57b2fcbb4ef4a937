//! The command that sets a new workspace up, before its first prompt.

use std::time::Duration;

use crate::support::git::{git, repository};
use crate::support::{Machine, processes};

#[test]
fn a_new_workspace_is_set_up_once_before_its_first_prompt() {
    let machine = Machine::new().with(
        "TELECODER_SETUP_CMD",
        "echo set up >> ../set-up.txt; sleep 0.2",
    );
    let project = repository(machine.folder.path());
    let _bot = machine.start();
    machine.ada_says("hello");
    machine.message_with("You said: hello");
    machine.ada_says(&format!("/new {}", project.display()));
    let ready = machine.message_with("The worktree of ");
    assert!(
        ready
            .text
            .contains("Its setup runs now: echo set up >> ../set-up.txt; sleep 0.2"),
        "{}",
        ready.text
    );
    let told = machine.message_with("✓ Setup: echo set up >> ../set-up.txt; sleep 0.2 · ");
    assert!(told.silent);
    for (number, prompt) in ["first", "second"].into_iter().enumerate() {
        machine.ada_says(&format!("[[bash: cat ../set-up.txt]] [[say: {prompt}]]"));
        machine.message_with(prompt);
        let lines = std::fs::read_to_string(machine.data().join("workspaces/set-up.txt"));
        assert_eq!(
            lines.expect("it ran"),
            "set up\n",
            "{number}: not for an empty workspace"
        );
    }
    machine.ada_says(&format!("/new file://{}", project.display()));
    machine.ada_says("[[bash: wc -l < ../set-up.txt > lines]] [[say: looked]]");
    machine.message_with("+1 −0 lines");
    machine.ada_says("/diff");
    machine.message_with("+2");
}

#[test]
fn a_setup_that_fails_says_why_and_leaves_the_workspace() {
    let machine = Machine::new().with(
        "TELECODER_SETUP_CMD",
        "echo 'package.json: no such file'; test ! -e fine && exit 3",
    );
    let project = repository(machine.folder.path());
    let _bot = machine.start();
    machine.ada_says(&format!("/new {}", project.display()));
    let told = machine.message_with("✗ Setup: ");
    assert!(!told.silent);
    for part in [
        "· exit code 3 · ",
        "The workspace stays as it is",
        "package.json: no such file",
    ] {
        assert!(told.text.contains(part), "{}", told.text);
    }
    machine.ada_says("hello");
    machine.message_with("You said: hello");
    assert!(git(&project, &["worktree", "list"]).contains("/workspaces/"));
}

#[test]
fn a_setup_can_be_watched_and_stopped() {
    let machine = Machine::new().with(
        "TELECODER_SETUP_CMD",
        "echo fetching; setsid nohup sleep 45651 >/dev/null 2>&1 & sleep 45651",
    );
    let project = repository(machine.folder.path());
    let _bot = machine.start();
    machine.ada_says(&format!("/new {}", project.display()));
    machine.ada_says("hello");
    let live = machine.message_with("Setting up · ");
    assert_eq!(live.buttons[0].0, "Stop");
    machine.message_with("fetching");
    machine.ada_says("/status");
    machine.message_with("Setting up: for ");
    machine.ada_says("/stop");
    let told = machine.message_with("– Setup: ");
    assert!(told.text.contains("stopped after "), "{}", told.text);
    machine.message_with("You said: hello");
    machine.until_quiet();
    assert_eq!(processes::with_word("45651"), [0; 0], "nobody is left");
}

#[test]
fn a_setup_that_takes_too_long_is_ended() {
    let machine = Machine::new()
        .with("TELECODER_SETUP_CMD", "sleep 45652")
        .with("TELECODER_VERIFY_TIMEOUT", "1s");
    let project = repository(machine.folder.path());
    let _bot = machine.start();
    machine.ada_says(&format!("/new {}", project.display()));
    machine.message_with("and ended (TELECODER_VERIFY_TIMEOUT)");
    assert_eq!(processes::with_word("45652"), [0; 0], "nobody is left");
}

#[test]
fn a_setup_that_was_cut_off_with_the_bot_is_run_again() {
    let machine = Machine::new();
    let project = repository(machine.folder.path());
    let go = machine.folder.path().join("go");
    let command = format!("test -e {} || sleep 45653", go.display());
    let machine = machine.with("TELECODER_SETUP_CMD", command);
    let bot = machine.start();
    machine.ada_says(&format!("/new {}", project.display()));
    machine.ada_says("hello");
    let sleeper = machine.until("it runs", || processes::with_word("45653").first().copied());
    bot.kill();
    assert!(processes::wait_until_gone(sleeper, Duration::from_secs(20)));
    std::fs::write(&go, "").expect("a file");
    let _bot = machine.start();
    machine.message_with("✓ Setup: ");
    machine.message_with("You said: hello");
    machine.until_quiet();
    assert_eq!(processes::with_word("45653"), [0; 0], "nobody is left");
    let told = machine.bot_messages();
    let told = told
        .iter()
        .filter(|message| message.text.contains("✓ Setup"));
    assert_eq!(told.count(), 1);
}

#[test]
fn a_setup_set_in_the_chat_runs_now_and_is_kept() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[bash: printf 'test:\\n\\ttrue\\n' > Makefile]] [[say: made it]]");
    machine.message_with("made it");
    machine.until_quiet();
    machine.ada_says("/checks setup=\"echo here > set-up.txt\"");
    machine.message_with(
        "Setup: echo here > set-up.txt (set here), once in a new workspace, and here now.",
    );
    machine.message_with("✓ Setup: echo here > set-up.txt · ");
    machine.ada_says("[[bash: git add set-up.txt]] [[say: it is there]]");
    machine.message_with("it is there");
    machine.until_quiet();
    // What is offered and used takes nothing from it; nor does /checks off.
    machine.ada_says("/checks");
    let shown = machine.nth_message_with("No checks run here after a run.", 2);
    assert!(
        shown.text.contains("(set here), once in a new workspace."),
        "{}",
        shown.text
    );
    machine.ada_presses(&shown);
    machine.message_with("✓ Tests");
    machine.until_quiet();
    machine.ada_says("/checks off");
    machine.nth_message_with("(set here), once in a new workspace.", 2);
    machine.ada_says("/checks setup=-");
    machine.until("it is taken back", || {
        let newest = machine.bot_messages().pop()?;
        let text = newest.text;
        (text.starts_with("No checks run here") && !text.contains("Setup")).then_some(())
    });
    machine.until_quiet();
    assert_eq!(
        machine.rows("SELECT count(*) FROM jobs WHERE task = '\"setup\"'"),
        [1]
    );
}

#[test]
fn a_repository_sets_itself_up_where_the_owner_trusts_it() {
    let machine = Machine::new();
    let project = repository(machine.folder.path());
    std::fs::write(
        project.join(".telecoder.toml"),
        "[checks]\nsetup = \"echo mine\"\n",
    )
    .expect("a file");
    git(&project, &["add", "."]);
    git(&project, &["commit", "--quiet", "--message", "setup"]);
    let bot = machine.start();
    machine.ada_says(&format!("/new {}", project.display()));
    machine.message_with("What is next?");
    machine.until_quiet();
    bot.kill();
    let machine = machine.with("TELECODER_REPO_CHECKS", "true");
    let _bot = machine.start();
    machine.ada_says(&format!("/new {}", project.display()));
    machine.message_with("Its setup runs now: echo mine");
    machine.message_with("✓ Setup: echo mine · ");
    machine.ada_says("/checks");
    machine.message_with("Setup: echo mine (from .telecoder.toml), once in a new workspace.");
}
