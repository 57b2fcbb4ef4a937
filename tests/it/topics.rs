//! A private chat with topics (Telegram: Threaded Mode): each topic is a conversation of its own.

use serde_json::json;

use crate::support::{ADA, CHAT, Machine};

fn ada_says_in(machine: &Machine, topic: i32, text: &str) {
    machine.api.deliver_message(
        CHAT,
        ADA,
        json!({"text": text, "message_thread_id": topic, "is_topic_message": true}),
    );
}

const TOLD: &str = "each topic is a conversation of its own";

#[test]
fn each_topic_of_a_private_chat_is_a_conversation_and_that_is_said_once() {
    let machine = Machine::new();
    let bot = machine.start();
    ada_says_in(&machine, 5, "in the first");
    let told = machine.message_with(TOLD);
    assert!(told.text.contains("@BotFather"), "{}", told.text);
    assert_eq!(
        (told.chat, told.thread, told.silent),
        (CHAT.0, Some(5), true)
    );
    let answer = machine.message_with("You said: in the first");
    assert_eq!(answer.thread, Some(5));
    drop(bot);
    let _bot = machine.start();
    ada_says_in(&machine, 6, "in the second");
    let answer = machine.message_with("You said: in the second");
    assert_eq!(answer.thread, Some(6));
    machine.until_quiet();
    let told = machine.bot_messages().into_iter();
    assert_eq!(
        told.filter(|message| message.text.contains(TOLD)).count(),
        1
    );
    assert_eq!(machine.rows("SELECT count(*) FROM sessions"), [2]);
}

#[test]
fn a_live_message_a_question_and_a_stop_stay_in_their_topic() {
    let machine = Machine::new();
    let _bot = machine.start();
    ada_says_in(&machine, 5, r#"[[ask: Bash {"command":"rm -f old.log"}]]"#);
    let question = machine.message_with_button("wants to run this command", "Deny");
    assert_eq!(question.thread, Some(5));
    machine.press(ADA, &question, "Deny");
    let answer = machine.message_with("\"behavior\":\"deny\"");
    assert_eq!(answer.thread, Some(5));
    machine.until_quiet();
    ada_says_in(&machine, 6, "[[sleep: 60000]]");
    let live = machine.message_with_button("Working · ", "Stop");
    assert_eq!(live.thread, Some(6));
    ada_says_in(&machine, 6, "/queue");
    ada_says_in(&machine, 6, "/stop");
    let stopped = machine.message_with("Stopped");
    assert_eq!(stopped.thread, Some(6));
}

#[test]
fn without_topics_nothing_is_said_of_them() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("hello");
    machine.message_with("You said: hello");
    machine.until_quiet();
    let messages = machine.bot_messages().into_iter();
    assert_eq!(
        messages
            .filter(|message| message.text.contains(TOLD))
            .count(),
        0
    );
}
