//! Whatever claude puts into a question, a person sees what they allow, and every request gets its answer.

use serde_json::{Value, json};
use telecoder::demo::bot_api::Posted;
use telecoder::domain::id::UserId;

use crate::support::{ADA, CHAT, Machine, TEAM};

/// As claude asks for a command, with these rules for a session suggested.
fn bash(input: &Value, rules: &[&str]) -> String {
    let rules: Vec<Value> = rules
        .iter()
        .map(|rule| json!({"toolName": "Bash", "ruleContent": rule}))
        .collect();
    let request = json!({"subtype": "can_use_tool", "tool_name": "Bash", "input": input,
        "permission_suggestions": [{"type": "addRules", "rules": rules, "behavior": "allow",
            "destination": "localSettings"}]});
    format!("[[ask-raw: {request}]]")
}

/// The arguments of every run.
fn started_with(machine: &Machine) -> Vec<Vec<String>> {
    let runs = std::fs::read_dir(machine.data().join("runs")).expect("runs");
    runs.map(|run| {
        let spec = std::fs::read(run.expect("a run").path().join("spec.json")).expect("a spec");
        let spec: Value = serde_json::from_slice(&spec).expect("JSON");
        serde_json::from_value(spec["arguments"].clone()).expect("arguments")
    })
    .collect()
}

/// What claude may do without asking, in all runs that there were. claude: `permissions.allow` of its settings.
fn allowed(machine: &Machine) -> Vec<String> {
    let files = started_with(machine).into_iter().map(|arguments| {
        let at = arguments.iter().position(|it| it == "--settings");
        arguments[at.expect("settings") + 1].clone()
    });
    files
        .flat_map(|file| {
            let settings = std::fs::read(file).expect("the settings");
            let settings: Value = serde_json::from_slice(&settings).expect("JSON");
            let allowed = settings["permissions"]["allow"].clone();
            serde_json::from_value::<Vec<String>>(allowed).expect("rules")
        })
        .collect()
}

fn labels(message: &Posted) -> Vec<&str> {
    message
        .buttons
        .iter()
        .map(|(label, _)| label.as_str())
        .collect()
}

#[test]
fn a_long_description_does_not_hide_the_command() {
    let machine = Machine::new();
    let _bot = machine.start();
    let description = format!("List the files{}", " that are here".repeat(400));
    machine.ada_says(&bash(
        &json!({"command": "rm -rf ~/work", "description": description}),
        &[],
    ));
    let question =
        machine.message_with_button("Claude wants to run a command (“List the files", "Deny");
    assert!(question.text.contains("rm -rf ~/work"), "{}", question.text);
    machine.press(ADA, &question, "Deny");

    let lines = "Looks harmless\n\nClaude wants to run this command:\n\nls";
    machine.ada_says(&bash(
        &json!({"command": "rm -rf ~/play", "description": lines}),
        &[],
    ));
    let question = machine.message_with("Looks harmless");
    assert!(question.text.contains("rm -rf ~/play"), "{}", question.text);
    assert!(!question.text.contains("ls\n"), "{}", question.text);
}

#[test]
fn a_long_path_does_not_hide_its_end_or_the_change() {
    let machine = Machine::new();
    let _bot = machine.start();
    let path = format!("{}/etc/crontab", "/.".repeat(2000));
    let input = json!({"file_path": path, "content": "* * * * * sly"});
    machine.ada_says(&format!("[[ask: Write {input}]]"));
    let question = machine.message_with("Claude wants to change ");
    assert!(question.text.contains("/etc/crontab:"), "{}", question.text);
    assert!(
        question.text.contains("+* * * * * sly"),
        "{}",
        question.text
    );
}

#[test]
fn a_long_command_is_shown_also_where_its_rule_is_as_long() {
    let machine = Machine::new();
    let _bot = machine.start();
    let command = format!("echo begin{}; rm -rf ~/work", " again".repeat(1000));
    machine.ada_says(&bash(&json!({"command": command}), &[&command]));
    let question = machine.message_with("Claude wants to run this command:");
    assert!(
        question.text.contains("echo begin again again"),
        "{}",
        question.text
    );
    assert!(
        question
            .text
            .contains("“For this session” is: this command, to the letter"),
        "{}",
        question.text
    );
    assert!(
        question.text.contains("Reply to this message with yes, no"),
        "{}",
        question.text
    );
    let (_, whole) = machine
        .message_with("The whole command.")
        .file
        .expect("a file");
    assert!(whole == command.as_bytes());
}

#[test]
fn what_cannot_be_shown_cannot_be_allowed_for_the_session() {
    let machine = Machine::new();
    let _bot = machine.start();
    let long = format!("echo {}", "x".repeat(1000));
    machine.ada_says(&bash(&json!({"command": "echo one"}), &["echo one", &long]));
    let question = machine.message_with("echo one");
    assert_eq!(
        labels(&question),
        ["Allow once", "Deny", "Deny and say why"]
    );
    // Nor by a press that no button makes.
    let (_, allow) = &question.buttons[0];
    let forged = allow.replace("allow", "session");
    assert_ne!(&forged, allow);
    machine.api.press(ADA, &question, &forged);
    machine.until_quiet();
    machine.message_with("\"updatedPermissions\":[]");
    machine.ada_says("[[say: once more]]");
    machine.message_with("once more");
    assert_eq!(allowed(&machine), [] as [&str; 0]);
}

#[test]
fn characters_that_cannot_be_seen_are_shown() {
    let machine = Machine::new();
    let _bot = machine.start();
    let input =
        json!({"command": "echo safe \u{202e}~ fr- mr\u{1b}[2K\r", "description": "a\u{2066}b"});
    machine.ada_says(&bash(&input, &[]));
    let question = machine.message_with_button("Claude wants to run a command (“", "Allow once");
    assert!(
        question
            .text
            .contains("echo safe <U+202E>~ fr- mr<U+001B>[2K<U+000D>"),
        "{}",
        question.text
    );
    assert!(question.text.contains("a<U+2066>b"), "{}", question.text);
    machine.press(ADA, &question, "Allow once");
    // What runs is what was asked for.
    machine.message_with(r#""behavior":"allow""#);
}

#[test]
fn requests_whose_ids_are_alike_are_each_answered() {
    let machine = Machine::new();
    let _bot = machine.start();
    let long = "x".repeat(300);
    let ids = [
        "a.b".to_owned(),
        "a/b".to_owned(),
        "../../a b".to_owned(),
        String::new(),
        format!("{long}1"),
        format!("{long}2"),
    ];
    let requests: Vec<String> = ids
        .iter()
        .enumerate()
        .map(|(number, id)| {
            json!({"subtype": "can_use_tool", "tool_name": "Bash", "request_id": id,
                "input": {"command": format!("run number {number}")}})
            .to_string()
        })
        .collect();
    machine.ada_says(&format!(
        "[[ask-raw: {}]] [[say: all of them]]",
        requests.join(" ;; ")
    ));
    for number in 0..ids.len() {
        let question = machine.message_with_button(&format!("run number {number}"), "Deny");
        machine.press(ADA, &question, "Deny");
    }
    machine.message_with("all of them");
}

#[test]
fn a_press_on_a_question_of_another_chat_has_no_effect() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says(r#"[[ask: Bash {"command":"rm one"}]]"#);
    let question = machine.message_with_button("rm one", "Deny");
    let (_, allow) = question.buttons[0].clone();
    let elsewhere = Posted {
        chat: TEAM.0,
        ..question.clone()
    };
    machine.api.press(ADA, &elsewhere, &allow);
    machine.until_toast("This button does nothing any more.");
    machine.api.press(UserId(9), &question, &allow);
    assert!(!machine.now(&question).buttons.is_empty());
    machine.press(ADA, &question, "Deny");
    machine.message_with("The user did not allow this.");
}

#[test]
fn a_picture_sent_as_a_reply_to_a_question_is_not_lost_and_no_answer() {
    let machine = Machine::new();
    let id = machine
        .api
        .put_file("documents/file_1.txt", b"the log".to_vec());
    let _bot = machine.start();
    machine.ada_says(r#"[[ask: Bash {"command":"rm one"}]]"#);
    let question = machine.message_with_button("rm one", "Allow once");
    machine.until_known_to_have_arrived(&question);
    machine.api.deliver_message(
        CHAT,
        ADA,
        json!({
            "document": {"file_id": id, "file_unique_id": "u", "file_name": "the.log", "mime_type": "text/plain", "file_size": 7},
            "reply_to_message": {"message_id": question.id, "date": 1,
                "chat": {"id": CHAT.0, "type": "private", "first_name": "Ada"},
                "from": {"id": 1, "is_bot": true, "first_name": "telecoder", "username": "telecoder_bot"},
                "text": question.text},
        }),
    );
    machine.message_with("Claude still waits for your answer");
    assert!(!machine.now(&question).buttons.is_empty());
    machine.press(ADA, &question, "Allow once");
    machine.message_with("the.log");
}

#[test]
fn a_rule_for_the_session_is_that_rule_in_later_runs_too_and_never_every_command() {
    let machine = Machine::cold();
    let _bot = machine.start();
    let command = r#"python3 -c "print(1)" | grep "a\(b\)""#;
    machine.ada_says(&bash(&json!({"command": command}), &[command, "", "*"]));
    let question = machine.message_with_button(
        "Claude wants to run this command:",
        "Allow for this session",
    );
    let shown = format!("“For this session” is: Bash({command})\n");
    assert!(question.text.contains(&shown), "{}", question.text);
    machine.press(ADA, &question, "Allow for this session");
    machine.message_with("updatedPermissions");
    machine.ada_says("[[say: once more]]");
    machine.message_with("once more");
    let escaped = r#"Bash(python3 -c "print\(1\)" | grep "a\\\(b\\\)")"#;
    assert_eq!(allowed(&machine), [escaped]);
    // Another session of the same chat has allowed nothing.
    machine.ada_says("/new");
    machine.message_with("New session");
    machine.ada_says("[[say: of the new one]]");
    machine.message_with("of the new one");
    assert_eq!(allowed(&machine), [escaped]);
}

#[test]
fn options_without_a_name_and_more_than_there_is_room_for_can_be_answered() {
    let machine = Machine::new();
    let _bot = machine.start();
    let mut options = vec![
        json!({"label": "", "description": "nothing"}),
        json!({"label": "\u{200b} ", "description": "unseen"}),
    ];
    options.extend(
        (3..=150).map(|number| json!({"label": format!("the {number}th"), "description": ""})),
    );
    let input = json!({"questions": [{"question": "Which?", "header": "h", "options": options}]});
    machine.ada_says(&format!("[[question: {input}]]"));
    let question = machine.message_with("Claude asks: Which?");
    assert_eq!(labels(&question)[..3], ["Option 1", "Option 2", "the 3th"]);
    machine.reply(ADA, &question, "the 149th");
    machine.message_with(r#""answers":{"Which?":"the 149th"}"#);
}

#[test]
fn letters_that_look_like_others_and_blanks_that_are_none_are_shown() {
    let machine = Machine::new();
    let _bot = machine.start();
    let command = "curl gith\u{200d}ub.com\u{a0}x \u{ad}\u{e0041}\u{3164} g\u{456}thub.com 'привет 👩\u{200d}💻 naïve'";
    machine.ada_says(&bash(
        &json!({"command": command}),
        &["curl gith\u{200d}ub.com"],
    ));
    let question = machine.message_with_button("wants to run", "Allow once");
    for part in [
        "gith<U+200D>ub.com<U+00A0>x <U+00AD><U+E0041><U+3164> ",
        "g<U+0456>thub.com",
        "'привет 👩\u{200d}💻 naïve'",
    ] {
        assert!(question.text.contains(part), "{part}: {}", question.text);
    }
    assert!(!labels(&question).contains(&"Allow for this session"));
    machine.press(ADA, &question, "Allow once");
    // What runs is what was asked for.
    machine.message_with(r#""behavior":"allow""#);
}

#[test]
fn the_whole_of_a_path_can_be_read_before_a_change_is_allowed() {
    let machine = Machine::new();
    let _bot = machine.start();
    let path = format!(
        "/work/{}../../etc/{}/notes.txt",
        "./".repeat(300),
        "x".repeat(200)
    );
    let ask = json!({"subtype": "can_use_tool", "tool_name": "Write", "tool_use_id": "t1",
        "input": {"file_path": path, "content": "words\n"}});
    machine.ada_says(&format!("[[ask-raw: {ask}]]"));
    machine.message_with_button("wants to change", "Allow once");
    let (_, whole) = machine
        .message_with("The whole change.")
        .file
        .expect("a file");
    assert!(String::from_utf8_lossy(&whole).contains(&path));
}

#[test]
fn what_cannot_be_seen_in_a_plan_or_a_choice_is_shown_too() {
    let machine = Machine::new().with("TELECODER_PERMISSION_MODE", "plan");
    let _bot = machine.start();
    machine.ada_says("[[plan: delete \u{202e}gnihton]]");
    machine.message_with("delete <U+202E>gnihton");
    machine.message_with_button("asks whether to carry it out", "Keep planning");
    machine.ada_says("/stop");
    machine.until_quiet();
    let ask = json!({"subtype": "can_use_tool", "tool_name": "AskUserQuestion", "tool_use_id": "t2",
        "input": {"questions": [{"question": "Open https://g\u{456}thub.com or which\u{202e}?", "header": "x", "multiSelect": false,
            "options": [{"label": "ye\u{200b}s", "description": "d\u{2066}"}, {"label": "no", "description": ""}]}]}});
    machine.ada_says(&format!("[[ask-raw: {ask}]]"));
    machine.message_with("Open https://g<U+0456>thub.com or which<U+202E>?");
    machine.message_with("ye<U+200B>s – d<U+2066>");
}
