//! A group works if it is on the list and the sender is too.

use serde_json::json;
use telecoder::domain::id::ChatId;

use crate::support::{ADA, BOT, GRACE, Machine, TEAM};

#[test]
fn in_a_group_the_bot_answers_commands_mentions_and_replies_and_nothing_else() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.api.say(TEAM, ADA, "we are talking among ourselves");
    mention(&machine, &format!("@{BOT} what is this"), 0);
    let answer = machine.message_with("You said: what is this");
    assert_eq!(answer.chat, TEAM.0);

    mention(&machine, "please ask @test_coder_bot about it", 11);
    machine.message_with("You said: please ask @test_coder_bot about it");

    machine.api.deliver_message(
        TEAM,
        ADA,
        json!({"text": "and then?", "reply_to_message": {"message_id": answer.id, "date": 1,
            "chat": {"id": TEAM.0, "type": "supergroup", "title": "Team"},
            "from": {"id": 1, "is_bot": true, "first_name": "telecoder", "username": BOT},
            "text": answer.text}}),
    );
    machine.message_with("and then?");
    machine.until_quiet();

    machine.api.say(TEAM, ADA, "/status@test_coder_bot");
    machine.message_with("Session so far: 3 runs");
    machine.api.say(TEAM, ADA, "/status@other_bot");
    machine.api.say(TEAM, ADA, "/compact@test_coder_bot");
    machine.message_with("compacted from");
    machine.until_quiet();
    assert_eq!(machine.bot_messages().len(), 5);
}

fn mention(machine: &Machine, text: &str, offset: usize) {
    machine.api.deliver_message(
        TEAM,
        ADA,
        json!({"text": text, "entities": [{"type": "mention", "offset": offset, "length": BOT.len() + 1}]}),
    );
}

#[test]
fn a_group_needs_itself_and_the_sender_on_the_lists() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.api.say(TEAM, GRACE, "/status");
    machine.api.say(ChatId(-999), ADA, "/status");
    // Somebody who writes as the group.
    machine.api.deliver_message(
        TEAM,
        ADA,
        json!({"text": "/status", "sender_chat": {"id": TEAM.0, "type": "supergroup", "title": "Team"},
            "from": {"id": 1087968824, "is_bot": true, "first_name": "Group", "username": "GroupAnonymousBot"}}),
    );
    machine.api.say(TEAM, ADA, "/status");
    machine.message_with("No session yet");
    machine.until_quiet();
    assert_eq!(machine.bot_messages().len(), 1);
}

#[test]
fn each_topic_of_a_forum_has_its_own_session() {
    let machine = Machine::new();
    let _bot = machine.start();
    let in_topic = |topic: i64, text: &str| {
        machine.api.deliver_message(
            TEAM,
            ADA,
            json!({"text": text, "message_thread_id": topic, "is_topic_message": true,
                "reply_to_message": {"message_id": topic, "date": 1, "message_thread_id": topic,
                    "is_topic_message": true, "chat": {"id": TEAM.0, "type": "supergroup", "title": "Team"},
                    "from": {"id": 1, "is_bot": true, "first_name": "telecoder", "username": BOT},
                    "forum_topic_created": {"name": "t", "icon_color": 1}},
                "entities": [{"type": "mention", "offset": 0, "length": BOT.len() + 1}]}),
        )
    };
    in_topic(11, &format!("@{BOT} eleven"));
    in_topic(12, &format!("@{BOT} twelve"));
    machine.message_with("You said: eleven");
    machine.message_with("You said: twelve");
    in_topic(12, &format!("@{BOT} [[recall]]"));
    let recalled = machine.message_with("Earlier prompts:");
    assert_eq!(recalled.thread, Some(12));
    assert!(recalled.text.contains("twelve"), "{}", recalled.text);
    assert!(!recalled.text.contains("eleven"), "{}", recalled.text);
}

#[test]
fn in_a_topic_that_the_bot_made_a_message_is_no_reply_to_it() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.api.deliver_message(
        TEAM,
        ADA,
        json!({"text": "just chatting", "message_thread_id": 11, "is_topic_message": true,
            "reply_to_message": {"message_id": 11, "date": 1, "message_thread_id": 11, "is_topic_message": true,
                "chat": {"id": TEAM.0, "type": "supergroup", "title": "Team"},
                "from": {"id": 1, "is_bot": true, "first_name": "telecoder", "username": BOT},
                "forum_topic_created": {"name": "t", "icon_color": 1}}}),
    );
    // A reply in a plain supergroup carries a thread id too, and belongs to no topic.
    machine.api.deliver_message(
        TEAM,
        ADA,
        json!({"text": "/status", "message_thread_id": 5}),
    );
    let status = machine.message_with("No session yet");
    assert_eq!(status.thread, None);
    machine.until_quiet();
    assert_eq!(machine.bot_messages().len(), 1);
}

#[test]
fn a_command_for_a_bot_with_a_bought_name_is_no_prompt() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.api.say(TEAM, ADA, "/status@pic");
    machine.api.say(TEAM, ADA, "/draw@pic a cat");
    machine.until_quiet();
    assert_eq!(machine.bot_messages().len(), 0);
    mention(&machine, &format!("@{BOT} /opt@2x is missing"), 0);
    machine.message_with("You said: /opt@2x is missing");
}
