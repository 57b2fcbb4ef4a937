//! A chat has many sessions: it lists them and switches to another one.

use crate::support::shell::{made, shell};
use crate::support::{ADA, GRACE, Machine, TEAM};
use telecoder::domain::id::ChatId;

/// The name of the session that the chat talks to.
fn current(machine: &Machine) -> String {
    let name: String = machine
        .database()
        .query_row(
            "SELECT session_id FROM chats WHERE chat_id = 7 AND thread_id = 0",
            [],
            |row| row.get(0),
        )
        .expect("the chat has one");
    name
}

#[test]
fn a_chat_goes_on_in_a_session_it_had_before_with_its_conversation() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("the first session");
    machine.message_with("You said: the first session");
    machine.until_quiet();
    let first = current(&machine);
    machine.ada_says("/new -");
    machine.message_with("New session");
    machine.ada_says("the second session");
    machine.message_with("You said: the second session");
    machine.until_quiet();
    assert_ne!(current(&machine), first);

    machine.ada_says("/sessions");
    let list = machine.message_with("Sessions, the newest first:");
    assert!(list.text.contains("“the first session”"), "{}", list.text);
    assert!(
        list.text.contains("current: “the second session”"),
        "{}",
        list.text
    );
    assert_eq!(list.buttons.len(), 1, "only the other one has a button");
    machine.ada_presses(&list);
    machine.message_with(&format!("This chat is now in session {first}"));
    machine.ada_says("[[argv]]");
    // The conversation of the first session goes on.
    machine.message_with("\"--resume\"");
    assert_eq!(current(&machine), first);

    machine.ada_says(&format!("/resume {first}"));
    machine.message_with(&format!("This chat is in session {first} already."));
    machine.ada_says("/resume nonsense");
    machine.message_with("There is no session nonsense");
}

#[test]
fn a_chat_cannot_have_the_session_of_another_chat() {
    let machine = Machine::new().with("TELECODER_TG_ALLOWED_USERS", "7,8");
    let _bot = machine.start();
    machine.api.say(ChatId(7), ADA, "mine");
    machine.message_with("You said: mine");
    machine.until_quiet();
    let adas = current(&machine);
    machine
        .api
        .say(ChatId(8), GRACE, &format!("/resume {adas}"));
    machine.message_with("There is no session");
    machine.api.say(ChatId(8), GRACE, "/sessions");
    machine.message_with("There are no sessions here yet");
}

#[test]
fn in_a_group_nothing_is_said_of_what_was_asked_in_a_shell() {
    let machine = Machine::new();
    let _bot = machine.start();
    let session = made(&machine, &[]);
    let (code, _) = shell(
        &machine,
        &["session", "run", &session, "between you and me"],
    );
    assert_eq!(code, Some(0));
    machine.api.say(TEAM, ADA, "/sessions");
    machine.message_with("There are no sessions here yet");
    machine.api.say(TEAM, ADA, &format!("/resume {session}"));
    machine.message_with(&format!("There is no session {session}"));
    machine.ada_says("/sessions");
    machine.message_with("“between you and me”");
}
