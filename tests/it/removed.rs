//! What somebody has left waiting in a group when they are removed: it is theirs, and does not begin.

use serde_json::json;
use telecoder::domain::id::{ChatId, UserId};

use crate::support::{ADA, BOT, CHAT, GRACE, Machine, TEAM};

const GRACES: ChatId = ChatId(8);
const QUEUED: &str = "SELECT count(*) FROM runs WHERE state = 'queued'";

fn let_in(machine: &Machine, user: UserId) {
    machine
        .database()
        .execute(
            "INSERT INTO people (user_id, name, invited_by, joined_at) VALUES (?1, 'Grace', 7, 1)",
            [user.0],
        )
        .expect("somebody is let in");
}

fn mentions(machine: &Machine, user: UserId, prompt: &str) -> i32 {
    machine.api.deliver_message(
        TEAM,
        user,
        json!({"text": format!("@{BOT} {prompt}"),
               "entities": [{"type": "mention", "offset": 0, "length": BOT.len() + 1}]}),
    )
}

fn removes_grace(machine: &Machine) {
    machine.ada_says("/people");
    let list = machine.message_with("Who may use this bot:");
    machine.ada_presses(&list);
}

fn until_queued(machine: &Machine, count: i64) {
    machine.until("they wait", || {
        (machine.rows(QUEUED) == [count]).then_some(())
    });
}

#[test]
fn what_somebody_who_is_removed_has_waiting_in_a_group_does_not_begin_and_others_prompts_do() {
    let machine = Machine::new();
    let _bot = machine.start();
    let_in(&machine, GRACE);
    mentions(&machine, ADA, "/queue on");
    machine.message_with("/queue off");
    mentions(&machine, ADA, "[[sleep: 60000]]");
    machine.message_with("Working · ");
    mentions(&machine, GRACE, "hers");
    mentions(&machine, ADA, "ada's own");
    until_queued(&machine, 2);
    removes_grace(&machine);
    machine.message_with("Their waiting prompt was dropped.");
    mentions(&machine, ADA, "/stop");
    machine.until_quiet();
    assert!(!machine.times_run().contains_key("hers"));
}

#[test]
fn what_claude_has_on_its_input_from_somebody_who_is_removed_is_taken_back() {
    let machine = Machine::new();
    let _bot = machine.start();
    let_in(&machine, GRACE);
    mentions(&machine, ADA, "[[bash: sleep 9]] [[heard]]");
    machine.message_with("▸ Bash");
    mentions(&machine, GRACE, "hers");
    machine.until("claude has it", || {
        let handed = machine.rows("SELECT count(*) FROM prompts WHERE handed_to IS NOT NULL");
        (handed == [1]).then_some(())
    });
    removes_grace(&machine);
    machine.message_with("Their waiting prompt was dropped.");
    machine.until_quiet();
    let messages = machine.bot_messages();
    assert!(
        messages
            .iter()
            .all(|message| !message.text.contains("hers"))
    );
    assert!(!machine.times_run().contains_key("hers"));
}

#[test]
fn what_somebody_whom_the_settings_name_no_more_has_waiting_in_a_group_does_not_begin() {
    let machine = Machine::new().with("TELECODER_TG_ALLOWED_USERS", "7,8");
    let bot = machine.start();
    mentions(&machine, ADA, "/queue on");
    machine.message_with("/queue off");
    mentions(&machine, ADA, "[[sleep: 4000]] [[say: ada's first]]");
    machine.message_with("Working · ");
    mentions(&machine, GRACE, "hers");
    mentions(&machine, ADA, "ada's second");
    until_queued(&machine, 2);
    bot.kill();
    let machine = machine.with("TELECODER_TG_ALLOWED_USERS", "7");
    let _bot = machine.start();
    let told = machine.message_with("may not use this bot any more");
    assert_eq!(told.chat, CHAT.0);
    assert!(
        told.text.contains("id 8: 1 waiting prompt is dropped"),
        "{}",
        told.text
    );
    machine.message_with("You said: ada's second");
    machine.until_quiet();
    assert!(!machine.times_run().contains_key("hers"));
}

#[test]
fn who_is_let_in_again_gets_nothing_of_what_was_kept_before_they_were_removed() {
    let machine = Machine::new();
    let _bot = machine.start();
    let_in(&machine, GRACE);
    machine.api.say(GRACES, GRACE, "hello");
    machine.message_with("You said: hello");
    machine.until_quiet();
    machine
        .database()
        .execute(
            "UPDATE outbox SET state = 'parked', sent_at = NULL, parts_sent = 0 WHERE chat_id = 8",
            [],
        )
        .expect("parked messages");
    let before = machine.bot_messages().len();
    removes_grace(&machine);
    machine.message_with("may not use this bot any more");
    let_in(&machine, GRACE);
    machine
        .database()
        .execute("DELETE FROM closed_chats", [])
        .expect("as a link does");
    machine.api.say(GRACES, GRACE, "/whoami");
    machine.message_with("Your user id");
    machine.until_quiet();
    let after = machine.bot_messages();
    let again = after[before..]
        .iter()
        .filter(|message| message.text.contains("hello"));
    assert_eq!(again.count(), 0);
}

#[test]
fn a_group_that_moves_keeps_the_mode_that_its_owner_has_chosen() {
    let machine = Machine::new().with("TELECODER_TG_ALLOWED_USERS", "7,8");
    let _bot = machine.start();
    machine.api.say(TEAM, ADA, "/mode default");
    machine.message_with("Mode: manual");
    let moved = ChatId(-1_009_000_000_123);
    machine.api.deliver_message(
        TEAM,
        UserId(1_087_968_824),
        json!({"migrate_to_chat_id": moved.0}),
    );
    machine.until_quiet();
    for (chat, words) in [(moved, "/mode off"), (TEAM, "/mode auto")] {
        machine.api.say(chat, GRACE, words);
    }
    machine.nth_message_with("Only the owner of the bot can choose this mode", 2);
    let modes = "SELECT count(*) FROM chat_settings WHERE permission_mode = 'default'";
    assert_eq!(machine.rows(modes), [1]);
}

#[test]
fn a_tool_as_a_whole_is_no_rule_for_a_session_however_it_is_spelled() {
    for (tool, rule) in [
        ("Bash", "**"),
        ("Bash", "* *"),
        ("Bash", ": *"),
        ("Bash(*)", ""),
    ] {
        let machine = Machine::new().with("TELECODER_PERMISSION_MODE", "default");
        let _bot = machine.start();
        let ask = json!({"subtype": "can_use_tool", "tool_name": "Bash", "tool_use_id": "t1",
            "input": {"command": "ls"},
            "permission_suggestions": [{"type": "addRules", "behavior": "allow", "destination": "session",
                "rules": [{"toolName": tool, "ruleContent": rule}]}]});
        machine.ada_says(&format!("[[ask-raw: {ask}]]"));
        let question = machine.message_with("wants to run");
        let labels: Vec<&str> = question
            .buttons
            .iter()
            .map(|(label, _)| label.as_str())
            .collect();
        assert!(
            !labels.contains(&"Allow for this session"),
            "{tool} {rule}: {labels:?}"
        );
    }
}
