//! The bot, or a keeper, dies between two steps of a message's way; nothing is lost, and nothing runs twice.
//!
//! Each point is one that `src` names with `fail_point!`; the process ends there as by `kill -9`.

use crate::support::{CHAT, Machine};

const PROMPTS: [&str; 3] = ["first", "second", "third"];

/// Three prompts and a command, with a bot that dies when it passes this point for the `time`th time.
fn dies_at(point: &str, time: usize) -> Machine {
    dies_on(Machine::new(), point, time)
}

fn dies_on(machine: Machine, point: &str, time: usize) -> Machine {
    let points = match time {
        1 => format!("{point}=1*return"),
        time => format!("{point}={}*off->1*return", time - 1),
    };
    machine.holds_messages_back();
    let mut bot = machine.start_failing_at(&points);
    for text in PROMPTS.into_iter().chain(["/status"]) {
        machine.ada_says(text);
        // One by one, so that each comes in a batch of its own; while it is dead they wait at Telegram.
        machine.until("it is taken, or the bot is dead", || {
            let dead = bot.process.try_wait().expect("it can be awaited").is_some();
            (dead || machine.api.unconfirmed() == 0).then_some(())
        });
    }
    assert!(!bot.wait_for_its_end().success());
    let _bot = machine.start();
    machine.message_with("You said: third");
    machine.message_with("Session ");
    machine.until_quiet();
    machine
}

/// Each prompt ran once, and its answers came in order, `repeats` of them once more at most: one that was on its
/// way when the bot died.
fn everything_happened_once(machine: &Machine, repeats: usize) {
    let ran = machine.times_run();
    for prompt in PROMPTS {
        assert_eq!(ran.get(prompt), Some(&1), "{ran:?}");
    }
    let answers: Vec<String> = machine
        .loud_messages()
        .into_iter()
        .filter_map(|message| {
            let line = message.text.lines().next()?.to_owned();
            line.strip_prefix("You said: ").map(str::to_owned)
        })
        .collect();
    let mut once = answers.clone();
    once.dedup();
    assert_eq!(once, PROMPTS, "in order");
    assert!(answers.len() <= PROMPTS.len() + repeats, "{answers:?}");
    let replies = machine
        .bot_messages()
        .into_iter()
        .filter(|message| message.text.starts_with("Session "))
        .count();
    assert!((1..=1 + repeats).contains(&replies), "{replies} replies");
}

#[test]
fn a_bot_that_dies_before_it_stores_what_came_is_sent_it_again() {
    everything_happened_once(&dies_at("poll-received", 1), 0);
    everything_happened_once(&dies_at("poll-received", 2), 1);
}

#[test]
fn a_bot_that_dies_before_it_confirms_what_it_stored_does_not_do_it_twice() {
    everything_happened_once(&dies_at("poll-stored", 1), 0);
    everything_happened_once(&dies_at("poll-stored", 2), 1);
}

#[test]
fn a_bot_that_dies_before_an_update_has_its_effect_gives_it_its_effect_later() {
    everything_happened_once(&dies_at("inbox-before", 1), 0);
    everything_happened_once(&dies_at("inbox-before", 3), 1);
}

#[test]
fn a_bot_that_dies_when_an_update_had_its_effect_goes_on_from_there() {
    everything_happened_once(&dies_at("inbox-done", 1), 1);
    everything_happened_once(&dies_at("inbox-done", 4), 1);
}

#[test]
fn a_bot_that_dies_when_a_workspace_is_made_makes_it_anew() {
    everything_happened_once(&dies_at("workspace-made", 1), 1);
}

#[test]
fn a_bot_that_dies_before_a_keeper_is_started_starts_it_later() {
    everything_happened_once(&dies_at("run-marked", 1), 1);
    everything_happened_once(&dies_on(Machine::cold(), "run-launch", 2), 1);
}

#[test]
fn a_bot_that_dies_when_a_keeper_was_just_started_follows_it_later() {
    everything_happened_once(&dies_at("run-launched", 1), 1);
    everything_happened_once(&dies_on(Machine::cold(), "run-launched", 3), 1);
}

#[test]
fn a_bot_that_dies_when_a_run_begins_in_a_claude_that_is_warm_goes_on_in_it() {
    everything_happened_once(&dies_at("run-marked", 2), 1);
    everything_happened_once(&dies_at("run-goes-on", 1), 1);
    everything_happened_once(&dies_at("run-went-on", 2), 1);
}

#[test]
fn a_bot_that_dies_when_an_answer_is_written_down_sends_it_once() {
    everything_happened_once(&dies_at("run-acted", 1), 1);
    everything_happened_once(&dies_at("run-acted", 3), 1);
}

#[test]
fn a_bot_that_dies_when_a_run_has_ended_goes_on_with_the_next() {
    everything_happened_once(&dies_at("run-ended", 1), 1);
    everything_happened_once(&dies_at("run-ended", 2), 1);
}

#[test]
fn a_bot_that_dies_before_it_sends_sends_it_once() {
    everything_happened_once(&dies_at("outbox-taken", 1), 0);
    everything_happened_once(&dies_at("outbox-taken", 3), 1);
}

#[test]
fn a_bot_that_dies_when_it_has_sent_sends_it_once_more_at_most() {
    everything_happened_once(&dies_at("outbox-sent", 1), 1);
    everything_happened_once(&dies_at("outbox-sent", 2), 1);
}

#[test]
fn a_long_answer_goes_on_with_the_part_where_it_stopped() {
    let machine = Machine::new();
    let mut bot = machine.start_failing_at("outbox-sent=1*off->1*return");
    let line = "words that fill a line of an answer that is long ".repeat(2);
    let lines: Vec<String> = (1..=90).map(|number| format!("{number} {line}")).collect();
    machine.ada_says(&format!("[[say: {}]]", lines.join("\n\n")));
    bot.wait_for_its_end();
    let _bot = machine.start();
    machine.message_with("Done · ");
    machine.until_quiet();
    let all: String = machine
        .bot_messages()
        .into_iter()
        .map(|message| message.text + "\n")
        .collect();
    for number in 1..=90 {
        let line = format!("\n{number} words");
        let times = format!("\n{all}").matches(&line).count();
        let most = if number <= 30 { 1 } else { 2 };
        assert!((1..=most).contains(&times), "line {number}: {times} times");
    }
}

#[test]
fn a_bot_that_dies_again_and_again_while_it_sends_asks_instead_of_repeating() {
    let machine = Machine::new();
    for start in 1..=2 {
        let mut bot = machine.start_failing_at("outbox-sent=1*return");
        if start == 1 {
            machine.ada_says("hello");
        }
        bot.wait_for_its_end();
    }
    let _bot = machine.start();
    let question = machine.message_with("Telegram confirmed it neither time");
    machine.until_quiet();
    let copies = |machine: &Machine| {
        machine
            .bot_messages()
            .into_iter()
            .filter(|message| message.text.contains("You said: hello"))
            .count()
    };
    assert_eq!(copies(&machine), 2, "once more, and not once more again");
    machine.ada_presses(&question);
    machine.until("it comes when it is asked for", || {
        (copies(&machine) == 3).then_some(())
    });
}

#[test]
fn a_live_message_that_nobody_remembers_loses_its_button_when_it_is_pressed() {
    let machine = Machine::new();
    let mut bot = machine.start_failing_at("live-sent=1*return");
    machine.ada_says("[[sleep: 2500]] [[say: finished]]");
    let orphan = machine.message_with("Working · ");
    bot.wait_for_its_end();
    let _bot = machine.start();
    machine.message_with("finished");
    machine.until_quiet();
    machine.ada_presses(&orphan);
    machine.until("its button goes", || {
        let now = machine
            .bot_messages()
            .into_iter()
            .find(|message| message.id == orphan.id && message.chat == CHAT.0)?;
        now.buttons.is_empty().then_some(())
    });
}

#[test]
fn a_keeper_that_dies_before_claude_starts_is_told_and_the_prompt_can_be_run_again() {
    let machine = Machine::new();
    let _bot = machine.start_failing_at("keeper-begun=1*return");
    machine.ada_says("first");
    let lost = machine.message_with("The run was lost");
    assert!(
        lost.text.contains("There is no sign that claude had begun"),
        "{}",
        lost.text
    );
    machine.until_quiet();
    assert_eq!(machine.times_run().get("first"), None);
    let (label, data) = lost.buttons[0].clone();
    assert_eq!(label, "Run it again");
    drop(_bot);
    let _bot = machine.start();
    machine.api.press(crate::support::ADA, &lost, &data);
    machine.message_with("You said: first");
    machine.api.press(crate::support::ADA, &lost, &data);
    machine.until_toast("This was done already.");
    machine.until_quiet();
    assert_eq!(machine.times_run().get("first"), Some(&1));
}

#[test]
fn a_keeper_that_dies_when_claude_has_answered_loses_nothing() {
    let machine = Machine::new();
    let _bot = machine.start_failing_at("keeper-ended=1*return");
    machine.ada_says("first");
    machine.message_with("You said: first");
    machine.ada_says("second");
    machine.message_with("You said: second");
    machine.until_quiet();
    assert_eq!(machine.times_run().get("first"), Some(&1));
}
