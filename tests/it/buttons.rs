//! How buttons look: in red, in blue, in grey.

use serde_json::json;
use telecoder::demo::bot_api::{Does, Posted, Version};

use crate::support::{ADA, BOT, CHAT, Machine, TEAM};

const REMOVE: &str =
    r#"[[ask: Bash {"command":"rm -f old.log","description":"Remove the old log"}]]"#;
const EXTRAS: &str = r#"[[question: {"questions":[
    {"question":"Which extras?","header":"Extras","multiSelect":true,
     "options":[{"label":"Auth","description":"Login pages"},{"label":"CI","description":"A pipeline"}]}]}]]"#;

/// Each button with its color; a grey one is `off`.
fn look(message: &Posted) -> Vec<(String, String)> {
    let look = |key: &telecoder::demo::bot_api::Key| match key.does {
        Does::Nothing => "off".to_owned(),
        _ => key.style.clone().unwrap_or_default(),
    };
    let keys = message.keys.iter();
    keys.map(|key| (key.text.clone(), look(key))).collect()
}

fn looks(of: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |&(text, look): &(&str, &str)| (text.to_owned(), look.to_owned());
    of.iter().map(owned).collect()
}

#[test]
fn what_allows_much_is_red_and_the_usual_answer_blue() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says(REMOVE);
    let question = machine.message_with_button("wants to run a command", "Allow once");
    assert_eq!(
        look(&question),
        looks(&[
            ("Allow once", "primary"),
            ("Allow for this session", "danger"),
            ("Deny", ""),
            ("Deny and say why", ""),
        ])
    );
}

#[test]
fn stop_is_red() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[sleep: 60000]]");
    let live = machine.message_with_button("Working · ", "Stop");
    assert_eq!(look(&live), looks(&[("Stop", "danger")]));
}

#[test]
fn an_answered_question_shows_in_grey_what_was_chosen() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says(REMOVE);
    let question = machine.message_with_button("wants to run a command", "Allow once");
    machine.press(ADA, &question, "Deny");
    machine.message_with("\"behavior\":\"deny\"");
    machine.until_quiet();
    let now = machine.now(&question);
    assert!(now.text.ends_with("✗ Denied"), "{}", now.text);
    assert_eq!(
        look(&now),
        looks(&[
            ("Allow once", "off"),
            ("Allow for this session", "off"),
            ("✓ Deny", "off"),
            ("Deny and say why", "off"),
        ])
    );
}

#[test]
fn of_several_options_the_chosen_ones_stay_marked() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says(EXTRAS);
    let question = machine.message_with_button("Which extras?", "☐ CI");
    machine.press(ADA, &question, "☐ CI");
    let chosen = machine.message_with_button("Which extras?", "☑ CI");
    machine.press(ADA, &chosen, "Done");
    machine.message_with("CI");
    machine.until_quiet();
    assert_eq!(
        look(&machine.now(&question)),
        looks(&[("☐ Auth", "off"), ("☑ CI", "off")])
    );
}

#[test]
fn an_older_server_shows_an_answered_question_without_buttons() {
    let machine = Machine::new();
    machine.api.set_version(Version::Old);
    let _bot = machine.start();
    for round in 1..=2 {
        machine.ada_says(REMOVE);
        let question = machine.nth_message_with("wants to run a command", round);
        machine.press(ADA, &question, "Allow once");
        machine.until("the answer is shown", || {
            let now = machine.now(&question);
            (now.text.ends_with("✓ Allowed once") && now.keys.is_empty()).then_some(())
        });
        machine.until_quiet();
    }
}

/// A field of a form that is filled with words.
const BRANCH: &str = r#"[[ask-raw: {"subtype":"elicitation","mcp_server_name":"deploy","message":"Where to?","mode":"form","requested_schema":{"type":"object","properties":{"branch":{"type":"string","title":"Branch"}}}}]]"#;

#[test]
fn a_question_for_words_opens_a_reply_beside_its_button() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says(BRANCH);
    let question = machine.message_with_button("Branch", "Do not answer");
    assert!(question.forces_reply);
    machine.reply(ADA, &question, "main");
    machine.message_with(r#"{"action":"accept","content":{"branch":"main"}}"#);
    machine.until_quiet();
    let now = machine.now(&question);
    assert!(now.text.ends_with("✓ main"), "{}", now.text);
    assert_eq!(look(&now), looks(&[("Do not answer", "off")]));
    machine.ada_says(REMOVE);
    let question = machine.message_with_button("wants to run a command", "Deny");
    assert!(!question.forces_reply, "a prompt half written would deny");
}

#[test]
fn a_question_for_words_that_is_over_can_still_be_changed() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says(BRANCH);
    let question = machine.message_with_button("Branch", "Do not answer");
    machine.ada_says("/stop");
    machine.until("it is over", || {
        let now = machine.now(&question);
        now.text
            .ends_with("Not needed any more: claude does not wait for an answer.")
            .then_some(())
    });
}

#[test]
fn in_a_group_a_question_opens_nobodys_reply() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.api.deliver_message(
        TEAM,
        ADA,
        json!({"text": format!("@{BOT} {BRANCH}"),
            "entities": [{"type": "mention", "offset": 0, "length": BOT.len() + 1}]}),
    );
    let question = machine.message_with_button("Branch", "Do not answer");
    assert!(!question.forces_reply);
}

#[test]
fn an_older_server_asks_for_words_without_opening_a_reply() {
    let machine = Machine::new();
    machine.api.set_version(Version::Old);
    let _bot = machine.start();
    machine.ada_says(BRANCH);
    let question = machine.message_with_button("Branch", "Do not answer");
    assert!(!question.forces_reply);
    machine.press(ADA, &question, "Do not answer");
    machine.message_with(r#"{"action":"decline"}"#);
}

#[test]
fn a_press_that_does_nothing_leaves_the_other_buttons_whatever_is_new_around_them() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says(REMOVE);
    let question = machine.message_with_button("wants to run a command", "Allow once");
    let chat = json!({"id": CHAT.0, "type": "private", "first_name": "Ada"});
    machine.api.deliver(json!({"callback_query": {
        "id": "1", "chat_instance": "1", "data": "of a later version",
        "from": {"id": ADA.0, "is_bot": false, "first_name": "Ada"},
        "message": {
            "message_id": question.id, "date": 1, "text": question.text, "chat": chat,
            "entities": [{"type": "date_time", "offset": 0, "length": 6, "unix_time": 1}],
            "reply_markup": {"inline_keyboard": [[{"text": "✓ Deny", "disabled": {}}], [{"text": "?", "hologram": 1}]]},
            "reply_to_message": {"message_id": 1, "date": "yesterday", "text": "an answered one", "chat": chat,
                "reply_markup": {"inline_keyboard": [[{"text": "✓ Deny", "disabled": {}}]]}},
        },
    }}));
    machine.until_toast("This button does nothing any more.");
    machine.press(ADA, &question, "Allow once");
    machine.message_with("\"behavior\":\"allow\"");
    machine.until_quiet();
    let calls = machine.api.calls().into_iter();
    let removals = calls.filter(|call| call.method == "editMessageReplyMarkup");
    assert_eq!(removals.count(), 0);
}

#[test]
fn a_press_in_a_chat_of_a_kind_that_is_not_known_yet_counts() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[sleep: 60000]]");
    let live = machine.message_with("Working · ");
    for (number, (chat, date)) in [
        (
            json!({"id": CHAT.0, "type": "of_tomorrow", "first_name": {"new": "form"}}),
            0,
        ),
        (json!({"id": CHAT.0, "type": "of_tomorrow"}), 1),
    ]
    .into_iter()
    .enumerate()
    {
        machine.api.deliver(json!({"callback_query": {
            "id": format!("query-{number}"),
            "from": {"id": ADA.0, "is_bot": false, "first_name": "Ada", "last_name": {"new": "form"}},
            "chat_instance": 5,
            "game_short_name": {"new": "form"},
            "data": "no-button",
            "message": {"chat": chat, "message_id": live.id, "date": date},
        }}));
        machine.until("it is answered", || {
            let calls = machine.api.calls();
            let answers = calls
                .iter()
                .filter(|call| call.arguments["text"] == "This button does nothing any more.");
            (answers.count() == number + 1).then_some(())
        });
    }
    // A message there is heard too.
    machine.api.deliver_message(
        CHAT,
        ADA,
        json!({"text": "/stop", "chat": {"id": CHAT.0, "type": "of_tomorrow"}}),
    );
    machine.until_quiet();
}
