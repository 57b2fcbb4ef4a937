//! A claude that lives on after its run: warm for the next prompt, or for what it does in the background.

use std::path::PathBuf;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use telecoder::domain::id::ChatId;

use crate::support::shell::session_of;
use crate::support::{GRACE, Machine, processes};

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

#[test]
fn another_mode_ends_what_is_warm_at_once() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("first");
    machine.message_with("You said: first");
    machine.until_quiet();
    machine.ada_says("/mode plan");
    until_ended(&machine);
}

#[test]
fn what_works_in_the_background_is_told_another_mode_at_once() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[background: 60000 x]]");
    machine.message_with("still running in the background: the build");
    machine.until_quiet();
    machine.ada_says("/mode plan");
    let folder = started(&machine).remove(0);
    machine.until("claude says that its mode is another one", || {
        let events = std::fs::read_to_string(folder.join("events.jsonl")).expect("events");
        events.contains(r#""permissionMode":"plan""#).then_some(())
    });
    machine.ada_says("and you?");
    machine.message_with("You said: and you?");
    assert_eq!(started(&machine).len(), 1, "the server goes on");
}

#[test]
fn when_memory_is_short_nothing_is_kept_warm_and_the_conversation_goes_on() {
    let machine = Machine::new();
    let _bot = machine.start_failing_at("memory-is-short=return");
    machine.ada_says("first");
    machine.message_with("You said: first");
    machine.until_quiet();
    until_ended(&machine);
    machine.ada_says("[[recall]]");
    machine.message_with("Earlier prompts: first");
}

#[test]
fn a_person_who_is_removed_leaves_no_claude_behind() {
    let machine = Machine::new();
    let _bot = machine.start();
    let grace = |text: &str| machine.api.say(ChatId(8), GRACE, text);
    machine.ada_says("/invite");
    let link = machine.message_with("https://t.me/").text;
    let code = link.split("start=").nth(1).expect("a code");
    let code: String = code
        .chars()
        .take_while(|c| c.is_alphanumeric() || "-_".contains(*c))
        .collect();
    grace(&format!("/start {code}"));
    machine.message_with("You may use this bot now.");
    grace("[[background: 60000 x]]");
    machine.message_with("still running in the background: the build");
    machine.until_quiet();
    machine.ada_says("/people");
    let people = machine.until("a list of people", || {
        let mut messages = machine.bot_messages().into_iter();
        messages.find(|message| {
            message
                .buttons
                .iter()
                .any(|(label, _)| label.starts_with("Remove"))
        })
    });
    machine.ada_presses(&people);
    until_ended(&machine);
}

#[test]
fn a_conversation_that_a_terminal_has_changed_is_the_one_that_goes_on() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("first");
    machine.message_with("You said: first");
    machine.until_quiet();
    let changed = "UPDATE sessions SET claude_session = 'another-one'";
    machine.database().execute_batch(changed).expect("SQL");
    machine.ada_says("[[recall]]");
    machine.message_with("not have this conversation any more");
}

#[test]
fn a_record_that_has_become_long_is_not_read_again_for_each_prompt() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says(&format!("[[repeat: 60 {}]]", "long ".repeat(600)));
    machine.message_with("long long");
    machine.until_quiet();
    for number in 1..=3 {
        machine.ada_says(&format!("[[long-line: 2000000]] [[say: number {number}]]"));
        machine.message_with(&format!("number {number}"));
        machine.until_quiet();
    }
    assert_eq!(started(&machine).len(), 2, "another claude after 4 MiB");
}

#[test]
fn what_claude_says_by_itself_rings_only_when_it_is_something_new() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[background: 400 all is well | all is well | it burns | it burns]]");
    machine.nth_message_with("it burns", 2);
    machine.until_quiet();
    let messages = machine.bot_messages().into_iter();
    let said: Vec<(String, bool)> = messages
        .filter(|message| message.text.contains("all is well") || message.text.contains("it burns"))
        .map(|message| (message.text.chars().take(11).collect(), message.silent))
        .collect();
    let (well, burns) = ("all is well".to_owned(), "it burns\n\nD".to_owned());
    assert_eq!(
        said.iter().map(|(_, silent)| *silent).collect::<Vec<_>>(),
        [false, true, false, true],
        "{said:?}"
    );
    assert_eq!(said[0].0, well);
    assert_eq!(said[3].0, burns);
    // Two turns that follow each other closely are one run.
    let failed = "SELECT count(*) FROM runs WHERE outcome IS NOT 'completed'";
    assert_eq!(machine.rows(failed), [0]);
}

#[test]
fn a_session_that_the_chat_leaves_for_another_one_leaves_no_claude_behind() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("first");
    machine.message_with("You said: first");
    machine.until_quiet();
    let first = session_of(&machine);
    machine.ada_says("/new");
    machine.message_with("New session");
    machine.ada_says("[[background: 600000 x]]");
    machine.message_with("still running in the background: the build");
    machine.until_quiet();
    machine.ada_says(&format!("/resume {first}"));
    until_ended(&machine);
    machine.ada_says("[[recall]]");
    machine.message_with("Earlier prompts: first");
}

#[test]
fn a_restart_in_the_middle_of_a_run_in_a_claude_that_lived_keeps_what_was_before_it() {
    let machine = Machine::new();
    let bot = machine.start();
    machine.ada_says("[[bash: echo a > one]] [[say: first]]");
    machine.message_with("+1 −0 one");
    machine.until_quiet();
    machine.ada_says(
        "[[bash: echo b > two; touch ~/begun; until test -e ~/go-on; do sleep 0.1; done]] [[say: second]]",
    );
    let home = machine.folder.path().join("home");
    machine.until("it works", || home.join("begun").exists().then_some(()));
    bot.kill();
    let _bot = machine.start();
    machine.until_quiet_but_for_runs();
    std::fs::write(home.join("go-on"), "").expect("a file");
    machine.message_with("second");
    // What it did before the restart is its own, too.
    machine.message_with("+1 −0 two");
}
