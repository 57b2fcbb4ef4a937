//! Late prompts, because the bot was away: a person is asked, once, before they run.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use telecoder::domain::id::ChatId;

use crate::support::{ADA, CHAT, Machine};

fn says_hours_ago(machine: &Machine, chat: ChatId, text: &str, hours: i64) {
    let sent = (Timestamp::now() - SignedDuration::from_hours(hours)).as_second();
    machine
        .api
        .deliver_message(chat, ADA, json!({"text": text, "date": sent}));
}

fn answers(machine: &Machine) -> Vec<String> {
    machine
        .loud_messages()
        .into_iter()
        .map(|message| message.text.lines().next().unwrap_or_default().to_owned())
        .filter(|line| line.starts_with("You said: "))
        .collect()
}

#[test]
fn old_prompts_are_asked_about_together_and_run_in_order_at_the_press_of_a_button() {
    let machine = Machine::new();
    machine.start().kill();
    for number in 1..=3 {
        says_hours_ago(&machine, CHAT, &format!("old {number}"), 10 - number);
    }
    let _bot = machine.start();
    let question = machine.message_with("You wrote 3 prompts while I was away");
    assert!(question.text.contains("• old 1\n• old 2\n• old 3"));
    assert!(!question.silent);
    machine.until_quiet();
    assert!(machine.times_run().is_empty(), "none was run");
    machine.ada_says("new");
    machine.message_with("You said: new");
    machine.ada_says("/status");
    machine.message_with("Late, waiting for your decision: 3 prompts");

    let (label, data) = question.buttons[0].clone();
    assert_eq!(label, "Run them");
    machine.api.press(ADA, &question, &data);
    machine.message_with("You said: old 3");
    machine.until_quiet();
    machine.api.press(ADA, &question, &data);
    machine.until_toast("Nothing waits here any more.");
    assert_eq!(
        answers(&machine),
        ["new", "old 1", "old 2", "old 3"].map(|text| format!("You said: {text}"))
    );
}

#[test]
fn an_old_prompt_that_is_not_wanted_any_more_is_dropped_by_stop() {
    let machine = Machine::new();
    machine.start().kill();
    says_hours_ago(&machine, CHAT, "old", 9);
    let _bot = machine.start();
    machine.message_with("You wrote this 9 h 00 min ago");
    machine.until("its workspace is there", || {
        (machine.rows("SELECT count(*) FROM sessions WHERE state = 'ready'") == [1]).then_some(())
    });
    machine.ada_says("/stop");
    machine.message_with("The waiting prompt was dropped");
    machine.ada_says("/status");
    let status = machine.message_with("Session ");
    assert!(!status.text.contains("Late, "), "{}", status.text);
    assert!(machine.times_run().is_empty());
}

#[test]
fn a_prompt_that_is_not_so_old_runs_without_a_question() {
    let machine = Machine::new();
    machine.start().kill();
    says_hours_ago(&machine, CHAT, "five hours old", 5);
    let _bot = machine.start();
    machine.message_with("You said: five hours old");
}

#[test]
fn how_old_is_old_is_a_setting() {
    let machine = Machine::new().with("TELECODER_STALE_AFTER", "none");
    machine.start().kill();
    says_hours_ago(&machine, CHAT, "a day old", 23);
    let bot = machine.start();
    machine.message_with("You said: a day old");
    bot.kill();
    let machine = machine.with("TELECODER_STALE_AFTER", "30m");
    says_hours_ago(&machine, CHAT, "an hour old", 1);
    let _bot = machine.start();
    machine.message_with("You wrote this 1 h 00 min ago");
}

#[test]
fn what_waited_in_the_queue_and_became_old_while_the_bot_was_down_is_asked_about_too() {
    let machine = Machine::new();
    machine.holds_messages_back();
    let bot = machine.start();
    machine.ada_says("[[sleep: 300000]]");
    machine.message_with("Working · ");
    machine.ada_says("waiting");
    machine.until("it waits", || {
        (machine.rows("SELECT count(*) FROM runs WHERE state = 'queued'") == [1]).then_some(())
    });
    bot.kill();
    // Half a day passes.
    machine
        .database()
        .execute_batch(
            "UPDATE prompts SET sent_at = sent_at - 43200000; UPDATE last_alive SET at = at - 43200000",
        )
        .expect("time passes");
    let _bot = machine.start();
    let question = machine.message_with("You wrote this 12 h 00 min ago");
    machine.ada_says("/stop");
    machine.message_with("Stopped after ");
    machine.until_quiet();
    assert_eq!(machine.times_run().get("waiting"), None);
    machine.ada_presses(&question);
    machine.message_with("You said: waiting");
}

#[test]
fn what_claude_has_on_its_input_is_not_asked_about_however_long_the_bot_was_down() {
    let machine = Machine::new();
    let bot = machine.start();
    machine.ada_says("[[sleep: 7000]] [[say: first]]");
    machine.message_with("Working · ");
    machine.ada_says("waiting");
    machine.until("claude has it", || {
        let handed = machine.rows("SELECT count(*) FROM prompts WHERE handed_to IS NOT NULL");
        (handed == [1]).then_some(())
    });
    bot.kill();
    machine
        .database()
        .execute_batch(
            "UPDATE prompts SET sent_at = sent_at - 43200000; UPDATE last_alive SET at = at - 43200000",
        )
        .expect("time passes");
    let _bot = machine.start();
    machine.message_with("You said: waiting");
    machine.until_quiet();
    let messages = machine.bot_messages();
    assert!(
        !messages
            .iter()
            .any(|message| message.text.starts_with("You wrote this")),
        "{messages:?}"
    );
    assert_eq!(machine.times_run()["waiting"], 1);
}

#[test]
fn what_somebody_said_shall_run_is_not_asked_about_again_after_a_restart() {
    let machine = Machine::new();
    machine.start().kill();
    machine.ada_says("[[sleep: 300000]]");
    says_hours_ago(&machine, CHAT, "old", 9);
    let bot = machine.start();
    let question = machine.message_with("You wrote this 9 h 00 min ago");
    machine.message_with("Working · ");
    machine.ada_presses(&question);
    machine.until_toast("Running.");
    bot.kill();
    let _bot = machine.start();
    machine.ada_says("/stop");
    machine.message_with("You said: old");
    machine.until_quiet();
    let questions = machine
        .bot_messages()
        .into_iter()
        .filter(|message| message.text.contains("while I was away"))
        .count();
    assert_eq!(questions, 1);
}

#[test]
fn what_became_old_while_the_bot_was_at_work_runs_after_a_short_restart() {
    let machine = Machine::new();
    let bot = machine.start();
    machine.ada_says("[[sleep: 300000]]");
    machine.message_with("Working · ");
    machine.ada_says("waiting");
    machine.until("it waits", || {
        (machine.rows("SELECT count(*) FROM runs WHERE state = 'queued'") == [1]).then_some(())
    });
    bot.kill();
    // It has waited for half a day, and the bot was there all the time.
    machine
        .database()
        .execute_batch("UPDATE prompts SET sent_at = sent_at - 43200000")
        .expect("time passes");
    let _bot = machine.start();
    machine.ada_says("/stop");
    machine.message_with("You said: waiting");
}
