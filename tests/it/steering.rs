//! What people write while claude works: claude reads it at its next step, once, or runs it next.

use std::time::Duration;

use rustix::process::Signal;

use crate::support::{Machine, processes};

/// Reactions that a message has had, in their order, without repeats.
fn reactions(machine: &Machine, message: i32) -> Vec<String> {
    let mut seen: Vec<String> = machine
        .api
        .calls()
        .into_iter()
        .filter(|call| {
            call.method == "setMessageReaction" && call.arguments["message_id"] == message
        })
        .filter_map(|call| Some(call.arguments["reaction"][0]["emoji"].as_str()?.to_owned()))
        .collect();
    seen.dedup();
    seen
}

fn until_reaction(machine: &Machine, message: i32, wanted: &str) {
    machine.until(&format!("the reaction {wanted}"), || {
        let last = reactions(machine, message).pop();
        (last.as_deref() == Some(wanted)).then_some(())
    });
}

/// Waits until the keeper of the only run has passed this many lines on.
fn until_passed_on(machine: &Machine, count: usize) {
    machine.until("lines are passed on", || {
        let runs = std::fs::read_dir(machine.data().join("runs")).ok()?;
        let passed: usize = runs
            .flatten()
            .filter_map(|run| std::fs::read_dir(run.path().join("to-claude")).ok())
            .flat_map(|lines| lines.flatten())
            .filter(|line| line.metadata().is_ok_and(|line| line.len() == 0))
            .count();
        (passed >= count).then_some(())
    });
}

#[test]
fn what_only_the_answer_names_was_taken_up_all_the_same_and_does_not_run_again() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[silent]] [[bash: sleep 3]] [[heard]]");
    machine.message_with("▸ Bash");
    let second = machine.ada_says("use tabs, not spaces");
    let answer = machine.message_with("Heard meanwhile: use tabs, not spaces");
    assert!(answer.text.contains(" · 2 messages"), "{}", answer.text);
    until_reaction(&machine, second, "👍");
    machine.until_quiet();
    assert_eq!(machine.times_run()["use tabs, not spaces"], 1);
    assert_eq!(machine.rows("SELECT count(*) FROM runs"), [1]);
}

#[test]
fn what_claude_drops_from_its_input_runs_next_and_once() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[sleep: 4000]] [[discard]] [[sleep: 2000]] [[heard]]");
    machine.message_with("Working · ");
    machine.ada_says("and this");
    machine.message_with("Heard meanwhile:");
    machine.message_with("You said: and this");
    machine.until_quiet();
    assert_eq!(machine.times_run()["and this"], 1);
    assert_eq!(
        machine.rows("SELECT count(*) FROM runs WHERE started_at IS NOT NULL"),
        [1],
        "claude has it again, without waiting for the end of the run"
    );
}

#[test]
fn what_is_written_while_a_tool_runs_steers_claude_at_its_next_step() {
    let machine = Machine::new();
    let _bot = machine.start();
    // Time for the reaction to be seen: the newest wins.
    let first = machine.ada_says("[[bash: sleep 5]] [[sleep: 3000]] [[heard]]");
    machine.message_with("▸ Bash");
    let second = machine.ada_says("use tabs, not spaces");
    let answer = machine.message_with("Heard meanwhile: use tabs, not spaces");
    assert_eq!(answer.reply_to, Some(first.into()));
    assert!(answer.text.contains(" · 2 messages"), "{}", answer.text);
    until_reaction(&machine, second, "👍");
    assert_eq!(reactions(&machine, second), ["👀", "⚡", "👍"]);
    machine.until_quiet();
    assert_eq!(machine.times_run()["use tabs, not spaces"], 1);
    assert_eq!(machine.rows("SELECT count(*) FROM runs"), [1]);
    assert_eq!(machine.loud_messages().len(), 1);
}

#[test]
fn what_is_written_while_claude_writes_its_answer_is_the_next_turn_and_has_its_own_answer() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[words: 50 100]] [[say: the first answer]]");
    machine.message_with("word 3");
    let text = "[[sleep: 3000]] [[say: the second answer]]";
    let second = machine.ada_says(text);
    machine.message_with("the first answer");
    let answer = machine.message_with("the second answer");
    assert_eq!(answer.reply_to, Some(second.into()));
    until_reaction(&machine, second, "👍");
    assert_eq!(reactions(&machine, second), ["👀", "✍", "👍"]);
    machine.until_quiet();
    assert_eq!(machine.times_run()[text], 1);
    assert_eq!(machine.rows("SELECT count(*) FROM runs"), [1]);
}

#[test]
fn three_messages_at_once_steer_in_their_order() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[bash: sleep 5]] [[heard]]");
    machine.message_with("▸ Bash");
    for text in ["one", "two", "three"] {
        machine.ada_says(text);
    }
    machine.message_with("Heard meanwhile: one / two / three");
    machine.until_quiet();
    for text in ["one", "two", "three"] {
        assert_eq!(machine.times_run()[text], 1);
    }
}

#[test]
fn what_claude_had_not_taken_up_when_it_was_killed_runs_next() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[sleep: 60000]]");
    machine.message_with("Working · ");
    machine.ada_says("written meanwhile");
    until_passed_on(&machine, 3);
    for keeper in processes::keepers_of(machine.folder.path()) {
        processes::signal(keeper, Signal::KILL);
    }
    machine.message_with("The run was lost");
    machine.message_with("You said: written meanwhile");
    machine.until_quiet();
    assert_eq!(machine.times_run()["written meanwhile"], 1);
}

#[test]
fn a_run_that_dies_in_the_turn_about_a_later_message_tells_that_message_why() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[sleep: 4000]] [[say: fine]]");
    machine.message_with("Working · ");
    let second = machine.ada_says("[[exit: 3]]");
    machine.message_with("fine");
    let failure = machine.message_with("exit code 3");
    assert_eq!(failure.reply_to, Some(second.into()));
    until_reaction(&machine, second, "👎");
}

#[test]
fn a_run_that_dies_before_the_turn_about_a_later_message_tells_that_message_why() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[sleep: 4000]] [[say: fine]]");
    machine.message_with("Working · ");
    let second = machine.ada_says("[[exit-before-the-turn: 3]]");
    machine.ada_says("and then this");
    machine.message_with("fine");
    let failure = machine.message_with("exit code 3");
    assert_eq!(failure.reply_to, Some(second.into()));
    until_reaction(&machine, second, "👎");
    machine.message_with("You said: and then this");
}

#[test]
fn a_bot_that_dies_while_it_passes_a_message_on_passes_it_on_once() {
    for point in ["steer-handed", "steer-passed-on", "steer-taken-up"] {
        let machine = Machine::new();
        // The first of them is about the prompt that the run begins with.
        let nth = if point == "steer-taken-up" {
            "1*off->"
        } else {
            ""
        };
        let point = match point {
            "steer-handed" => "steer-handed=3*off->1*return".to_owned(),
            other => format!("{other}={nth}1*return"),
        };
        let mut bot = machine.start_failing_at(&point);
        machine.ada_says("[[bash: sleep 6]] [[heard]]");
        machine.message_with("▸ Bash");
        machine.ada_says("meanwhile");
        assert!(!bot.wait_for_its_end().success(), "{point}");
        let _bot = machine.start();
        machine.until_quiet();
        assert_eq!(machine.times_run()["meanwhile"], 1, "{point}");
        let answered = machine
            .bot_messages()
            .iter()
            .any(|message| message.text.contains("meanwhile"));
        assert!(answered, "{point}");
    }
}

#[test]
fn a_stop_does_not_take_what_was_written_meanwhile_with_it() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[sleep: 60000]]");
    machine.message_with("Working · ");
    machine.ada_says("[[sleep: 700]] [[say: the next one]]");
    until_passed_on(&machine, 3);
    machine.ada_says("/stop");
    machine.message_with("The waiting prompt runs now");
    machine.message_with("the next one");
    machine.until_quiet();
    let ran = machine.times_run();
    assert_eq!(ran["[[sleep: 700]] [[say: the next one]]"], 1);
}

#[test]
fn a_chat_can_hold_messages_back_see_them_and_cancel_one() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("/queue");
    machine.message_with("Nothing waits.");
    machine.ada_says("/queue on");
    machine.message_with("waits until it ends. /queue off sends it to claude immediately.");
    machine.ada_says("[[sleep: 7000]] [[heard]]");
    machine.message_with("Working · ");
    machine.ada_says("keep this");
    machine.ada_says("not this");
    machine.until_quiet_but_for_runs();
    machine.ada_says("/queue");
    let list = machine.message_with("1. keep this\n2. not this");
    assert_eq!(list.buttons[1].0, "Cancel 2");
    machine
        .api
        .press(crate::support::ADA, &list, &list.buttons[1].1);
    machine.until_toast("The prompt will not run.");
    machine.message_with("You said: keep this");
    machine.until_quiet();
    assert!(!machine.times_run().contains_key("not this"));
    machine
        .api
        .press(crate::support::ADA, &list, &list.buttons[0].1);
    machine.until_toast("Claude has begun with it; /stop ends it.");
}

#[test]
fn what_was_held_back_goes_to_claude_when_the_chat_says_so() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("/queue on");
    machine.message_with("waits until it ends");
    machine.ada_says("[[bash: sleep 6]] [[heard]]");
    machine.message_with("▸ Bash");
    machine.ada_says("now");
    machine.until_quiet_but_for_runs();
    machine.ada_says("/queue off");
    machine.message_with("Heard meanwhile: now");
    machine.until_quiet();
    assert_eq!(machine.times_run()["now"], 1);
}

#[test]
fn a_message_that_claude_has_not_read_yet_can_be_taken_back_from_it() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[sleep: 7000]] [[say: finished]]");
    machine.message_with("Working · ");
    machine.ada_says("on second thought");
    // The greeting, the first prompt, and this one.
    until_passed_on(&machine, 3);
    machine.ada_says("/queue");
    let list = machine.message_with("claude has it, and reads it at its next step");
    machine.ada_presses(&list);
    machine.until_toast("Taking it back from claude.");
    machine.message_with("finished");
    machine.until_quiet();
    assert!(!machine.times_run().contains_key("on second thought"));
}

#[test]
fn what_is_written_around_the_end_of_a_run_runs_once_and_is_answered() {
    const ROUNDS: u64 = 9;
    let machine = Machine::new();
    let _bot = machine.start();
    for round in 0..ROUNDS {
        let first = format!("first {round}");
        machine.ada_says(&first);
        machine.until("claude has begun", || {
            machine.times_run().get(&first).copied()
        });
        // Somewhere between the answer and the end of its process.
        std::thread::sleep(Duration::from_millis(round * 20));
        machine.ada_says(&format!("second {round}"));
        machine.message_with(&format!("second {round}"));
    }
    machine.until_quiet();
    let times = machine.times_run();
    assert_eq!(times.len() as u64, 2 * ROUNDS);
    assert!(times.values().all(|times| *times == 1), "{times:?}");
    let messages = machine.bot_messages();
    for prompt in times.keys() {
        let answers = messages.iter().filter(|message| {
            message
                .text
                .lines()
                .any(|line| line.ends_with(prompt.as_str()))
        });
        assert_eq!(answers.count(), 1, "{prompt}");
    }
}
