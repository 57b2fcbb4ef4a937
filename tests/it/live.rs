//! What the chat shows during a run.

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
fn a_long_command_shows_how_long_it_has_been_running_and_what_goes_on_in_the_background_is_named() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says(concat!(
        r#"[[raw: {"type":"assistant","message":{"content":[{"type":"tool_use","id":"t1","name":"Bash","input":{"command":"cargo test"}}]}}]] "#,
        r#"[[raw: {"type":"system","subtype":"task_started","task_id":"b1","tool_use_id":"t1","description":"Run the tests","is_backgrounded":false,"task_type":"local_bash"}]] "#,
        r#"[[raw: {"type":"tool_progress","tool_use_id":"t1-heartbeat-0","tool_name":"Bash","parent_tool_use_id":"t1","elapsed_time_seconds":30,"heartbeat":true}]] "#,
        r#"[[raw: {"type":"system","subtype":"background_tasks_changed","tasks":[{"task_id":"a1","task_type":"local_agent","description":"List the sources"}]}]] "#,
        "[[sleep: 60000]]",
    ));
    let live = machine.message_with("▸ Bash cargo test · 30 s");
    assert!(
        live.text
            .contains("\n\nIn the background: List the sources"),
        "{}",
        live.text
    );
    machine.ada_says("/stop");
    machine.message_with("Ended with it in the background: List the sources.");
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

#[test]
fn claudes_list_is_shown_with_its_ticks_and_edits_with_their_lines() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says(
        r#"[[raw: {"type":"user","message":{"content":[]},"tool_use_result":{"task":{"id":"1","subject":"Read the code"}}}]] [[raw: {"type":"user","message":{"content":[]},"tool_use_result":{"task":{"id":"2","subject":"Fix the bug"}}}]] [[raw: {"type":"user","message":{"content":[]},"tool_use_result":{"success":true,"taskId":"1","statusChange":{"from":"pending","to":"completed"}}}]] [[raw: {"type":"assistant","message":{"content":[{"type":"tool_use","id":"t1","name":"Edit","input":{"file_path":"src/lib.rs"}}]}}]] [[raw: {"type":"user","message":{"content":[{"type":"tool_result","tool_use_id":"t1","content":"ok"}]},"tool_use_result":{"structuredPatch":[{"lines":["+a","+b","-c"," d"]}]}}]] [[sleep: 2000]]"#,
    );
    let live = machine.message_with("Working · ");
    assert!(
        live.text.contains("☑ Read the code\n☐ Fix the bug"),
        "{}",
        live.text
    );
    assert!(
        live.text.contains("✓ Edit src/lib.rs +2 −1"),
        "{}",
        live.text
    );
    let codes = live
        .entities
        .iter()
        .filter(|entity| entity["type"] == "code")
        .count();
    assert_eq!(codes, 1, "the path is no link");
}

#[test]
fn how_much_is_shown_is_the_chats_own_choice_and_kept() {
    let machine = Machine::new();
    let bot = machine.start();
    machine.ada_says("/verbose 0");
    machine.message_with("level 0 shows only that it works");
    machine.ada_says("[[tool: Bash cargo build]] [[sleep: 2000]] [[say: first]]");
    let live = machine.message_with("Working · ");
    assert!(!live.text.contains("Bash"), "{}", live.text);
    machine.message_with("first");
    machine.until_quiet();
    bot.kill();
    let _bot = machine.start();
    machine.ada_says("/verbose");
    machine.nth_message_with("level 0 shows only that it works", 2);
    machine.ada_says("/verbose 2");
    machine.ada_says("[[tool: Bash cargo test]] [[sleep: 2000]]");
    let live = machine.message_with("✓ Bash cargo test");
    assert!(live.text.contains("\n   ok"), "{}", live.text);
}

/// The bot's reactions on a message, in their order.
fn reactions(machine: &Machine, message: i32) -> Vec<String> {
    machine
        .api
        .calls()
        .into_iter()
        .filter(|call| call.method == "setMessageReaction")
        .filter(|call| call.arguments["message_id"] == message)
        .filter_map(|call| Some(call.arguments["reaction"][0]["emoji"].as_str()?.to_owned()))
        .collect()
}

#[test]
fn a_reaction_on_the_prompt_shows_its_state() {
    let machine = Machine::new();
    let _bot = machine.start();
    let done = machine.ada_says("[[sleep: 2000]] [[say: finished]]");
    let failed = machine.ada_says("[[sleep: 500]] [[exit: 3]]");
    machine.message_with("exit code 3");
    machine.until("the last reaction", || {
        (reactions(&machine, failed).last()? == "👎").then_some(())
    });
    assert_eq!(reactions(&machine, done), ["✍", "👍"]);
    // It waited for the first one.
    let of_failed = reactions(&machine, failed);
    assert_eq!(of_failed.first().map(String::as_str), Some("👀"));
}

#[test]
fn an_answer_within_a_second_is_the_only_sign_beside_the_typing() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("hello");
    machine.message_with("You said: hello");
    machine.until_quiet();
    let calls: Vec<String> = machine
        .api
        .calls()
        .into_iter()
        .map(|call| call.method)
        .filter(|method| !method.starts_with("get") && !method.ends_with("MyCommands"))
        .collect();
    assert_eq!(calls, ["sendChatAction", "sendMessage"]);
}

#[test]
fn a_chat_without_reactions_is_left_alone_and_loses_nothing() {
    use crate::support::Fault;
    let machine = Machine::new();
    let _bot = machine.start();
    machine.api.plan(
        "setMessageReaction",
        None,
        100,
        Fault::Refuse(400, "Bad Request: REACTION_INVALID"),
    );
    for number in 1..=3 {
        machine.ada_says(&format!("[[sleep: 1500]] [[say: hello {number}]]"));
        machine.message_with(&format!("hello {number}"));
    }
    machine.until_quiet();
    assert_eq!(machine.api.requests("setMessageReaction").len(), 1);
}

#[test]
fn nothing_rings_in_the_quiet_hours() {
    let machine = Machine::new().with("TZ", "UTC");
    let _bot = machine.start();
    let hour = jiff::Timestamp::now().as_second() / 3_600 % 24;
    let (from, to) = ((hour + 23) % 24, (hour + 2) % 24);
    machine.ada_says(&format!("/quiet {from}:00-{to}:00"));
    machine.message_with("Quiet hours here: ");
    machine.ada_says("in the night");
    assert!(machine.message_with("You said: in the night").silent);
    machine.ada_says("/quiet off");
    machine.message_with("There are no quiet hours here");
    machine.ada_says("in the day");
    assert!(!machine.message_with("You said: in the day").silent);
}

#[test]
fn only_runs_that_took_long_ring_where_that_is_wanted() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("/ring 5");
    machine.message_with("Runs under 5 min end silently");
    machine.ada_says("a quick one");
    assert!(machine.message_with("You said: a quick one").silent);
    machine.ada_says("/ring always");
    machine.message_with("Every run rings at its end");
    machine.ada_says("another");
    assert!(!machine.message_with("You said: another").silent);
    machine.until_quiet();
    assert_eq!(machine.loud_messages().len(), 1, "one ring a run");
}
