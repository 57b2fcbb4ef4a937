//! A message that somebody edits: a prompt that claude has not read changes; about others, somebody is asked.

use serde_json::{Value, json};

use crate::support::{ADA, CHAT, Machine};

fn ada_edits(machine: &Machine, message: i32, text: &str) {
    machine.api.edit(CHAT, ADA, message, text);
}

#[test]
fn a_prompt_that_waits_becomes_what_it_was_edited_to() {
    let machine = Machine::new();
    machine.holds_messages_back();
    let _bot = machine.start();
    machine.ada_says("[[sleep: 6000]] [[say: first]]");
    machine.message_with("Working · ");
    let message = machine.ada_says("delete the teh file");
    machine.until_quiet_but_for_runs();
    ada_edits(&machine, message, "delete the tea file");
    machine.message_with("You said: delete the tea file");
    machine.until_quiet();
    assert!(!machine.times_run().contains_key("delete the teh file"));
    assert!(!said_anything_of_edits(&machine));
}

#[test]
fn a_message_that_claude_has_on_its_input_is_exchanged_there() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[bash: sleep 7]] [[heard]]");
    machine.message_with("▸ Bash");
    let message = machine.ada_says("use tabs");
    machine.until("claude has it", || {
        let handed = machine.rows("SELECT count(*) FROM prompts WHERE handed_to IS NOT NULL");
        (handed == [1]).then_some(())
    });
    ada_edits(&machine, message, "use spaces");
    machine.message_with("Heard meanwhile: use spaces");
    machine.until_quiet();
    assert!(!machine.times_run().contains_key("use tabs"));
    assert!(!said_anything_of_edits(&machine));
}

#[test]
fn an_edit_of_what_claude_has_read_can_go_to_it_as_a_correction() {
    let machine = Machine::new();
    let _bot = machine.start();
    let message = machine.ada_says("[[bash: sleep 7]] [[heard]]");
    machine.message_with("▸ Bash");
    ada_edits(&machine, message, "use four spaces");
    let question = machine.message_with("You changed a message that claude has read already.");
    assert_eq!(question.reply_to, Some(message.into()));
    let labels: Vec<&str> = question
        .buttons
        .iter()
        .map(|(label, _)| label.as_str())
        .collect();
    assert_eq!(labels, ["Send the correction", "Stop and run again"]);
    // Somebody who edits twice is asked once; what was written last counts.
    ada_edits(&machine, message, "use two spaces");
    machine.until_quiet_but_for_runs();
    machine.ada_presses(&question);
    machine.until_toast("Claude is told.");
    let answer = machine.message_with("Heard meanwhile: ");
    assert!(
        answer.text.starts_with(
            "Heard meanwhile: [I have edited an earlier message. It now says:]\nuse two spaces"
        ),
        "{}",
        answer.text
    );
    machine.until_quiet();
    machine.ada_presses(&question);
    machine.until_toast("This button does nothing any more.");
    let questions = machine.bot_messages();
    let questions = questions
        .iter()
        .filter(|message| message.text.contains("has read already"));
    assert_eq!(questions.count(), 1);
}

#[test]
fn an_edit_of_what_claude_works_on_can_stop_it_and_run_again() {
    let machine = Machine::new();
    let _bot = machine.start();
    let message = machine.ada_says("[[sleep: 60000]] the wrong thing");
    machine.message_with("Working · ");
    ada_edits(&machine, message, "the right thing");
    let question = machine.message_with("You changed a message");
    machine.api.press(ADA, &question, &question.buttons[1].1);
    machine.until_toast("It runs again.");
    machine.message_with("Stopped after ");
    let answer = machine.message_with("You said: the right thing");
    assert_eq!(answer.reply_to, Some(message.into()));
    machine.until_quiet();
    assert_eq!(machine.times_run()["the right thing"], 1);
}

#[test]
fn what_claude_is_about_to_read_is_asked_about_once_when_it_has() {
    let machine = Machine::new().with("FAKE_CLAUDE_START_DELAY", "2500");
    let _bot = machine.start();
    let message = machine.ada_says("[[sleep: 3000]] [[say: hello wrold]]");
    machine.until("it runs", || {
        (machine.rows("SELECT count(*) FROM runs WHERE state = 'running'") == [1]).then_some(())
    });
    ada_edits(&machine, message, "[[say: hello world]]");
    machine.until_quiet_but_for_runs();
    assert!(
        !said_anything_of_edits(&machine),
        "claude has not read it yet"
    );
    let question = machine.message_with("You changed a message");
    machine.api.press(ADA, &question, &question.buttons[1].1);
    machine.message_with("hello world");
    machine.until_quiet();
    let asked = machine.bot_messages();
    let asked = asked
        .iter()
        .filter(|message| message.text.contains("You changed a message"));
    assert_eq!(asked.count(), 1);
}

#[test]
fn an_edit_of_a_prompt_of_yesterday_can_be_run_again() {
    let machine = Machine::new();
    let _bot = machine.start();
    let message = machine.ada_says("hello wrold");
    machine.message_with("You said: hello wrold");
    machine.until_quiet();
    ada_edits(&machine, message, "hello world");
    let question = machine.message_with("You changed a message");
    assert_eq!(question.buttons[1].0, "Run it again");
    machine.api.press(ADA, &question, &question.buttons[1].1);
    machine.message_with("You said: hello world");
}

#[test]
fn an_edit_that_changes_no_word_or_is_of_no_prompt_has_no_effect() {
    let machine = Machine::new();
    let _bot = machine.start();
    let prompt = machine.ada_says("see https://example.com");
    machine.message_with("You said: see https://example.com");
    let command = machine.ada_says("/status");
    machine.message_with("Session ");
    machine.until_quiet();
    let before = machine.bot_messages().len();
    // As when a link gets its preview.
    ada_edits(&machine, prompt, "see https://example.com");
    ada_edits(&machine, command, "/status now");
    machine.api.deliver(
        json!({"edited_message": {"message_id": 999, "date": 1, "edit_date": 2,
        "chat": {"id": CHAT.0, "type": "private", "first_name": "Ada"},
        "from": {"id": ADA.0, "is_bot": false, "first_name": "Ada"}, "text": "who am I"}}),
    );
    machine.until_quiet();
    assert_eq!(machine.bot_messages().len(), before);
}

#[test]
fn what_was_cancelled_does_not_run_because_it_is_edited() {
    let machine = Machine::new();
    let _bot = machine.start();
    // A claude that gives nothing back.
    machine.ada_says("[[stubborn]] [[bash: sleep 7]] [[say: finished]]");
    machine.message_with("▸ Bash");
    let message = machine.ada_says("on second thoguht");
    machine.until("claude has it", || {
        let handed = machine.rows("SELECT count(*) FROM prompts WHERE handed_to IS NOT NULL");
        (handed == [1]).then_some(())
    });
    machine.ada_says("/queue");
    let list = machine.message_with("1. on second");
    machine.ada_presses(&list);
    machine.until_toast("Taking it back from claude.");
    ada_edits(&machine, message, "on second thought");
    machine.message_with("Claude had read this already");
    assert!(!said_anything_of_edits(&machine));
}

/// A picture; `caption` is what is said about it.
fn picture(machine: &Machine, caption: &str) -> (i32, Value) {
    let mut fields = json!({"photo": [
        {"file_id": "one", "file_unique_id": "l", "width": 1280, "height": 720, "file_size": 11},
    ]});
    if !caption.is_empty() {
        fields["caption"] = json!(caption);
    }
    (
        machine.api.deliver_message(CHAT, ADA, fields.clone()),
        fields,
    )
}

#[test]
fn a_caption_that_a_picture_is_given_later_is_part_of_the_prompt_and_one_that_is_taken_away_is_not()
{
    let machine = Machine::new();
    machine.holds_messages_back();
    machine
        .api
        .put_file_as("one", "photos/file_1", "no picture");
    let _bot = machine.start();
    machine.ada_says("[[sleep: 4000]] [[say: first]]");
    machine.message_with("Working · ");
    for (before, after) in [("", "what is this?"), ("and what is that?", "")] {
        let (message, mut fields) = picture(&machine, before);
        machine.until_quiet_but_for_runs();
        fields["caption"] = json!(after);
        fields["message_id"] = json!(message);
        fields["date"] = json!(1);
        fields["edit_date"] = json!(2);
        fields["chat"] = json!({"id": CHAT.0, "type": "private", "first_name": "Ada"});
        fields["from"] = json!({"id": ADA.0, "is_bot": false, "first_name": "Ada"});
        if after.is_empty() {
            fields.as_object_mut().expect("it is one").remove("caption");
        }
        machine.api.deliver(json!({"edited_message": fields}));
    }
    machine.until_quiet();
    let got = machine.claude_got();
    assert_eq!(
        got[1][1],
        json!({"type": "text", "text": "what is this?"}),
        "{got:?}"
    );
    assert_eq!(got[2].as_array().map(Vec::len), Some(1), "{got:?}");
}

/// The message has another picture now.
fn ada_exchanges(machine: &Machine, message: i32, file: &str, words: &str) {
    let mut fields = json!({"message_id": message, "date": 1, "edit_date": 2,
        "chat": {"id": CHAT.0, "type": "private", "first_name": "Ada"},
        "from": {"id": ADA.0, "is_bot": false, "first_name": "Ada"},
        "document": {"file_id": file, "file_unique_id": format!("{file}-unique"), "file_name": format!("{file}.txt")}});
    if !words.is_empty() {
        fields["caption"] = json!(words);
    }
    machine.api.deliver(json!({"edited_message": fields}));
}

fn document(machine: &Machine, file: &str, words: &str) -> i32 {
    machine.api.deliver_message(
        CHAT,
        ADA,
        json!({"caption": words, "document": {"file_id": file, "file_unique_id": format!("{file}-unique"),
            "file_name": format!("{file}.txt")}}),
    )
}

fn with_documents() -> Machine {
    let machine = Machine::new();
    for file in ["old", "new"] {
        machine
            .api
            .put_file_as(file, &format!("documents/{file}.txt"), file);
    }
    machine
}

/// The names of the files in a prompt, and its words.
fn files_and_words(prompt: &Value) -> Vec<String> {
    let Some(blocks) = prompt.as_array() else {
        return vec![prompt.as_str().unwrap_or_default().to_owned()];
    };
    let texts = blocks.iter().filter_map(|block| block["text"].as_str());
    texts
        .map(|text| match text.rsplit_once("/inbox/") {
            Some((_, file)) => file.split(' ').next().unwrap_or_default().to_owned(),
            None => text.to_owned(),
        })
        .collect()
}

#[test]
fn a_file_that_is_replaced_before_claude_reads_it_is_the_one_that_claude_gets() {
    let machine = with_documents();
    machine.holds_messages_back();
    let _bot = machine.start();
    machine.ada_says("[[sleep: 5000]] [[say: first]]");
    machine.message_with("Working · ");
    let same_words = document(&machine, "old", "sum it up");
    let both = document(&machine, "old", "sum it up");
    let text = machine.ada_says("sum this up");
    machine.until_quiet_but_for_runs();
    ada_exchanges(&machine, same_words, "new", "sum it up");
    ada_exchanges(&machine, both, "new", "and translate it");
    ada_exchanges(&machine, text, "new", "sum this up");
    machine.until_quiet();
    let got = machine.claude_got();
    let got: Vec<Vec<String>> = got.iter().skip(1).map(files_and_words).collect();
    assert_eq!(got.len(), 3, "{got:?}");
    for (prompt, words) in got
        .iter()
        .zip(["sum it up", "and translate it", "sum this up"])
    {
        assert_eq!(prompt.len(), 2, "{got:?}");
        assert!(prompt[0].starts_with("new"), "{got:?}");
        assert_eq!(prompt[1], words);
    }
    assert!(!said_anything_of_edits(&machine));
}

#[test]
fn an_address_behind_words_that_is_changed_is_an_edit() {
    let machine = Machine::new();
    let _bot = machine.start();
    let linked = |address: &str| {
        json!({"text": "read the docs", "entities": [
            {"type": "text_link", "offset": 5, "length": 8, "url": address}]})
    };
    let message = machine
        .api
        .deliver_message(CHAT, ADA, linked("https://example.org/old"));
    machine.message_with("You said: read the docs");
    machine.until_quiet();
    let mut fields = linked("https://example.org/new");
    fields["message_id"] = json!(message);
    fields["date"] = json!(1);
    fields["chat"] = json!({"id": CHAT.0, "type": "private", "first_name": "Ada"});
    fields["from"] = json!({"id": ADA.0, "is_bot": false, "first_name": "Ada"});
    machine.api.deliver(json!({"edited_message": fields}));
    let question = machine.message_with("You changed a message");
    machine.api.press(ADA, &question, &question.buttons[1].1);
    machine.until("claude has it", || {
        (machine.claude_got().len() == 2).then_some(())
    });
    let got = machine.claude_got();
    assert_eq!(
        got[1],
        json!([{"type": "text", "text": "read the docs"}, {"type": "text",
            "text": "[The addresses behind these words:]\n> the docs: https://example.org/new"}])
    );
}

#[test]
fn a_file_on_its_way_to_claude_is_exchanged_there() {
    let machine = with_documents();
    let _bot = machine.start();
    machine.ada_says("[[bash: sleep 7]] [[heard]]");
    machine.message_with("▸ Bash");
    let message = document(&machine, "old", "look at it");
    machine.until("claude has it", || {
        let handed = machine.rows("SELECT count(*) FROM prompts WHERE handed_to IS NOT NULL");
        (handed == [1]).then_some(())
    });
    ada_exchanges(&machine, message, "new", "look at it");
    machine.until_quiet();
    let got = machine.claude_got();
    let newest = files_and_words(got.last().expect("a prompt"));
    assert!(newest[0].starts_with("new"), "{got:?}");
    assert!(!said_anything_of_edits(&machine));
}

#[test]
fn a_file_that_is_replaced_after_claude_has_read_it_goes_to_it_when_somebody_says_so() {
    for (button, before) in [(0, 1), (1, 0)] {
        let machine = with_documents();
        let _bot = machine.start();
        let message = document(&machine, "old", "sum it up");
        machine.message_with("sum it up");
        machine.until_quiet();
        ada_exchanges(&machine, message, "new", "sum it up");
        let question = machine.message_with("You changed a message that claude has read already.");
        machine
            .api
            .press(ADA, &question, &question.buttons[button].1);
        machine.until("claude has it", || {
            (machine.claude_got().len() == 2).then_some(())
        });
        machine.until_quiet();
        let got = files_and_words(&machine.claude_got()[1]);
        assert_eq!(got.len(), before + 2, "{got:?}");
        assert!(got[before].starts_with("new"), "{got:?}");
        assert_eq!(got[before + 1], "sum it up");
        // As when a link gets its preview.
        let said = machine.bot_messages().len();
        if button == 1 {
            ada_exchanges(&machine, message, "new", "sum it up");
            machine.until_quiet();
            assert_eq!(machine.bot_messages().len(), said);
        }
    }
}

#[test]
fn a_waiting_prompt_that_is_changed_into_a_command_does_not_run_and_can_run_as_it_was() {
    let machine = Machine::new();
    machine.holds_messages_back();
    let _bot = machine.start();
    machine.ada_says("[[sleep: 5000]] [[say: first]]");
    machine.message_with("Working · ");
    let one = machine.ada_says("delete the old branches");
    let other = machine.ada_says("rename the new ones");
    machine.until_quiet_but_for_runs();
    ada_edits(&machine, one, "/stop");
    ada_edits(&machine, other, "/push now please");
    machine.nth_message_with("into a command of mine", 2);
    let messages = machine.bot_messages();
    let told = messages
        .iter()
        .find(|message| message.reply_to == Some(one.into()))
        .expect("it is told");
    machine.message_with("first");
    machine.until_quiet();
    assert_eq!(machine.claude_got().len(), 1);
    machine.ada_presses(told);
    machine.message_with("You said: delete the old branches");
    machine.until_quiet();
    assert_eq!(machine.claude_got().len(), 2);
}

#[test]
fn what_claude_has_read_and_is_changed_into_a_command_is_answered_with_a_sentence() {
    let machine = Machine::new();
    let _bot = machine.start();
    let message = machine.ada_says("hello");
    machine.message_with("You said: hello");
    machine.until_quiet();
    ada_edits(&machine, message, "/status");
    machine.message_with("claude has read it as it was");
    machine.until_quiet();
    assert_eq!(machine.claude_got().len(), 1);
}

fn said_anything_of_edits(machine: &Machine) -> bool {
    let messages = machine.bot_messages();
    messages
        .iter()
        .any(|message| message.text.contains("You changed a message"))
}
