//! What the chat shows while a run goes on.

use crate::support::{CHAT, Machine};

#[test]
fn one_silent_message_follows_the_run_and_stays_as_a_record() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine
        .ada_says("[[tool: Bash cargo build]] [[words: 30 100]] [[sleep: 1500]] [[say: finished]]");
    let live = machine.message_with("Working · ");
    assert!(live.silent);
    machine.message_with("✓ Bash cargo build");
    machine.until("the words are shown", || {
        machine
            .bot_messages()
            .into_iter()
            .find(|message| message.id == live.id && message.text.contains("word "))
    });
    let answer = machine.message_with("finished");
    assert_ne!(answer.id, live.id, "the answer is a new message");
    assert!(!answer.silent);
    let record = machine.until("the record", || {
        machine
            .bot_messages()
            .into_iter()
            .find(|message| message.id == live.id && message.text.starts_with("Done · "))
    });
    assert!(record.text.contains("1 tool call"), "{}", record.text);
    assert!(record.buttons.is_empty(), "nothing is left to stop");
    assert!(record.edits >= 2);
}

#[test]
fn the_chat_shows_typing_while_a_run_goes_on() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[sleep: 300]]");
    machine.until("typing", || {
        machine
            .api
            .calls()
            .into_iter()
            .find(|call| call.method == "sendChatAction" && call.arguments["chat_id"] == CHAT.0)
    });
}

#[test]
fn a_silent_retry_of_the_api_is_told() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[retry: 3 overloaded]] [[sleep: 60000]]");
    machine.message_with("The API is overloaded; claude asks again in 4 s (attempt 3 of 10).");
}

#[test]
fn an_edit_that_is_refused_does_not_hold_up_the_answer() {
    use crate::support::Fault;
    let machine = Machine::new();
    let _bot = machine.start();
    machine.api.plan(
        "editMessageText",
        None,
        100,
        Fault::Refuse(400, "Bad Request: message to edit not found"),
    );
    machine.ada_says("[[sleep: 2500]] [[tool: Bash x]] [[sleep: 1500]] [[say: finished]]");
    machine.message_with("finished");
}
