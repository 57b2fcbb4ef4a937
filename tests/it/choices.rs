//! `/mode`, `/model`, `/effort`: what claude is started with in a chat.

use crate::support::{ADA, Machine};

/// The arguments of a run that is begun now, the `count`th that was looked at.
fn argv(machine: &Machine, count: usize) -> String {
    machine.ada_says("[[argv]]");
    machine.nth_message_with("--permission-mode", count).text
}

#[test]
fn a_chat_has_a_mode_a_model_and_an_effort_of_its_own_and_there_is_a_way_back() {
    let machine = Machine::new().with("TELECODER_MODEL", "opus");
    let bot = machine.start();
    machine.ada_says("/mode plan");
    machine.message_with("Mode: plan\nClaude reads and plans");
    machine.ada_says("/model sonnet");
    machine.message_with("Model: sonnet");
    machine.ada_says("/effort HIGH");
    machine.message_with("Effort: high");
    assert!(bot.terminate().success());
    let _bot = machine.start();
    let chosen = argv(&machine, 1);
    for part in [
        r#""--permission-mode","plan""#,
        r#""--model","sonnet""#,
        r#""--effort","high""#,
    ] {
        assert!(chosen.contains(part), "{chosen}");
    }
    machine.ada_says("/mode off");
    machine.message_with("Mode: bypassPermissions (from telecoder's settings)");
    machine.ada_says("/model off");
    machine.message_with("Model: opus (from telecoder's settings)");
    machine.ada_says("/effort off");
    machine.message_with("Effort: the one that claude chooses");
    let own = argv(&machine, 2);
    for part in [
        r#""--permission-mode","bypassPermissions""#,
        r#""--model","opus""#,
    ] {
        assert!(own.contains(part), "{own}");
    }
    assert!(!own.contains("--effort"), "{own}");
}

#[test]
fn a_button_chooses_and_its_message_says_how_it_is_now() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("/mode");
    let message = machine.message_with_button(
        "Mode: bypassPermissions (from telecoder's settings)",
        "acceptEdits",
    );
    machine.until_known_to_have_arrived(&message);
    machine.press(ADA, &message, "acceptEdits");
    machine.until_toast("Set.");
    let now = machine.until("the message says so", || {
        let now = machine.now(&message);
        now.text.starts_with("Mode: acceptEdits").then_some(now)
    });
    machine.press(ADA, &now, "As the settings say");
    machine.until("the message says so", || {
        machine
            .now(&message)
            .text
            .starts_with("Mode: bypassPermissions (from")
            .then_some(())
    });
    machine.ada_says("/effort");
    let message = machine.message_with_button("Effort: the one that claude chooses", "xhigh");
    machine.until_known_to_have_arrived(&message);
    machine.press(ADA, &message, "xhigh");
    machine.until("a tick", || {
        machine
            .now(&message)
            .buttons
            .iter()
            .any(|(label, _)| label == "✓ xhigh")
            .then_some(())
    });
}

#[test]
fn a_run_that_goes_on_is_told_once_also_after_a_restart() {
    let machine = Machine::new();
    let bot = machine.start();
    machine.ada_says("[[words: 3 500]] [[ask: Bash {\"command\":\"rm x\"}]] [[told]]");
    let question = machine.message_with_button("wants to run this command", "Allow once");
    machine.ada_says("/mode acceptEdits");
    machine.message_with("The current run is told, and follows it from now on.");
    machine.ada_says("/model haiku");
    machine.message_with("The current run is told; claude switches at its next turn.");
    machine.until("it was passed on", || {
        (lines_passed_on(&machine) == 2).then_some(())
    });
    bot.kill();
    let _bot = machine.start();
    machine.press(ADA, &question, "Allow once");
    machine.message_with("told mode acceptEdits, told model haiku");
    assert_eq!(lines_passed_on(&machine), 2);
    machine.until_quiet();
    // The session's own model is not the one that the chat had chosen.
    machine.ada_says("/model off");
    machine.message_with("Model: the one that claude chooses");
    let argv = argv(&machine, 1);
    assert!(argv.contains(r#""--model","default""#), "{argv}");
}

/// Changes of mode and model that were passed on to the run.
fn lines_passed_on(machine: &Machine) -> usize {
    let runs = std::fs::read_dir(machine.data().join("runs")).expect("runs");
    runs.flatten()
        .filter_map(|run| std::fs::read_dir(run.path().join("to-claude")).ok())
        .flatten()
        .flatten()
        .filter(|line| {
            let name = line.file_name().to_string_lossy().into_owned();
            name.contains("-mode-") || name.contains("-model-")
        })
        .count()
}

#[test]
fn a_mode_that_claude_would_refuse_is_refused_with_a_sentence() {
    if !rustix::process::getuid().is_root() {
        crate::support::say_not_looked_at("bypassPermissions for root", "this is not root");
        return;
    }
    let machine = Machine::new()
        .without("IS_SANDBOX")
        .with("TELECODER_PERMISSION_MODE", "acceptEdits");
    let _bot = machine.start();
    machine.ada_says("/mode bypassPermissions");
    machine.message_with("Nothing was changed: telecoder runs as root here");
    machine.ada_says("/mode");
    let mode = machine.message_with("Mode: acceptEdits (from");
    assert!(
        mode.buttons
            .iter()
            .all(|(label, _)| label != "bypassPermissions")
    );
    let argv = argv(&machine, 1);
    assert!(!argv.contains("dangerously"), "{argv}");
}

#[test]
fn a_mode_that_nobody_knows_changes_nothing() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("/mode yolo");
    machine.message_with("I did not understand that, and nothing was changed. Usage: /mode");
    machine.ada_says("/effort some");
    machine.message_with("Usage: /effort");
}

#[test]
fn a_mode_that_claude_does_not_take_is_told_below_the_answer() {
    let machine = Machine::new().with("FAKE_CLAUDE_REFUSES_MODE", "auto");
    let _bot = machine.start();
    machine.ada_says("/mode auto");
    machine.message_with("Mode: auto");
    machine.ada_says("hello");
    let answer = machine.message_with("You said: hello");
    assert!(
        answer
            .text
            .ends_with("Claude did not take the mode auto and works in manual."),
        "{}",
        answer.text
    );
    machine.ada_says("/mode manual");
    machine.message_with("Mode: manual");
    machine.ada_says("again");
    let answer = machine.message_with("You said: again");
    assert!(!answer.text.contains("did not take"), "{}", answer.text);
}
