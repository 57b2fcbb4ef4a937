//! `/stop`, the Stop button, the time limit; no process is left.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::{ADA, Machine, processes};

/// Two seconds for a person to see, on a machine that other tests load; the bench measures.
const SOON: Duration = Duration::from_secs(10);

#[test]
fn stop_ends_the_run_and_says_so() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[bash: sleep 54321]]");
    machine.until("the command runs", || {
        processes::with_word("54321").first().copied()
    });
    let asked = Instant::now();
    machine.ada_says("/stop");
    let stopped = machine.message_with("Stopped after ");
    assert!(asked.elapsed() < SOON, "{:?}", asked.elapsed());
    assert!(stopped.text.contains("is kept"), "{}", stopped.text);
    assert_eq!(processes::with_word("54321"), [0; 0], "nobody is left");
    machine.until_quiet();
    assert_eq!(machine.loud_messages().len(), 1, "one end is told once");
}

#[test]
fn the_conversation_goes_on_after_a_stop() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("first [[say: one]]");
    machine.message_with("one");
    machine.ada_says("second [[sleep: 60000]]");
    machine.message_with("Working · ");
    machine.ada_says("/stop");
    machine.message_with("Stopped after ");
    machine.ada_says("[[recall]]");
    machine.message_with("Earlier prompts: first");
}

#[test]
fn a_claude_that_ignores_everything_is_stopped_all_the_same() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[stubborn]] [[bash: sleep 65432]]");
    machine.until("the command runs", || {
        processes::with_word("65432").first().copied()
    });
    machine.ada_says("/stop");
    machine.message_with("Stopped after ");
    assert_eq!(processes::with_word("65432"), [0; 0], "nobody is left");
}

#[test]
fn what_a_run_left_behind_is_ended_and_counted() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says(
        "[[bash: setsid nohup sleep 76543 >/dev/null 2>&1 & setsid nohup sleep 76543 >/dev/null 2>&1 & \
         sleep 0.2]] [[say: started two]]",
    );
    machine.message_with("started two");
    machine.until_quiet();
    assert_eq!(processes::with_word("76543"), [0; 0], "nobody is left");

    machine.ada_says("[[bash: setsid nohup sleep 76544 >/dev/null 2>&1 & sleep 60]]");
    machine.until("it runs", || processes::with_word("76544").first().copied());
    machine.ada_says("/stop");
    machine.message_with("The run had left one process behind; it was ended");
    assert_eq!(processes::with_word("76544"), [0; 0], "nobody is left");
}

#[test]
fn a_killed_keeper_leaves_nobody_behind_not_even_what_dropped_the_runs_marker() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says(
        "[[bash: env -i setsid sleep 31005 >/dev/null 2>&1 & setsid nohup sleep 31006 >/dev/null 2>&1 & \
         sleep 60]]",
    );
    machine.until("both run", || {
        let both = [processes::with_word("31005"), processes::with_word("31006")];
        both.iter().all(|found| !found.is_empty()).then_some(())
    });
    // The bot looks once a second, and has since.
    machine.until("a few seconds pass", || {
        let shown = machine.bot_messages().pop()?.text;
        let seconds = shown.strip_prefix("Working · ")?.split(' ').next()?;
        (seconds.parse::<u32>().ok()? >= 3).then_some(())
    });
    for keeper in processes::keepers_of(machine.folder.path()) {
        processes::signal(keeper, Signal::KILL);
    }
    machine.message_with("The run was lost");
    assert_eq!(processes::with_word("31005"), [0; 0], "nobody is left");
    assert_eq!(processes::with_word("31006"), [0; 0], "nobody is left");
}

#[test]
fn the_stop_button_stops_its_own_run_and_no_other() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[sleep: 60000]]");
    let live = machine.message_with("Working · ");
    let (label, data) = live.buttons[0].clone();
    assert_eq!(label, "Stop");
    machine.api.press(ADA, &live, &data);
    machine.message_with("Stopped after ");
    machine.until_quiet();

    machine.ada_says("[[sleep: 60000]] again");
    machine.nth_message_with("Working · ", 1);
    machine.api.press(ADA, &live, &data);
    machine.until_toast("This run is over.");
    machine.ada_says("/stop");
    machine.nth_message_with("Stopped after ", 2);
}

#[test]
fn a_waiting_prompt_runs_after_a_stop_and_a_second_stop_drops_it() {
    let machine = Machine::new().with("TELECODER_MAX_RUNS", "1");
    let _bot = machine.start();
    machine.ada_says("[[sleep: 60000]]");
    machine.message_with("Working · ");
    machine.ada_says("the next one");
    machine.ada_says("/stop");
    machine.message_with("The waiting prompt runs now");
    machine.message_with("You said: the next one");
    machine.until_quiet();
    machine.ada_says("/stop");
    machine.message_with("Nothing is running, and nothing waits.");
}

#[test]
fn a_run_that_takes_longer_than_its_limit_is_stopped() {
    let machine = Machine::new().with("TELECODER_RUN_TIMEOUT", "1s");
    let _bot = machine.start();
    machine.ada_says("[[bash: sleep 87654]]");
    let message = machine.message_with("that is the limit for one run");
    assert!(!message.silent);
    assert_eq!(processes::with_word("87654"), [0; 0], "nobody is left");
}
