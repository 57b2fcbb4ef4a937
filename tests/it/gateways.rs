//! Errors of servers: Telegram's own "no, not now", and what something on the way says without knowing better.

use std::time::Duration;

use crate::support::{CHAT, Fault, Machine};

const OWN: Fault = Fault::Refuse(500, "Internal Server Error");

#[test]
fn what_a_gateway_says_no_to_although_it_was_taken_is_there_twice_at_most_and_told() {
    for code in [502, 504] {
        let machine = Machine::new();
        let _bot = machine.start();
        let fault = Fault::StatusAfter(code);
        let words = "What you write here";
        machine
            .api
            .plan_for_words("sendMessage", None, words, 5, fault);
        machine.ada_says("/help");
        machine.message_with("I sent you a message twice, and Telegram confirmed it neither time.");
        machine.until_quiet();
        assert_eq!(machine.sendings(CHAT, words).len(), 2, "{code}");
    }
}

#[test]
fn what_a_gateway_says_no_to_without_having_passed_it_on_comes_once() {
    for code in [502, 504, 524] {
        let machine = Machine::new();
        let _bot = machine.start();
        machine
            .api
            .plan("sendMessage", None, 1, Fault::Status(code));
        machine.ada_says("/help");
        machine.until_sent(CHAT, "What you write here");
        machine.until_quiet();
        assert_eq!(machine.bot_messages().len(), 1, "{code}");
    }
}

#[test]
fn what_telegram_itself_cannot_take_now_is_sent_until_it_does_and_is_there_once() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.api.plan("sendMessage", None, 4, OWN);
    machine.ada_says("/help");
    machine.until_sent(CHAT, "What you write here");
    machine.until_quiet();
    assert_eq!(machine.bot_messages().len(), 1);
}

#[test]
fn a_message_that_telegram_never_takes_is_set_aside_and_told_and_the_others_come() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine
        .api
        .plan_for_words("sendMessage", None, "a poisoned one", 10_000, OWN);
    machine.ada_says("[[say: a poisoned one]]");
    machine.until("it is tried", || {
        (!machine.api.requests("sendMessage").is_empty()).then_some(())
    });
    machine.ada_says("/help");
    let long = Duration::from_secs(150);
    machine.until_within(long, "what is behind it comes", || {
        machine.sent_at(CHAT, "What you write here")
    });
    machine.until_within(long, "it is set aside", || {
        let parked = machine.rows("SELECT count(*) FROM outbox WHERE state = 'parked'");
        (parked == [1]).then_some(())
    });
    machine.until_sent(CHAT, "a message that I have for you");
    machine.ada_says("/status");
    machine.until_sent(CHAT, "Not delivered here: ");
    machine.until_quiet();
}
