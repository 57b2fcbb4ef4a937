//! A message becomes a run, and its answer comes back.

use serde_json::{Value, json};

use crate::support::{ADA, CHAT, Machine};

#[test]
fn a_message_is_answered_by_claude_loudly_and_as_a_reply() {
    let machine = Machine::new();
    let _bot = machine.start();
    let prompt = machine.ada_says("hello there");
    let answer = machine.message_with("You said: hello there");
    assert!(!answer.silent, "the phone rings");
    assert_eq!(answer.reply_to, Some(i64::from(prompt)));
    assert!(answer.text.contains("Done · "), "{}", answer.text);
    assert!(answer.text.contains("$0.01"), "{}", answer.text);
    machine.until_quiet();
    assert_eq!(machine.loud_messages().len(), 1, "and rings once");
}

#[test]
fn every_text_reaches_claude_to_the_byte() {
    let machine = Machine::new();
    let _bot = machine.start();
    let texts = [
        "it's \"quoted\" `twice` $HOME \\n %s",
        "  leading blanks and\ttabs\n\n\nand lines  ",
        "--version",
        "-p --dangerously-skip-permissions",
        "👩‍💻 emoji 👍🏽 and 日本語",
        "مرحبا بالعالم, right to left",
        "/etc/hosts is a path",
        "// a comment",
        "@ada is somebody else",
        "/deploy@another_bot is what I call it",
    ]
    .map(str::to_owned)
    .into_iter()
    .chain(["é👍".repeat(1365) + "a"]);
    for (number, text) in texts.enumerate() {
        machine.ada_says(&text);
        machine.until("the answer", || {
            (machine.loud_messages().len() > number).then_some(())
        });
        assert_eq!(prompts_of(&machine).last(), Some(&text));
    }
}

/// What claude was given, from the folders of its runs.
fn prompts_of(machine: &Machine) -> Vec<String> {
    let mut runs: Vec<_> = std::fs::read_dir(machine.data().join("runs"))
        .expect("runs")
        .flatten()
        .map(|run| run.path())
        .collect();
    runs.sort();
    runs.iter()
        .flat_map(|run| {
            let events = std::fs::read_to_string(run.join("events.jsonl")).expect("events");
            let lines = events
                .lines()
                .filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let read = lines.filter(|line| line["isReplay"] == json!(true));
            read.map(|line| {
                line["message"]["content"]
                    .as_str()
                    .expect("a text")
                    .to_owned()
            })
            .collect::<Vec<String>>()
        })
        .collect()
}

#[test]
fn the_second_prompt_goes_on_in_the_same_conversation() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("remember the number 42");
    machine.message_with("You said: remember");
    machine.ada_says("[[recall]]");
    machine.message_with("Earlier prompts: remember the number 42");
}

#[test]
fn prompts_that_are_sent_together_are_answered_one_after_the_other() {
    let machine = Machine::new();
    let _bot = machine.start();
    for number in 1..=4 {
        machine.ada_says(&format!("prompt {number}"));
    }
    machine.message_with("You said: prompt 4");
    machine.until_quiet();
    let answers: Vec<String> = machine
        .loud_messages()
        .into_iter()
        .map(|message| message.text.lines().next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(
        answers,
        [1, 2, 3, 4].map(|number| format!("You said: prompt {number}"))
    );
}

#[test]
fn the_model_of_the_first_turn_is_named_to_every_later_one() {
    let machine = Machine::cold();
    let _bot = machine.start();
    machine.ada_says("first");
    machine.message_with("You said: first");
    machine.ada_says("[[argv]]");
    let answer = machine.message_with("--resume");
    assert!(
        answer.text.contains("\"--model\",\"claude-fake-1[1m]\""),
        "{}",
        answer.text
    );
}

#[test]
fn claudes_own_commands_work_and_show_what_they_say() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("hello");
    machine.message_with("You said: hello");
    machine.ada_says("/context");
    machine.message_with("Context Usage");
    machine.ada_says("/compact keep the plan");
    machine.message_with("compacted from 19225 to 586 tokens");
    machine.ada_says("/nosuch");
    machine.message_with("Unknown command: /nosuch");
    machine.ada_says("/clear");
    machine.message_with("The conversation was cleared");
    machine.ada_says("//status");
    machine.message_with("Unknown command: /status");
}

#[test]
fn a_message_with_an_entity_of_a_kind_that_does_not_exist_yet_reaches_claude_whole() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.api.deliver_message(
        CHAT,
        ADA,
        json!({
            "text": "meet me at noon",
            "entities": [{"type": "date_time", "offset": 11, "length": 4, "unix_time": 1}],
            "some_new_field": {"a": [1, 2]},
        }),
    );
    machine.message_with("You said: meet me at noon");
}

#[test]
fn a_message_with_fields_of_another_form_than_today_reaches_claude_all_the_same() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.api.deliver_message(
        CHAT,
        ADA,
        json!({
            "text": "still here",
            "via_bot": {"id": "not a number"},
            "forward_origin": {"type": "a_new_one"},
            "reply_to_message": {"message_id": 1, "date": 1, "rich": true, "chat": {"id": 7, "type": "private",
                "first_name": "P"}, "sticker": {"odd": true}},
        }),
    );
    machine.message_with("still here");
    assert_eq!(
        machine.claude_got(),
        [
            json!([{"type": "text", "text": "[Forwarded:]"}, {"type": "text", "text": "[Written by an inline bot:]"}, {"type": "text", "text": "still here"}])
        ]
    );
}

#[test]
fn an_update_of_an_unknown_kind_is_survived() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.api.deliver(json!({"managed_bot": {"user": 7}}));
    machine
        .api
        .deliver(json!({"message": "not even an object"}));
    machine.ada_says("after it");
    machine.message_with("You said: after it");
    machine.until_quiet();
}

#[test]
fn update_ids_may_start_anew_anywhere() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine
        .api
        .deliver_message(CHAT, ADA, json!({"text": "first"}));
    machine.message_with("You said: first");
    for (id, text) in [(2_100_000_000_i64, "high"), (12, "low again")] {
        let update = json!({"update_id": id, "message": {"message_id": 900 + id % 7,
            "date": jiff::Timestamp::now().as_second(),
            "chat": {"id": CHAT.0, "type": "private", "first_name": "Ada"},
            "from": {"id": ADA.0, "is_bot": false, "first_name": "Ada"}, "text": text}});
        machine.until("the last batch is confirmed", || {
            (machine.api.unconfirmed() == 0).then_some(())
        });
        machine.api.deliver(update);
        machine.message_with(&format!("You said: {text}"));
    }
}
