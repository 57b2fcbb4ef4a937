//! The places for runs: never more at work than there are, and whoever only waits keeps nobody else from working.

use telecoder::demo::bot_api::Posted;
use telecoder::domain::id::{ChatId, UserId};

use crate::support::{ADA, GRACE, Machine};

const ADAS: ChatId = ChatId(7);
const GRACES: ChatId = ChatId(8);

fn one_place() -> Machine {
    Machine::new()
        .with("TELECODER_MAX_RUNS", "1")
        .with("TELECODER_TG_ALLOWED_USERS", "7,8")
}

fn grace_says(machine: &Machine, text: &str) {
    machine.api.say(GRACES, GRACE, text);
}

fn message_in(machine: &Machine, chat: ChatId, part: &str) -> Posted {
    machine.until(&format!("{part:?} in {chat:?}"), || {
        let messages = machine.bot_messages().into_iter();
        let mut of_chat = messages.filter(|message| message.chat == chat.0);
        of_chat.find(|message| message.text.contains(part))
    })
}

/// Lets a command go on that waits for this.
fn release(machine: &Machine, what: &str) {
    std::fs::write(machine.folder.path().join("home").join(what), "").expect("a file");
}

fn waits_for(what: &str) -> String {
    format!("[[bash: touch ~/{what}-begun; until test -e ~/{what}; do sleep 0.1; done]]")
}

fn until_begun(machine: &Machine, what: &str) {
    let file = machine.folder.path().join(format!("home/{what}-begun"));
    machine.until(&format!("{what} has begun"), || file.exists().then_some(()));
}

#[test]
fn after_a_restart_the_runs_that_go_on_have_their_places_before_anybody_else_begins() {
    let machine = one_place();
    let bot = machine.start();
    // Whoever is woken first has the lower number.
    grace_says(
        &machine,
        &format!("{} [[say: the first]]", waits_for("first")),
    );
    until_begun(&machine, "first");
    machine.ada_says(&format!("{} [[say: the second]]", waits_for("second")));
    let told = message_in(
        &machine,
        ADAS,
        "The only place for runs is taken, by another chat.",
    );
    machine.until_known_to_have_arrived(&told);
    bot.kill();
    let _bot = machine.start();
    machine.nth_message_with("The only place for runs is taken", 2);
    let second = machine.folder.path().join("home/second-begun");
    assert!(!second.exists(), "it has no place");
    release(&machine, "first");
    message_in(&machine, GRACES, "the first");
    until_begun(&machine, "second");
    release(&machine, "second");
    message_in(&machine, ADAS, "the second");
    machine.until_quiet();
}

#[test]
fn a_prompt_that_waited_for_its_place_goes_on_with_the_conversation_as_it_is_then() {
    let machine = one_place();
    let _bot = machine.start();
    machine.ada_says("hello");
    machine.message_with("You said: hello");
    machine.until_quiet();
    grace_says(&machine, &waits_for("other"));
    until_begun(&machine, "other");
    machine.ada_says("[[argv]]");
    message_in(&machine, ADAS, "This runs by itself when one is free");
    // What a `/clear` at a terminal does meanwhile.
    let changed = "UPDATE sessions SET claude_session = 'another-one' WHERE chat_id = 7";
    machine.database().execute_batch(changed).expect("SQL");
    release(&machine, "other");
    message_in(&machine, ADAS, "not have this conversation any more");
    let arguments = message_in(&machine, ADAS, "--permission-mode");
    assert!(
        arguments.text.contains("--session-id"),
        "{}",
        arguments.text
    );
}

#[test]
fn an_open_question_keeps_nobody_from_working_and_its_answer_comes_next() {
    let machine = one_place().with("TELECODER_PERMISSION_MODE", "default");
    let _bot = machine.start();
    machine.ada_says("[[ask: Bash {\"command\":\"rm one\"}]]");
    let question = machine.message_with_button("rm one", "Allow once");
    grace_says(&machine, "hello");
    message_in(&machine, GRACES, "You said: hello");
    machine.until("only the question is left", || {
        (machine.rows("SELECT count(*) FROM runs WHERE state <> 'ended'") == [1]).then_some(())
    });
    grace_says(
        &machine,
        &format!("{} [[say: the long one]]", waits_for("long")),
    );
    until_begun(&machine, "long");
    machine.press(ADA, &question, "Allow once");
    grace_says(&machine, "/queue on");
    grace_says(&machine, "after it");
    message_in(
        &machine,
        ADAS,
        "The only place for runs is taken, by another chat.",
    );
    assert!(
        machine
            .bot_messages()
            .iter()
            .all(|message| !message.text.contains("Allowed: "))
    );
    release(&machine, "long");
    message_in(&machine, GRACES, "You said: after it");
    machine.until_quiet();
    let ended = "SELECT chat_id FROM runs ORDER BY ended_at";
    assert_eq!(
        machine.rows(ended),
        [8, 8, 7, 8],
        "the answered one came first"
    );
}

#[test]
fn a_question_that_ends_by_itself_lets_its_run_count_again() {
    let machine = one_place().with("TELECODER_PERMISSION_MODE", "default");
    let _bot = machine.start();
    machine.ada_says(&format!(
        "[[ask-for: 4000 Bash {{\"command\":\"rm one\"}}]] {}",
        waits_for("after")
    ));
    machine.message_with_button("rm one", "Allow once");
    grace_says(&machine, "hello");
    message_in(&machine, GRACES, "You said: hello");
    until_begun(&machine, "after");
    grace_says(&machine, "and now");
    message_in(
        &machine,
        GRACES,
        "The only place for runs is taken, by another chat.",
    );
    release(&machine, "after");
    message_in(&machine, GRACES, "You said: and now");
}

#[test]
fn work_in_the_background_keeps_nobody_from_working_and_nobody_types() {
    let machine = one_place();
    let _bot = machine.start();
    machine.ada_says("[[background: 60000 x]]");
    machine.message_with("still running in the background: the build");
    machine.until_quiet();
    let typing = || {
        let calls = machine.api.calls();
        let typing = calls.iter().filter(|call| call.method == "sendChatAction");
        typing
            .filter(|call| call.arguments["chat_id"] == ADAS.0)
            .count()
    };
    let typed = typing();
    for number in 0..3 {
        grace_says(
            &machine,
            &format!("[[sleep: 1500]] [[say: number {number}]]"),
        );
        message_in(&machine, GRACES, &format!("number {number}"));
    }
    assert_eq!(typing(), typed);
    machine.ada_says("and you?");
    machine.message_with("You said: and you?");
    machine.until_quiet();
    machine.ada_says("/stop");
    machine.message_with("Ended in the background: the build.");
}

#[test]
fn eight_chats_share_two_places_with_questions_and_servers_among_them_and_each_gets_its_turn() {
    let machine = Machine::new()
        .with("TELECODER_MAX_RUNS", "2")
        .with("TELECODER_PERMISSION_MODE", "default")
        .with("TELECODER_TG_ALLOWED_USERS", "11,12,13,14,15,16,17,18");
    let _bot = machine.start();
    let say = |chat: i64, text: &str| machine.api.say(ChatId(chat), UserId(chat as u64), text);
    // Two ask, two have servers; nobody of them needs a place for long.
    for chat in 11..=12 {
        say(
            chat,
            "[[ask: Bash {\"command\":\"rm one\"}]] [[say: answered]]",
        );
        message_in(&machine, ChatId(chat), "rm one");
    }
    for chat in 13..=14 {
        say(chat, "[[background: 600000 x]]");
        message_in(
            &machine,
            ChatId(chat),
            "still running in the background: the build",
        );
    }
    // The others work, twice each, in two places.
    for round in 1..=2 {
        for chat in 15..=18 {
            say(
                chat,
                &format!("[[sleep: 300]] [[say: work {round} of {chat}]]"),
            );
        }
    }
    for chat in 15..=18 {
        message_in(&machine, ChatId(chat), &format!("work 2 of {chat}"));
    }
    let most = "SELECT max((SELECT count(*) FROM runs o WHERE o.chat_id >= 15
                  AND o.started_at <= r.started_at AND o.ended_at > r.started_at)) FROM runs r WHERE r.chat_id >= 15";
    assert!(machine.rows(most)[0] <= 2, "never more than two at a time");
    // Nobody has two turns before everybody had one.
    let order = machine.rows("SELECT chat_id FROM runs WHERE chat_id >= 15 ORDER BY started_at");
    let mut first_four = order[..4].to_vec();
    first_four.sort_unstable();
    assert_eq!(first_four, [15, 16, 17, 18], "{order:?}");
    for chat in 11..=12 {
        let question = message_in(&machine, ChatId(chat), "rm one");
        let allow = question
            .buttons
            .iter()
            .find(|(label, _)| label == "Allow once");
        machine
            .api
            .press(UserId(chat as u64), &question, &allow.expect("a button").1);
        message_in(&machine, ChatId(chat), "answered");
    }
    for chat in 13..=14 {
        say(chat, "/stop");
        message_in(
            &machine,
            ChatId(chat),
            "Ended in the background: the build.",
        );
    }
    machine.until_quiet();
}
