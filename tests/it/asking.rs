//! Claude asks in the middle of its work, and people answer in the chat.

use serde_json::json;
use telecoder::demo::bot_api::Posted;
use telecoder::domain::id::UserId;

use crate::support::{ADA, BOT, CHAT, GRACE, Machine, TEAM};

const BOB: UserId = UserId(9);
const REMOVE: &str =
    r#"[[ask: Bash {"command":"rm -f old.log","description":"Remove the old log"}]]"#;
const TWO: &str = r#"[[question: {"questions":[
    {"question":"Which database?","header":"Database","multiSelect":false,
     "options":[{"label":"SQLite","description":"A single file"},{"label":"Postgres","description":"A server"}]},
    {"question":"Which extras?","header":"Extras","multiSelect":true,
     "options":[{"label":"Auth","description":"Login pages"},{"label":"CI","description":"A pipeline"}]}]}]]"#;

/// Claude's question about a command, when it is there.
fn asked(machine: &Machine) -> Posted {
    machine.message_with("wants to run a command (“Remove the old log”):")
}

#[test]
fn a_command_is_shown_and_allowed_once_by_a_button() {
    let machine = Machine::new();
    let _bot = machine.start();
    let prompt = machine.ada_says(REMOVE);
    let question = asked(&machine);
    assert!(!question.silent, "it rings");
    assert_eq!(question.reply_to, Some(prompt.into()));
    assert!(question.text.contains("rm -f old.log"), "{}", question.text);
    assert_eq!(question.entities[0]["type"], "pre");
    assert_eq!(question.entities[0]["language"], "bash");
    let labels: Vec<&str> = question
        .buttons
        .iter()
        .map(|(label, _)| label.as_str())
        .collect();
    assert_eq!(
        labels,
        [
            "Allow once",
            "Allow for this session",
            "Deny",
            "Deny and say why"
        ]
    );
    machine.press(ADA, &question, "Allow once");
    machine.until_toast("Claude gets your answer.");
    let answer = machine.message_with("\"behavior\":\"allow\"").text;
    assert!(
        answer.contains(
            r#""updatedInput":{"command":"rm -f old.log","description":"Remove the old log"}"#
        ),
        "{answer}"
    );
    assert!(!answer.contains("updatedPermissions"), "{answer}");
    machine.until_quiet();
    let now = machine.now(&question);
    assert!(now.text.ends_with("✓ Allowed once"), "{}", now.text);
    assert!(now.text.contains("rm -f old.log"), "{}", now.text);
    assert!(now.buttons.is_empty());
}

#[test]
fn what_is_allowed_for_the_session_holds_for_its_later_runs() {
    let machine = Machine::cold();
    let _bot = machine.start();
    machine.ada_says(REMOVE);
    let question = asked(&machine);
    assert!(
        question
            .text
            .contains("“For this session” is: Bash(rm -f old.log)"),
        "{}",
        question.text
    );
    machine.press(ADA, &question, "Allow for this session");
    let answer = machine.message_with("updatedPermissions").text;
    assert!(
        answer.contains(
            r#""updatedPermissions":[{"behavior":"allow","destination":"session","rules":[{"ruleContent":"rm -f old.log","toolName":"Bash"}],"type":"addRules"}]"#
        ),
        "{answer}"
    );
    machine.ada_says("[[settings]]");
    let settings = machine.message_with("crossSessionInbound").text;
    assert!(
        settings.contains(r#""allow":["Bash(rm -f old.log)"]"#),
        "{settings}"
    );
    machine.ada_says("/new");
    machine.message_with("New session");
    machine.ada_says("[[settings]]");
    let settings = machine.nth_message_with("crossSessionInbound", 2).text;
    assert!(
        !settings.contains("rm -f"),
        "another session knows nothing of it: {settings}"
    );
}

#[test]
fn a_command_is_denied_by_a_button_and_claude_is_told() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says(REMOVE);
    let question = asked(&machine);
    machine.press(ADA, &question, "Deny");
    machine.message_with(r#"{"behavior":"deny","message":"The user did not allow this."}"#);
    machine.until_quiet();
    assert!(machine.now(&question).text.ends_with("✗ Denied"));
}

#[test]
fn a_person_says_no_and_why_and_claude_reads_it_to_the_letter() {
    let machine = Machine::new();
    let _bot = machine.start();
    let prompt = machine.ada_says(REMOVE);
    let question = asked(&machine);
    machine.press(ADA, &question, "Deny and say why");
    let why = machine.message_with("Reply to this message with the reason");
    assert!(why.forces_reply);
    assert_eq!(why.reply_to, Some(prompt.into()));
    machine.press(ADA, &question, "Deny and say why");
    machine.reply(ADA, &why, "  keep it, yes? ");
    machine.message_with(r#"{"behavior":"deny","message":"  keep it, yes? "}"#);
    machine.until_quiet();
    assert!(
        machine
            .now(&question)
            .text
            .ends_with("✗ Denied: keep it, yes?")
    );
    let whys = machine
        .bot_messages()
        .into_iter()
        .filter(|message| message.forces_reply);
    assert_eq!(whys.count(), 1, "two presses ask once");
    machine.reply(ADA, &why, "and another thing");
    machine.message_with("This question is over, and what you wrote was not given to claude.");
    machine.until_quiet();
    assert_eq!(machine.times_run().len(), 1, "no prompt was made of it");
}

#[test]
fn a_reply_to_the_question_is_an_answer_and_the_next_one_a_prompt() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says(REMOVE);
    let question = asked(&machine);
    machine.reply(ADA, &question, "use git rm");
    machine.message_with(r#"{"behavior":"deny","message":"use git rm"}"#);
    machine.until_quiet();
    machine.reply(ADA, &question, "what was in it?");
    let about = machine.message_with("what was in it?");
    assert!(about.text.starts_with("You said: "), "{}", about.text);
    machine.ada_says(REMOVE);
    // A prompt may quote the first one; only a question that is open has buttons.
    let second = machine.until("it asks again", || {
        let mut messages = machine.bot_messages().into_iter();
        messages.find(|message| message.buttons.len() == 4)
    });
    machine.reply(ADA, &second, "Yes.");
    machine.message_with("\"behavior\":\"allow\"");
}

#[test]
fn a_picture_in_reply_to_a_question_is_not_lost() {
    let machine = Machine::new();
    machine
        .api
        .put_file_as("one", "photos/file_1", "no picture");
    let _bot = machine.start();
    machine.ada_says(REMOVE);
    let question = asked(&machine);
    machine.until_known_to_have_arrived(&question);
    machine.api.deliver_message(
        CHAT,
        ADA,
        json!({"caption": "no, look at this", "photo": [
            {"file_id": "one", "file_unique_id": "l", "width": 1280, "height": 720, "file_size": 11}],
            "reply_to_message": {"message_id": question.id, "date": 1,
                "chat": {"id": CHAT.0, "type": "private", "first_name": "Ada"},
                "from": {"id": 1, "is_bot": true, "first_name": "telecoder", "username": BOT},
                "text": question.text}}),
    );
    machine.until_quiet_but_for_runs();
    machine.press(ADA, &question, "Deny");
    machine.message_with("\"behavior\":\"deny\"");
    machine.until_quiet();
    let got = machine.claude_got();
    assert_eq!(got.len(), 2, "{got:?}");
    assert!(got[1].to_string().contains("no, look at this"), "{got:?}");
    let files = machine.rows("SELECT count(*) FROM attachments WHERE state <> 'awaited'");
    assert_eq!(files, [1]);
}

#[test]
fn several_questions_are_answered_together_in_whatever_order() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says(TWO);
    let database = machine.message_with("Claude asks (1 of 2): Which database?");
    let extras = machine.message_with_button("Claude asks (2 of 2): Which extras?", "Done");
    assert!(
        database.text.contains("• Postgres – A server"),
        "{}",
        database.text
    );
    machine.press(ADA, &extras, "Done");
    machine.until_toast("Choose at least one, or reply in your own words.");
    machine.press(ADA, &extras, "☐ CI");
    machine.until("a tick", || {
        machine
            .now(&extras)
            .buttons
            .iter()
            .any(|(label, _)| label == "☑ CI")
            .then_some(())
    });
    machine.press(ADA, &extras, "☐ Auth");
    machine.press(ADA, &extras, "Done");
    machine.until("the answer is there", || {
        machine
            .now(&extras)
            .text
            .ends_with("✓ Auth, CI")
            .then_some(())
    });
    assert_eq!(
        machine.rows("SELECT count(*) FROM questions WHERE state = 'open'"),
        [1]
    );
    machine.press(ADA, &database, "SQLite");
    machine.message_with(r#""answers":{"Which database?":"SQLite","Which extras?":"Auth, CI"}"#);
    machine.until_quiet();
    assert!(machine.now(&database).text.ends_with("✓ SQLite"));
}

#[test]
fn a_question_is_answered_in_a_persons_own_words() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says(r#"[[question: {"questions":[{"question":"Which?","options":[{"label":"A"},{"label":"B"}]}]}]]"#);
    let question = machine.message_with("Claude asks: Which?");
    machine.reply(ADA, &question, "neither, take C");
    machine.message_with(r#""answers":{"Which?":"neither, take C"}"#);
}

#[test]
fn a_plan_is_read_and_approved_with_the_mode_it_is_carried_out_in() {
    let machine = Machine::new().with("TELECODER_PERMISSION_MODE", "plan");
    let _bot = machine.start();
    machine.ada_says("[[plan: # Plan\n\n1. **Read** the code]]");
    let plan = machine.message_with("Claude's plan");
    assert!(plan.text.contains("Read the code"), "{}", plan.text);
    let question =
        machine.message_with_button("asks whether to carry it out", "Approve, accept edits");
    let labels: Vec<&str> = question
        .buttons
        .iter()
        .map(|(label, _)| label.as_str())
        .collect();
    assert_eq!(
        labels,
        [
            "Approve, accept edits",
            "Approve, ask as before",
            "Approve, ask about nothing",
            "Keep planning"
        ]
    );
    machine.press(ADA, &question, "Approve, accept edits");
    machine.message_with(
        r#""updatedPermissions":[{"destination":"session","mode":"acceptEdits","type":"setMode"}]"#,
    );
    machine.until_quiet();
    assert!(
        machine
            .now(&question)
            .text
            .ends_with("✓ Approved, edits are accepted")
    );
}

#[test]
fn a_plan_is_sent_back_with_a_wish() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[plan: one step]]");
    let question = machine.message_with_button("asks whether to carry it out", "Keep planning");
    assert_eq!(
        question.buttons[0].0, "Approve, ask about nothing",
        "as the run was"
    );
    machine.press(ADA, &question, "Keep planning");
    let wish = machine.message_with("Reply to this message with what the plan should be instead");
    machine.reply(ADA, &wish, "two steps");
    machine.message_with(r#"{"behavior":"deny","message":"two steps"}"#);
}

#[test]
fn in_a_group_only_the_asker_and_the_owner_can_answer() {
    let machine = Machine::new().with("TELECODER_TG_ALLOWED_USERS", "7,8,9");
    let _bot = machine.start();
    machine.api.deliver_message(
        TEAM,
        GRACE,
        json!({"text": format!("@test_coder_bot {REMOVE}"),
            "entities": [{"type": "mention", "offset": 0, "length": 15}]}),
    );
    let question = asked(&machine);
    machine.press(BOB, &question, "Allow once");
    machine.until_toast("Only the prompt's author or the bot's owner can answer this.");
    machine.reply(BOB, &question, "yes");
    machine.message_with("only the person whose prompt it is about");
    assert_eq!(machine.now(&question).buttons.len(), 4);
    machine.press(ADA, &question, "Allow once");
    machine.message_with("\"behavior\":\"allow\"");
    machine.until_quiet();
    let now = machine.now(&question);
    assert!(
        now.text.ends_with("✓ Allowed once\nby Person"),
        "{}",
        now.text
    );
}

#[test]
fn in_a_group_the_question_is_about_whoevers_message_claude_is_at() {
    let machine = Machine::new().with("TELECODER_TG_ALLOWED_USERS", "7,8,9");
    let _bot = machine.start();
    let mention = json!([{"type": "mention", "offset": 0, "length": 15}]);
    let say = |user, text: &str| {
        let text = format!("@test_coder_bot {text}");
        let fields = json!({"text": text, "entities": mention});
        machine.api.deliver_message(TEAM, user, fields)
    };
    say(GRACE, "[[sleep: 5000]] [[say: mine]]");
    machine.message_with("Working · ");
    let of_bob = say(BOB, REMOVE);
    machine.message_with("mine");
    let question = asked(&machine);
    assert_eq!(question.reply_to, Some(of_bob.into()));
    machine.press(GRACE, &question, "Allow once");
    machine.until_toast("Only the prompt's author or the bot's owner can answer this.");
    machine.press(BOB, &question, "Allow once");
    machine.message_with("\"behavior\":\"allow\"");
}

#[test]
fn in_a_group_only_the_owner_can_say_that_claude_asks_nobody() {
    let machine = Machine::new()
        .with("TELECODER_TG_ALLOWED_USERS", "7,8")
        .with("TELECODER_PERMISSION_MODE", "default");
    let _bot = machine.start();
    machine.api.say(TEAM, GRACE, "/mode bypassPermissions");
    machine.message_with("Only the owner of the bot can choose this mode in a group");
    machine.api.say(TEAM, GRACE, "/mode");
    let choices = machine.message_with_button("Mode: manual", "bypassPermissions");
    machine.press(GRACE, &choices, "bypassPermissions");
    machine.until_toast("Only the owner of the bot can do that.");
    machine.press(ADA, &choices, "bypassPermissions");
    machine.until("it is set", || {
        let mode = machine.now(&choices).text;
        mode.starts_with("Mode: bypassPermissions").then_some(())
    });
}

#[test]
fn an_old_button_says_that_it_is_over_and_two_presses_have_one_effect() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says(REMOVE);
    let question = asked(&machine);
    machine.press(ADA, &question, "Allow once");
    machine.press(ADA, &question, "Deny");
    machine.until_toast("This question is over.");
    machine.message_with("\"behavior\":\"allow\"");
    machine.until_quiet();
    assert!(machine.now(&question).text.ends_with("✓ Allowed once"));
}

#[test]
fn a_question_survives_a_restart_and_so_does_its_answer() {
    let machine = Machine::new();
    let bot = machine.start();
    machine.ada_says(REMOVE);
    let question = asked(&machine);
    machine.until_known_to_have_arrived(&question);
    bot.kill();
    machine.press(ADA, &question, "Allow once");
    let _bot = machine.start();
    machine.message_with("\"behavior\":\"allow\"");
    machine.until_quiet();
    assert!(machine.now(&question).text.ends_with("✓ Allowed once"));
    let questions = machine.bot_messages().into_iter().filter(|message| {
        message.text.contains("rm -f old.log") && message.text.contains("wants to")
    });
    assert_eq!(questions.count(), 1, "it was asked once");
}

#[test]
fn of_a_question_that_was_sent_twice_either_can_be_answered_and_none_keeps_its_buttons() {
    let machine = Machine::new();
    let mut bot = machine.start_failing_at("outbox-sent=1*return");
    machine.ada_says(REMOVE);
    let first = asked(&machine);
    bot.wait_for_its_end();
    let _bot = machine.start();
    let second = machine.nth_message_with("wants to run a command", 2);
    machine.until_known_to_have_arrived(&second);
    machine.press(ADA, &first, "Allow once");
    machine.message_with("\"behavior\":\"allow\"");
    machine.until("neither has buttons", || {
        let (first, second) = (machine.now(&first), machine.now(&second));
        (first.buttons.is_empty() && second.buttons.is_empty()).then_some(())
    });
    assert!(machine.now(&second).text.ends_with("✓ Allowed once"));
}

#[test]
fn an_answer_reaches_claude_once_wherever_the_bot_is_killed() {
    for point in [
        "button-done=1*return",
        "answer-written=1*return",
        "answer-passed-on=1*return",
        "outbox-sent=1*off->1*return",
    ] {
        let machine = Machine::new();
        let mut bot = machine.start_failing_at(point);
        machine.ada_says(REMOVE);
        let question = asked(&machine);
        machine.press(ADA, &question, "Deny");
        bot.wait_for_its_end();
        let _bot = machine.start();
        // The fake claude ends badly where it is answered twice.
        machine.message_with("The user did not allow this.");
        machine.until_quiet();
        assert!(machine.now(&question).text.ends_with("✗ Denied"), "{point}");
        assert_eq!(
            machine.rows("SELECT count(*) FROM questions"),
            [1],
            "{point}"
        );
    }
}

#[test]
fn a_question_that_claude_takes_back_is_closed() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says(r#"[[ask-for: 1500 Bash {"command":"rm x"}]] [[say: went on]]"#);
    let question = machine.message_with("wants to run this command");
    machine.message_with("went on");
    machine.until_quiet();
    let now = machine.now(&question);
    assert!(
        now.text
            .ends_with("Not needed any more: claude does not wait for an answer."),
        "{}",
        now.text
    );
    assert!(now.buttons.is_empty());
    machine.api.press(ADA, &now, &question.buttons[0].1);
    machine.until_toast("This question is over.");
}

#[test]
fn a_stop_closes_what_is_asked() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says(REMOVE);
    let question = asked(&machine);
    machine.message_with("Waiting for your answer");
    machine.ada_says("/status");
    machine.message_with("claude waits for your answer to a question above");
    machine.ada_says("/stop");
    machine.message_with("Stopped after");
    machine.until_quiet();
    assert!(machine.now(&question).text.contains("Not needed any more"));
}

#[test]
fn parallel_questions_are_answered_in_the_other_order() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says(r#"[[ask: Bash {"command":"rm one"} ;; Bash {"command":"rm two"}]]"#);
    let one = machine.message_with_button("rm one", "Allow once");
    let two = machine.message_with_button("rm two", "Deny");
    machine.message_with("Waiting for your answers");
    machine.press(ADA, &two, "Deny");
    machine.until("it is answered", || {
        machine.now(&two).text.ends_with("✗ Denied").then_some(())
    });
    machine.press(ADA, &one, "Allow once");
    let answer = machine.message_with("\"behavior\":\"deny\"").text;
    let (first, second) = (
        answer.find("deny").expect("no"),
        answer.find("allow").expect("yes"),
    );
    assert!(first < second, "{answer}");
}

#[test]
fn a_change_is_shown_as_a_coloured_diff_and_a_long_one_as_a_file_too() {
    let machine = Machine::new();
    let _bot = machine.start();
    let long: String = (0..400).map(|line| format!("line {line}\\n")).collect();
    machine.ada_says(&format!(
        r#"[[ask: Edit {{"file_path":"a.txt","old_string":"one\ntwo\nthree","new_string":"one\n2\nthree"}} ;; Write {{"file_path":"b.txt","content":"{long}"}}]]"#
    ));
    let edit = machine.message_with_button("Claude wants to change a.txt:", "Deny");
    assert!(
        edit.text.contains(" one\n-two\n+2\n three"),
        "{}",
        edit.text
    );
    assert_eq!(edit.entities[0]["language"], "diff");
    let write =
        machine.message_with_button("Claude wants to change b.txt:", "Allow for this session");
    assert!(write.text.contains("+line 0\n"), "{}", write.text);
    assert!(!write.text.contains("line 399"), "{}", write.text);
    let whole = machine.message_with("The whole change.");
    let (name, content) = whole.file.expect("a file");
    assert_eq!(name, "change.diff");
    assert!(String::from_utf8_lossy(&content).contains("+line 399"));
    machine.press(ADA, &write, "Allow for this session");
    machine.press(ADA, &edit, "Deny");
    machine.message_with(r#""mode":"acceptEdits","type":"setMode""#);
}

#[test]
fn a_request_that_cannot_be_read_is_asked_about_as_it_is_and_an_unknown_one_is_refused() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says(r#"[[ask-raw: {"subtype":"can_use_tool","tool_name":"AskUserQuestion","input":{"questions":"odd"}}]]"#);
    let question = machine.message_with_button(
        "Claude wants to use the tool AskUserQuestion:",
        "Allow once",
    );
    assert!(
        question.text.contains("questions: odd"),
        "{}",
        question.text
    );
    machine.press(ADA, &question, "Allow once");
    machine.message_with(r#""updatedInput":{"questions":"odd"}"#);
    machine.ada_says(r#"[[ask-raw: {"subtype":"can_use_tool"}]]"#);
    let question = machine.message_with_button("Claude wants to use the tool of no name:", "Deny");
    machine.press(ADA, &question, "Deny");
    machine.message_with("The user did not allow this.");
    machine.ada_says(r#"[[ask-raw: {"subtype":"hook_callback","callback_id":"x"}]]"#);
    machine.message_with("Unsupported control request subtype: hook_callback");
    machine.message_with("Claude asked for something that this chat cannot answer (hook_callback), so I declined it.");
}

#[test]
fn a_form_of_an_mcp_server_is_answered_by_buttons_and_replies() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says(
        r#"[[ask-raw: {"subtype":"elicitation","mcp_server_name":"deploy","message":"Where to?","mode":"form","requested_schema":{"type":"object","properties":{"branch":{"type":"string","title":"Branch"},"env":{"type":"string","enum":["s","p"],"enumNames":["Staging","Production"]},"dry":{"type":"boolean"},"count":{"type":"integer"}}},"property_order":["branch","env","dry","count"]}]]"#,
    );
    let branch = machine.message_with("for the MCP server deploy: Where to?\nBranch");
    machine.reply(ADA, &branch, "main");
    machine.press(ADA, &machine.message_with("\nenv"), "Production");
    machine.press(ADA, &machine.message_with("\ndry"), "No");
    machine.reply(ADA, &machine.message_with("\ncount"), "2");
    machine.message_with(
        r#"{"action":"accept","content":{"branch":"main","count":2,"dry":false,"env":"p"}}"#,
    );
}

#[test]
fn a_form_that_is_declined_in_one_field_is_declined_as_a_whole() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says(
        r#"[[ask-raw: {"subtype":"elicitation","mcp_server_name":"deploy","message":"Where to?","mode":"form","requested_schema":{"type":"object","properties":{"branch":{"type":"string"},"env":{"type":"string"}}}}]]"#,
    );
    machine.press(ADA, &machine.message_with("\nbranch"), "Do not answer");
    machine.message_with(r#"{"action":"decline"}"#);
    let other = machine.message_with("\nenv");
    machine.until("the other question is closed", || {
        machine.now(&other).buttons.is_empty().then_some(())
    });
}

#[test]
fn a_link_of_an_mcp_server_is_opened_or_declined_and_what_no_chat_can_ask_is_declined_with_a_word()
{
    let machine = Machine::new();
    let _bot = machine.start();
    let link = r#"[[ask-raw: {"subtype":"elicitation","mcp_server_name":"deploy","message":"Authorize me","mode":"url","url":"https://example.org/a?b=1"}]]"#;
    machine.ada_says(link);
    let asked = machine.message_with_button("https://example.org/a?b=1", "Done");
    machine.press(ADA, &asked, "Done");
    machine.message_with(r#"{"action":"accept"}"#);
    machine.ada_says(link);
    let asked = machine.nth_message_with("https://example.org/a?b=1", 2);
    machine.press(ADA, &asked, "Decline");
    machine.message_with(r#"{"action":"decline"}"#);
    machine.ada_says(link);
    let asked = machine.nth_message_with("https://example.org/a?b=1", 3);
    machine.reply(ADA, &asked, "no, I do not trust this");
    machine.nth_message_with(r#"{"action":"decline"}"#, 2);
    machine.ada_says(
        r#"[[ask-raw: {"subtype":"elicitation","mcp_server_name":"deploy","message":"All of it","mode":"form","requested_schema":{"type":"object","properties":{"hosts":{"type":"array"}}}}]]"#,
    );
    machine.message_with(
        "Claude asked for something that this chat cannot answer (a form of the MCP server deploy)",
    );
}

#[test]
fn a_plan_that_claude_does_not_send_along_is_read_from_it_and_one_that_is_not_there_is_said() {
    let machine = Machine::new().with("FAKE_CLAUDE_PLAN", "1. Mend the parser");
    let _bot = machine.start();
    machine.ada_says(r#"[[ask: ExitPlanMode {}]]"#);
    machine.message_with("1. Mend the parser");
    let asked =
        machine.message_with_button("asks whether to carry it out", "Approve, accept edits");
    machine.press(ADA, &asked, "Approve, accept edits");
    machine.message_with(r#""behavior":"allow""#);

    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says(r#"[[ask: ExitPlanMode {}]]"#);
    machine.message_with("Claude wants to leave plan mode, but has written no plan down.");
    machine.message_with("asks whether to carry it out");
}

#[test]
fn secrets_in_a_question_are_masked() {
    let machine = Machine::new().with("MY_API_KEY", "hunter2-hunter2-hunter2");
    let _bot = machine.start();
    machine.ada_says(r#"[[question: {"questions":[{"question":"Use hunter2-hunter2-hunter2?","options":[{"label":"hunter2-hunter2-hunter2","description":"it"}]}]}]]"#);
    let question = machine.message_with("Claude asks: Use ");
    assert!(!question.text.contains("hunter2"), "{}", question.text);
    assert!(
        !question.buttons[0].0.contains("hunter2"),
        "{:?}",
        question.buttons
    );
    machine.api.press(ADA, &question, &question.buttons[0].1);
    machine.until_quiet();
    let transcript: Vec<String> = machine
        .bot_messages()
        .into_iter()
        .map(|message| message.text)
        .collect();
    assert!(!transcript.concat().contains("hunter2"), "{transcript:?}");
}

#[test]
fn somebody_is_reminded_after_ten_minutes_and_then_hourly_and_not_loudly_at_night() {
    // Where it is half past ten in the morning, and where it is half past eleven at night.
    for (hour, rings) in [(10, true), (23, false)] {
        let now = jiff::Timestamp::now()
            .to_zoned(jiff::tz::TimeZone::UTC)
            .hour();
        let ahead = (i32::from(now) - hour + 36).rem_euclid(24) - 12;
        let machine = Machine::new().with("TZ", format!("<test>{ahead}"));
        let _bot = machine.start();
        machine.ada_says(REMOVE);
        let question = asked(&machine);
        let goes_by = |minutes: i64| {
            let sql = format!(
                "UPDATE questions SET asked_at = asked_at - {0}, reminded_at = reminded_at - {0}",
                minutes * 60_000
            );
            machine
                .database()
                .execute_batch(&sql)
                .expect("time goes by");
        };
        goes_by(9);
        machine.ada_says("/status");
        machine.message_with("claude waits for your answer");
        assert!(
            machine
                .bot_messages()
                .iter()
                .all(|message| !message.text.contains("has been waiting"))
        );
        goes_by(1);
        let first = machine.message_with("Claude has been waiting for your answer for 10 min");
        assert_eq!(first.reply_to, Some(question.id.into()));
        assert_eq!(first.silent, !rings, "at {hour} h");
        goes_by(60);
        machine.message_with("for 1 h 10 min");
        machine.reply(ADA, &first, "no");
        machine.message_with("The user did not allow this.");
    }
}
