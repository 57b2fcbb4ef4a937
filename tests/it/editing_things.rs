//! Edits of what is neither words nor a file: a checklist, a poll, a place that moves.

use serde_json::{Value, json};

use crate::support::{ADA, CHAT, Machine};

fn ada_edits(machine: &Machine, message: i32, mut fields: Value) {
    let about = json!({
        "message_id": message, "date": 1, "edit_date": 2,
        "chat": {"id": CHAT.0, "type": "private", "first_name": "Ada"},
        "from": {"id": ADA.0, "is_bot": false, "first_name": "Ada"},
    });
    for (name, value) in about.as_object().expect("fields") {
        fields[name] = value.clone();
    }
    machine.api.deliver(json!({"edited_message": fields}));
}

fn checklist(done: bool) -> Value {
    let tasks = json!([
        {"id": 1, "text": "write", "completion_date": i64::from(done)},
        {"id": 2, "text": "test"},
    ]);
    json!({"checklist": {"title": "Release", "tasks": tasks}})
}

fn live_place(latitude: f64) -> Value {
    json!({"location": {"latitude": latitude, "longitude": 13.5, "live_period": 900}})
}

fn poll(closed: bool) -> Value {
    let option = if closed { "three" } else { "two" };
    json!({"poll": {"id": "1", "question": "Which?", "is_closed": closed,
        "options": [{"text": "one", "voter_count": 0}, {"text": option, "voter_count": 0}]}})
}

fn questions(machine: &Machine) -> usize {
    let messages = machine.bot_messages().into_iter();
    let asked = messages.filter(|message| message.text.contains("You changed a message"));
    asked.count()
}

#[test]
fn a_thing_that_changes_while_it_waits_is_what_claude_gets() {
    let machine = Machine::new();
    machine.holds_messages_back();
    let _bot = machine.start();
    machine.ada_says("[[sleep: 6000]] [[say: first]]");
    machine.message_with("Working · ");
    let list = machine.api.deliver_message(CHAT, ADA, checklist(false));
    let place = machine.api.deliver_message(CHAT, ADA, live_place(52.25));
    let question = machine.api.deliver_message(CHAT, ADA, poll(false));
    machine.until_quiet_but_for_runs();
    ada_edits(&machine, list, checklist(true));
    for latitude in [52.5, 52.75] {
        ada_edits(&machine, place, live_place(latitude));
    }
    ada_edits(&machine, question, poll(true));
    machine.until_quiet();
    let got = json!(machine.claude_got()).to_string();
    assert!(got.contains("- [x] write"), "{got}");
    assert!(
        got.contains("[Location: 52.75, 13.5]") && !got.contains("52.25"),
        "{got}"
    );
    assert!(got.contains("one / three"), "{got}");
    assert_eq!(questions(&machine), 0);
}

#[test]
fn a_checklist_that_changes_after_claude_has_read_it_is_asked_about_and_a_place_that_moves_is_not()
{
    let machine = Machine::new();
    let _bot = machine.start();
    let place = machine.api.deliver_message(CHAT, ADA, live_place(52.25));
    machine.message_with("52.25");
    let list = machine.api.deliver_message(CHAT, ADA, checklist(false));
    machine.message_with("Release");
    machine.until_quiet();
    for latitude in [52.5, 52.75] {
        ada_edits(&machine, place, live_place(latitude));
    }
    ada_edits(&machine, list, checklist(true));
    let question = machine.message_with("You changed a message that claude has read already.");
    assert_eq!(question.reply_to, Some(list.into()));
    ada_edits(&machine, list, checklist(false));
    ada_edits(&machine, list, checklist(true));
    machine.until_quiet();
    assert_eq!(questions(&machine), 1);
    machine.press(ADA, &question, "Send the correction");
    machine.until("claude reads it", || {
        let got = json!(machine.claude_got()).to_string();
        got.contains("- [x] write").then_some(())
    });
    machine.until_quiet();
}
