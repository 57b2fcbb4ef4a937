//! A claude that lives on after its run: warm for the next prompt, or for what it does in the background.

use std::path::PathBuf;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::{Machine, processes};

/// The claudes that were started.
fn started(machine: &Machine) -> Vec<PathBuf> {
    let runs = std::fs::read_dir(machine.data().join("runs"));
    let mut folders: Vec<PathBuf> = runs
        .into_iter()
        .flatten()
        .map(|run| run.expect("a run").path())
        .collect();
    folders.sort();
    folders
}

/// Those that live.
fn living(machine: &Machine) -> usize {
    let folders = started(machine).into_iter();
    folders
        .filter(|folder| !folder.join("exit.json").exists())
        .count()
}

fn until_ended(machine: &Machine) {
    machine.until("nobody lives on", || (living(machine) == 0).then_some(()));
}

#[test]
fn the_next_prompt_goes_to_the_claude_that_is_warm_and_has_a_run_of_its_own() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[bash: echo a > one]] [[say: first]]");
    machine.message_with("first");
    machine.message_with("+1 −0 one");
    machine.until_quiet();
    let second = machine.ada_says("[[bash: echo b > two]] [[recall]]");
    let answer = machine.message_with("Earlier prompts: [[bash: echo a > one]]");
    assert_eq!(answer.reply_to, Some(second.into()));
    assert!(
        answer.text.contains("· 1 tool call · $0.01"),
        "{}",
        answer.text
    );
    let evidence = machine.message_with("+1 −0 two");
    assert!(!evidence.text.contains("one"), "{}", evidence.text);
    machine.until_quiet();
    assert_eq!(started(&machine).len(), 1, "one claude");
    assert_eq!(
        machine.rows("SELECT count(*) FROM runs WHERE outcome = 'completed'"),
        [2]
    );
    machine.ada_says("/logs");
    let logs = machine.message_with("▸ Bash echo b > two");
    assert!(!logs.text.contains("echo a"), "{}", logs.text);
    machine.ada_says("/status");
    machine.message_with("Session so far: 2 runs, $0.02");
}

#[test]
fn a_restart_ends_what_is_warm_since_settings_may_have_changed_and_the_conversation_goes_on() {
    let machine = Machine::new();
    let bot = machine.start();
    machine.ada_says("first");
    machine.message_with("You said: first");
    machine.until_quiet();
    bot.kill();
    let _bot = machine.start();
    until_ended(&machine);
    machine.ada_says("[[recall]]");
    machine.message_with("Earlier prompts: first");
    machine.until_quiet();
    assert_eq!(started(&machine).len(), 2, "another claude");
}

#[test]
fn a_server_in_the_background_outlives_a_restart() {
    let machine = Machine::new();
    let bot = machine.start();
    machine.ada_says("[[background: 60000 x]]");
    machine.message_with("still running in the background: the build");
    machine.until_quiet();
    bot.kill();
    let _bot = machine.start();
    machine.ada_says("and you?");
    machine.message_with("You said: and you?");
    machine.until_quiet();
    assert_eq!(started(&machine).len(), 1, "one claude");
    machine.ada_says("/stop");
    machine.message_with("Ended in the background: the build.");
}

#[test]
fn a_claude_whose_keeper_is_killed_is_not_left_behind() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("first");
    machine.message_with("You said: first");
    machine.until_quiet();
    let [keeper] = processes::keepers_of(machine.folder.path())[..] else {
        panic!("one keeper");
    };
    let claude = processes::descendants_of(keeper);
    processes::signal(keeper, Signal::KILL);
    machine.until("claude has gone", || {
        claude
            .iter()
            .all(|claude| !processes::is_alive(*claude))
            .then_some(())
    });
    machine.ada_says("[[recall]]");
    machine.message_with("Earlier prompts: first");
}

#[test]
fn another_mode_another_session_and_a_stop_end_what_is_warm() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("first");
    machine.message_with("You said: first");
    machine.until_quiet();
    machine.ada_says("/mode plan");
    machine.message_with("Mode: plan");
    machine.ada_says("[[argv]]");
    machine.message_with("--permission-mode\",\"plan");
    machine.until_quiet();
    assert_eq!(started(&machine).len(), 2, "another claude");
    assert_eq!(living(&machine), 1, "the first has gone");
    machine.ada_says("/stop");
    until_ended(&machine);
    machine.ada_says("third");
    machine.message_with("You said: third");
    machine.until_quiet();
    assert_eq!(living(&machine), 1);
    machine.ada_says("/new");
    until_ended(&machine);
}

#[test]
fn no_more_are_kept_warm_than_wanted_and_none_longer() {
    let machine = Machine::new()
        .with("TELECODER_WARM", "2s")
        .with("TELECODER_WARM_MAX", "1");
    let _bot = machine.start();
    machine.ada_says("first");
    machine.message_with("You said: first");
    machine.until_quiet();
    until_ended(&machine);
}

#[test]
fn a_warm_claude_that_is_killed_costs_nothing_and_the_next_prompt_starts_another() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("first");
    machine.message_with("You said: first");
    machine.until_quiet();
    let claude = processes::with_word("--input-format")
        .into_iter()
        .find(|id| {
            let folder = std::fs::read_link(format!("/proc/{id}/cwd"));
            folder.is_ok_and(|folder| folder.starts_with(machine.folder.path()))
        })
        .expect("a claude");
    let claude = Pid::from_raw(i32::try_from(claude).expect("an id")).expect("an id");
    kill_process(claude, Signal::KILL).expect("it ends");
    until_ended(&machine);
    machine.ada_says("[[recall]]");
    machine.message_with("Earlier prompts: first");
    machine.until_quiet();
    assert_eq!(machine.loud_messages().len(), 2, "nobody hears of it");
}

#[test]
fn a_server_in_the_background_does_not_keep_its_run_from_ending() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[bash: echo a > one]] [[background: 60000 x]]");
    machine.message_with("still running in the background: the build. /stop ends it.");
    machine.message_with("+1 −0 one");
    machine.until_quiet();
    machine.ada_says("/status");
    machine.message_with("In the background: the build; /stop ends it");
    machine.ada_says("and you?");
    machine.message_with("You said: and you?");
    machine.until_quiet();
    assert_eq!(started(&machine).len(), 1, "one claude");
    machine.ada_says("/stop");
    machine.message_with("Ended in the background: the build.");
    until_ended(&machine);
}

#[test]
fn a_turn_that_claude_begins_by_itself_is_a_run_with_an_answer() {
    let machine = Machine::cold();
    let _bot = machine.start();
    machine.ada_says("[[background: 2500 The build is done.]]");
    machine.message_with("still running in the background: the build");
    machine.until_quiet();
    machine.message_with("The build is done.");
    machine.until_quiet();
    assert_eq!(
        machine.rows("SELECT count(*) FROM runs WHERE outcome = 'completed'"),
        [2]
    );
    until_ended(&machine);
    let folder = started(&machine).remove(0);
    let exit = std::fs::read_to_string(folder.join("exit.json")).expect("how it ended");
    let exit: Value = serde_json::from_str(&exit).expect("JSON");
    assert_eq!(exit["code"], 0);
}
