//! A stranger has no effect and gets no answer.

use telecoder::domain::id::{ChatId, UserId};

use crate::support::{CHAT, Machine, TEAM};

const STRANGER: UserId = UserId(666);

#[test]
fn a_stranger_gets_no_word_and_has_no_effect() {
    let machine = Machine::new();
    let bot = machine.start();
    for text in ["/start", "hello", "/status", "/stop"] {
        machine.api.say(ChatId(666), STRANGER, text);
    }
    machine.api.say(TEAM, STRANGER, "/status");
    machine.ada_says("/status");
    machine.message_with("No session yet");
    machine.until_quiet();
    assert_eq!(machine.bot_messages().len(), 1, "only Ada is answered");
    assert!(
        machine
            .api
            .calls()
            .iter()
            .all(|call| call.arguments["chat_id"] != 666),
        "no typing either"
    );
    let log = bot.log();
    assert!(
        log.contains("666"),
        "the log says how to let them in: {log}"
    );
    assert!(log.contains("/invite in the chat"), "{log}");
}

#[test]
fn a_stranger_cannot_press_a_button() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[sleep: 60000]]");
    let live = machine.message_with("Working · ");
    machine.api.press(STRANGER, &live, &live.buttons[0].1);
    machine.ada_says("/status");
    machine.message_with("Running: for ");
    machine.until("the press is done with", || {
        (machine.api.unconfirmed() == 0).then_some(())
    });
    assert!(machine.loud_messages().is_empty(), "the run goes on");
    machine.ada_says("/stop");
    machine.message_with("Stopped after");
}

#[test]
fn without_an_allowlist_nobody_may_and_the_log_says_how_to_fill_it() {
    let machine = Machine::new().without("TELECODER_TG_ALLOWED_USERS");
    let bot = machine.start();
    machine.ada_says("hello");
    machine.until("the update is done with", || {
        bot.log()
            .contains("The owner lets people in with /invite")
            .then_some(())
    });
    machine.until_quiet();
    assert!(machine.bot_messages().is_empty());
    let log = bot.log();
    assert!(log.contains("TELECODER_TG_ALLOWED_USERS is empty"), "{log}");
    assert!(log.contains(&CHAT.0.to_string()), "{log}");
}
