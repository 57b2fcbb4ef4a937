//! Groups in which not everything may be written: slow mode, closed and deleted topics.

use std::time::Duration;

use telecoder::demo::bot_api::Posted;

use crate::support::limits::Limits;
use crate::support::{ADA, CHAT, Machine, TEAM};

fn in_chat(machine: &Machine, chat: i64) -> Vec<Posted> {
    let messages = machine.bot_messages().into_iter();
    messages.filter(|message| message.chat == chat).collect()
}

#[test]
fn in_slow_mode_the_answer_has_the_one_message_and_comes_when_the_run_ends() {
    let machine = Machine::new();
    machine.api.set_limits(Limits::telegram());
    machine.api.set_slow_mode(TEAM, 10);
    let _bot = machine.start();
    let said = machine.writes_in(TEAM, None, ADA, "[[sleep: 6000]] [[say: the one message]]");
    let sign = machine.until("a sign of life", || said.first_sign_after(&machine));
    let arrived = machine.until_sent(TEAM, "the one message");
    machine.until_quiet();
    assert!(sign <= Duration::from_secs(3), "{sign:?}");
    assert_eq!(said.stop_button_after(&machine), None, "no live message");
    let waited = arrived.saturating_duration_since(machine.written_at(TEAM, "the one message"));
    assert!(waited <= Duration::from_secs(2), "after {waited:?}");
    assert_eq!(in_chat(&machine, TEAM.0).len(), 1);
    machine.assert_never_told_to_wait();
}

#[test]
fn in_slow_mode_every_answer_comes_in_the_end() {
    let machine = Machine::new();
    machine.api.set_slow_mode(TEAM, 5);
    let _bot = machine.start();
    for prompt in ["one", "two", "three"] {
        machine.writes_in(TEAM, None, ADA, &format!("[[say: this is {prompt}]]"));
        machine.until_sent(TEAM, &format!("this is {prompt}"));
    }
    machine.until_quiet();
    assert_eq!(in_chat(&machine, TEAM.0).len(), 3);
}

#[test]
fn an_answer_without_a_place_in_its_group_is_told_to_the_asker_and_comes_when_there_is_one() {
    let machine = Machine::new();
    let _bot = machine.start();
    let said = machine.writes_in(
        TEAM,
        Some(11),
        ADA,
        "[[sleep: 3000]] [[say: nowhere to go]]",
    );
    machine.until("a sign of life", || said.first_sign_after(&machine));
    machine.api.delete_topic(TEAM, 11);
    machine.api.close_general(TEAM);
    machine.until("the asker is told in private", || {
        in_chat(&machine, CHAT.0).into_iter().next()
    });
    machine.until_quiet();
    assert_eq!(machine.sent_at(TEAM, "nowhere to go"), None);
    assert_eq!(in_chat(&machine, CHAT.0).len(), 1, "told once");
    machine.api.open_general(TEAM);
    machine.writes_in(TEAM, None, ADA, "[[say: open again]]");
    machine.until_sent(TEAM, "nowhere to go");
    machine.until_sent(TEAM, "open again");
    machine.until_quiet();
    assert_eq!(machine.sendings(TEAM, "nowhere to go").len(), 1);
}

#[test]
fn what_was_kept_while_a_topic_was_closed_comes_when_somebody_writes_in_the_opened_one() {
    let machine = Machine::new();
    let _bot = machine.start();
    let said = machine.writes_in(
        TEAM,
        Some(11),
        ADA,
        "[[sleep: 3000]] [[say: nowhere to go]]",
    );
    machine.until("a sign of life", || said.first_sign_after(&machine));
    machine.api.close_topic(TEAM, 11);
    machine.api.close_general(TEAM);
    machine.until("the asker is told in private", || {
        in_chat(&machine, CHAT.0).into_iter().next()
    });
    machine.api.open_topic(TEAM, 11);
    machine.api.open_general(TEAM);
    machine.writes_in(TEAM, Some(11), ADA, "[[say: open again]]");
    machine.until_sent(TEAM, "nowhere to go");
}

#[test]
fn a_topic_that_was_only_closed_is_not_called_gone() {
    let machine = Machine::new();
    let _bot = machine.start();
    let said = machine.writes_in(
        TEAM,
        Some(11),
        ADA,
        "[[sleep: 3000]] [[say: it was closed]]",
    );
    machine.until("a sign of life", || said.first_sign_after(&machine));
    machine.api.close_topic(TEAM, 11);
    let answer = machine.until("the answer in General", || {
        let messages = in_chat(&machine, TEAM.0).into_iter();
        messages
            .filter(|message| message.thread.is_none())
            .find(|message| message.text.contains("it was closed"))
    });
    let first = answer.text.lines().next().unwrap_or_default();
    assert!(first.contains("closed"), "{}", answer.text);
    assert!(!answer.text.contains("gone"), "{}", answer.text);
}
