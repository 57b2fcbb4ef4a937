//! The command menu: everybody sees the commands that work for them there.

use serde_json::json;
use telecoder::domain::id::{ChatId, UserId};

use crate::support::{ADA, CHAT, GRACE, Machine, TEAM};

const GRACES: ChatId = ChatId(8);
const OF_MEMBERS: [&str; 29] = [
    "new", "status", "logs", "raw", "stop", "queue", "diff", "undo", "push", "get", "verify",
    "checks", "autofix", "verbose", "quiet", "ring", "mode", "model", "effort", "sessions",
    "resume", "at", "in", "every", "routines", "hook", "web", "whoami", "help",
];

fn until_menu(machine: &Machine, chat: ChatId, user: UserId, wanted: &[&str]) {
    machine.until(&format!("the menu of {user:?} in {chat:?}"), || {
        (machine.api.menu(chat, user) == wanted).then_some(())
    });
}

fn of_owner() -> Vec<&'static str> {
    let (help, others) = OF_MEMBERS.split_last().expect("some");
    [others, &["invite", "people", help]].concat()
}

fn calls(machine: &Machine) -> usize {
    let calls = machine.api.calls().into_iter();
    calls
        .filter(|call| call.method.ends_with("MyCommands"))
        .count()
}

#[test]
fn the_owner_a_group_and_a_stranger_see_different_menus() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("/start");
    until_menu(&machine, CHAT, ADA, &of_owner());
    until_menu(&machine, TEAM, ADA, &OF_MEMBERS);
    machine.api.say(GRACES, GRACE, "/start");
    machine.ada_says("/status");
    machine.message_with("No session yet");
    until_menu(&machine, GRACES, GRACE, &[]);
}

#[test]
fn whoever_is_invited_has_a_menu_until_they_are_removed() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("/invite");
    let invitation = machine.message_with("https://t.me/test_coder_bot?start=");
    let code = invitation.text.split("?start=").nth(1).expect("a link");
    let code = code.split_whitespace().next().expect("a code");
    machine
        .api
        .deliver_message(GRACES, GRACE, json!({"text": format!("/start {code}")}));
    until_menu(&machine, GRACES, GRACE, &OF_MEMBERS);
    machine.ada_says("/people");
    let people = machine.message_with_button("Person", "Remove Person");
    machine.press(ADA, &people, "Remove Person");
    until_menu(&machine, GRACES, GRACE, &[]);
}

#[test]
fn a_start_sets_no_menu_that_telegram_has() {
    let machine = Machine::new();
    let bot = machine.start();
    machine.ada_says("/start");
    until_menu(&machine, CHAT, ADA, &of_owner());
    machine.until_quiet();
    let before = calls(&machine);
    drop(bot);
    let _bot = machine.start();
    machine.ada_says("/status");
    machine.message_with("No session yet");
    machine.until_quiet();
    assert_eq!(calls(&machine), before);
}

#[test]
fn a_menu_of_an_earlier_version_is_taken_away() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.until("the old menu is removed", || {
        let calls = machine.api.calls().into_iter();
        let mut removed = calls.filter(|call| call.method == "deleteMyCommands");
        removed
            .any(|call| call.arguments == json!({"scope": {"type": "default"}}))
            .then_some(())
    });
}
