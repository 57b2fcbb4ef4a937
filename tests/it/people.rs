//! Who may use the bot: the owner lets somebody in by a link, and takes that back.

use serde_json::json;
use telecoder::demo::bot_api::Posted;
use telecoder::domain::id::{ChatId, UserId};

use crate::support::{ADA, CHAT, GRACE, Machine, TEAM};

/// Grace's private chat with the bot.
const GRACES: ChatId = ChatId(8);

/// The code in a link of the bot's.
fn code_in(message: &Posted) -> String {
    let link = message.text.split("?start=").nth(1).expect("a link");
    link.split_whitespace().next().expect("a code").to_owned()
}

fn invitation(machine: &Machine) -> String {
    machine.ada_says("/invite");
    let message = machine.message_with("https://t.me/test_coder_bot?start=");
    code_in(&message)
}

fn grace_starts_with(machine: &Machine, code: &str) {
    machine.api.deliver_message(
        GRACES,
        GRACE,
        json!({
            "text": format!("/start {code}"),
            "from": {"id": GRACE.0, "is_bot": false, "first_name": "Grace", "username": "grace_h"},
        }),
    );
}

#[test]
fn whoever_opens_the_owners_link_may_write_from_then_on() {
    let machine = Machine::new();
    let bot = machine.start();
    let code = invitation(&machine);
    assert_eq!(code.len(), 32, "128 bits: {code}");
    grace_starts_with(&machine, &code);
    let welcome = machine.message_with("You may use this bot now");
    assert_eq!(welcome.chat, GRACES.0);
    let told = machine.message_with("Grace (@grace_h) (id 8) has used your link");
    assert_eq!((told.chat, told.silent), (CHAT.0, false));
    machine.api.say(GRACES, GRACE, "hello from Grace");
    machine.message_with("You said: hello from Grace");
    machine.until_quiet();
    assert!(!bot.log().contains(&code), "{}", bot.log());

    drop(bot);
    let _bot = machine.start();
    machine.api.say(GRACES, GRACE, "after a restart");
    machine.message_with("You said: after a restart");
}

#[test]
fn a_link_works_once() {
    let machine = Machine::new();
    let _bot = machine.start();
    let code = invitation(&machine);
    grace_starts_with(&machine, &code);
    machine.message_with("You may use this bot now");
    let late = UserId(9);
    machine.api.say(ChatId(9), late, &format!("/start {code}"));
    machine.api.say(ChatId(9), late, "let me in");
    machine.until_quiet();
    assert!(
        machine
            .bot_messages()
            .iter()
            .all(|message| message.chat != 9)
    );
}

#[test]
fn a_wrong_code_gets_no_word_and_the_right_one_is_not_heard_after_five() {
    let machine = Machine::new();
    let _bot = machine.start();
    let code = invitation(&machine);
    for wrong in 0..5 {
        grace_starts_with(&machine, &format!("{wrong:032x}"));
    }
    grace_starts_with(&machine, &code);
    machine.until_quiet();
    assert!(
        machine
            .api
            .calls()
            .iter()
            .all(|call| call.arguments["chat_id"] != GRACES.0),
        "not a word, no typing"
    );
    // Somebody else can still use it.
    machine
        .api
        .say(ChatId(9), UserId(9), &format!("/start {code}"));
    machine.message_with("You may use this bot now");
}

#[test]
fn a_link_lets_nobody_in_from_a_group() {
    let machine = Machine::new();
    let _bot = machine.start();
    let code = invitation(&machine);
    machine.api.say(TEAM, GRACE, &format!("/start {code}"));
    machine.api.say(TEAM, GRACE, "/status");
    machine.until_quiet();
    assert!(
        machine
            .bot_messages()
            .iter()
            .all(|message| message.chat != TEAM.0)
    );
    grace_starts_with(&machine, &code);
    machine.message_with("You may use this bot now");
    // Who is in may use the group, too.
    machine.api.say(TEAM, GRACE, "/status");
    assert_eq!(machine.message_with("No session yet").chat, TEAM.0);
}

#[test]
fn the_owner_removes_somebody_with_a_button_and_what_they_had_running_is_stopped() {
    let machine = Machine::new();
    let _bot = machine.start();
    let code = invitation(&machine);
    grace_starts_with(&machine, &code);
    machine.message_with("You may use this bot now");
    machine.api.say(GRACES, GRACE, "[[sleep: 60000]]");
    machine.message_with("Working · ");
    machine.api.say(GRACES, GRACE, "and then this");
    machine.api.say(GRACES, GRACE, "/status");
    machine.message_with("Waiting: 1 prompt");
    machine.ada_says("/people");
    let list = machine.message_with("Who may use this bot:");
    assert!(list.text.contains("id 7, the owner"), "{}", list.text);
    assert!(
        list.text.contains("Grace (@grace_h), id 8, invited"),
        "{}",
        list.text
    );
    assert_eq!(list.buttons[0].0, "Remove Grace (@grace_h)");
    // In a group anybody can press; only the owner's press counts.
    machine.api.press(GRACE, &list, &list.buttons[0].1);
    machine.until_toast("Only the owner of the bot can do that.");
    machine.ada_presses(&list);
    machine.message_with("may not use this bot any more");
    machine.until_quiet();
    let before = machine.bot_messages().len();
    machine.api.say(GRACES, GRACE, "am I still here?");
    machine.api.say(GRACES, GRACE, "/status");
    machine.until_quiet();
    assert_eq!(machine.bot_messages().len(), before);
    assert!(!machine.times_run().contains_key("and then this"));
}

#[test]
fn each_of_very_many_invited_people_has_a_button() {
    let machine = Machine::new();
    let _bot = machine.start();
    let database = machine.database();
    for number in 1..=250 {
        database
            .execute(
                "INSERT INTO people (user_id, name, invited_by, joined_at) VALUES (?1, ?2, 7, ?1)",
                (1_000 + number, format!("Guest {number} {}", "x".repeat(60))),
            )
            .expect("one more");
    }
    for page in 1..=7 {
        let command = match page {
            1 => "/people".to_owned(),
            _ => format!("/people {page}"),
        };
        machine.ada_says(&command);
        machine.message_with(&format!("Who may use this bot, page {page} of 7:"));
    }
    machine.until_quiet();
    let labels: Vec<String> = machine
        .bot_messages()
        .into_iter()
        .flat_map(|message| message.buttons)
        .map(|(label, _)| label)
        .collect();
    for number in 1..=250 {
        let label = format!("Remove Guest {number} ");
        let buttons = labels.iter().filter(|other| other.starts_with(&label));
        assert_eq!(buttons.count(), 1, "{label}");
    }
    machine.ada_says("/people 99");
    machine.message_with("/people 1 shows page 1.");
    machine.ada_says("/people Grace");
    machine.message_with("Usage: /people [page]");
}

#[test]
fn only_the_owner_invites_and_only_where_nobody_else_reads_along() {
    let machine = Machine::new().with("TELECODER_TG_ALLOWED_USERS", "7,8");
    let _bot = machine.start();
    machine.api.say(GRACES, GRACE, "/invite");
    machine.api.say(GRACES, GRACE, "/people");
    machine.nth_message_with("Only the owner of this bot can do that", 2);
    machine.api.say(TEAM, ADA, "/invite");
    machine.nth_message_with("Only the owner of this bot can do that", 3);
    assert!(machine.rows("SELECT count(*) FROM invites") == [0]);
}

#[test]
fn whoami_tells_the_ids_that_the_settings_want() {
    let machine = Machine::new().with("TELECODER_TG_ALLOWED_USERS", "7,8");
    let _bot = machine.start();
    machine.ada_says("/whoami");
    let own = machine.message_with("You own this bot");
    assert!(own.text.contains("Your user id: 7"), "{}", own.text);
    machine.api.deliver_message(
        TEAM,
        GRACE,
        json!({"text": "/whoami", "message_thread_id": 5, "is_topic_message": true,
               "entities": [{"type": "bot_command", "offset": 0, "length": 7}]}),
    );
    let team = machine.message_with("you are on TELECODER_TG_ALLOWED_USERS");
    assert!(team.text.contains("Your user id: 8"), "{}", team.text);
    assert!(
        team.text
            .contains("for TELECODER_TG_ALLOWED_CHATS: -100500"),
        "{}",
        team.text
    );
    assert!(team.text.contains("This topic's id: 5"), "{}", team.text);
    // A stranger still gets nothing.
    machine.api.say(ChatId(9), UserId(9), "/whoami");
    machine.until_quiet();
    assert!(
        machine
            .bot_messages()
            .iter()
            .all(|message| message.chat != 9)
    );
}

#[test]
fn where_the_settings_name_nobody_nobody_may_whoever_was_invited_before() {
    let machine = Machine::new();
    let bot = machine.start();
    let code = invitation(&machine);
    grace_starts_with(&machine, &code);
    machine.message_with("You may use this bot now");
    machine.until_quiet();
    drop(bot);
    let machine = machine.without("TELECODER_TG_ALLOWED_USERS");
    let _bot = machine.start();
    let before = machine.bot_messages().len();
    machine.api.say(GRACES, GRACE, "hello?");
    machine.until_quiet();
    assert_eq!(machine.bot_messages().len(), before);
}

#[test]
fn an_owner_who_was_taken_off_the_list_does_not_come_back_by_a_link_of_their_own() {
    let machine = Machine::new();
    let bot = machine.start();
    let code = invitation(&machine);
    machine.until_quiet();
    drop(bot);
    let machine = machine.with("TELECODER_TG_ALLOWED_USERS", "8");
    let _bot = machine.start();
    let before = machine.bot_messages().len();
    machine.ada_says(&format!("/start {code}"));
    machine.ada_says("am I in again?");
    machine.until_quiet();
    assert_eq!(machine.bot_messages().len(), before);
}

#[test]
fn what_somebody_who_was_removed_has_set_going_does_not_go_on() {
    let machine = Machine::new().with(
        "TELECODER_TEST_CMD",
        "while ! test -e go; do sleep 0.1; done; echo '1 failed'; exit 1",
    );
    let _bot = machine.start();
    let code = invitation(&machine);
    grace_starts_with(&machine, &code);
    machine.message_with("You may use this bot now");
    machine
        .api
        .say(GRACES, GRACE, "[[bash: echo x > x]] [[say: begun]]");
    machine.message_with("begun");
    machine.api.say(GRACES, GRACE, "/autofix on");
    machine.message_with("Checking");
    machine.ada_says("/people");
    let list = machine.message_with("Who may use this bot:");
    machine.ada_presses(&list);
    machine.message_with("Work in their private chat is stopped.");
    // The checks are ended, and nothing goes back to claude.
    machine.until_quiet();
    assert_eq!(machine.rows("SELECT count(*) FROM runs"), [1]);
    assert_eq!(machine.rows("SELECT autofix FROM sessions"), [0]);
}

#[test]
fn who_is_removed_takes_no_open_link_along_and_links_can_be_cancelled() {
    let machine = Machine::new();
    let _bot = machine.start();
    let first = invitation(&machine);
    grace_starts_with(&machine, &first);
    machine.message_with("You may use this bot now");
    machine.ada_says("/invite");
    let second = code_in(&machine.nth_message_with("?start=", 2));
    machine.ada_says("/people");
    let list = machine.message_with("1 link of yours is open");
    machine.ada_presses(&list);
    machine.message_with("Open links are cancelled");
    grace_starts_with(&machine, &second);
    machine.ada_says("/invite");
    let third = code_in(&machine.nth_message_with("?start=", 3));
    machine.ada_says("/people");
    let list = machine.nth_message_with("1 link of yours is open", 2);
    machine.ada_presses(&list);
    machine.until_toast("The open links are cancelled.");
    grace_starts_with(&machine, &third);
    machine.until_quiet();
    assert_eq!(machine.rows("SELECT count(*) FROM people"), [0]);
}

#[test]
fn a_link_that_is_a_day_old_lets_nobody_in() {
    let machine = Machine::new();
    let _bot = machine.start();
    let code = invitation(&machine);
    let database = machine.database();
    database
        .execute("UPDATE invites SET expires_at = expires_at - 86400000", [])
        .expect("a day has passed");
    grace_starts_with(&machine, &code);
    machine.until_quiet();
    assert_eq!(machine.rows("SELECT count(*) FROM people"), [0]);
}
