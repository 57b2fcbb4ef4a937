//! Whatever happens to a message, it arrives, or the person can find out that it did not.

use std::time::{Duration, Instant};

use serde_json::json;
use telecoder::domain::id::ChatId;

use rustix::process::Signal;

use crate::support::{ADA, BOT, Bot, CHAT, Fault, Machine, TEAM, git, processes};

const BLOCKED: Fault = Fault::Refuse(403, "Forbidden: bot was blocked by the user");
const NEW_TEAM: ChatId = ChatId(-100_777);

/// Texts of the bot's messages in a chat, first lines only.
fn lines_in(machine: &Machine, chat: ChatId) -> Vec<String> {
    machine
        .bot_messages()
        .into_iter()
        .filter(|message| message.chat == chat.0)
        .map(|message| message.text.lines().next().unwrap_or_default().to_owned())
        .collect()
}

/// Ada mentions the bot in a group and asks something.
fn asks_in(machine: &Machine, chat: ChatId, text: &str) {
    let text = format!("@{BOT} {text}");
    let mention = json!([{"type": "mention", "offset": 0, "length": BOT.len() + 1}]);
    machine
        .api
        .deliver_message(chat, ADA, json!({"text": text, "entities": mention}));
}

/// Telegram says in both groups that the team has become a supergroup.
fn team_becomes_a_supergroup(machine: &Machine) {
    machine
        .api
        .deliver_message(TEAM, ADA, json!({"migrate_to_chat_id": NEW_TEAM.0}));
    machine
        .api
        .deliver_message(NEW_TEAM, ADA, json!({"migrate_from_chat_id": TEAM.0}));
}

/// A bot that was blocked while an answer was due.
fn start_blocked(machine: &Machine) -> Bot {
    let bot = machine.start();
    machine.api.plan("sendMessage", None, 1_000, BLOCKED);
    machine.ada_says("hello");
    machine.until_log(&bot, "this chat cannot be reached");
    machine.until_quiet();
    bot
}

#[test]
fn what_was_due_while_the_bot_was_blocked_comes_when_it_is_let_in_again() {
    let machine = Machine::new();
    let _bot = start_blocked(&machine);
    let tries = machine.api.requests("sendMessage").len();
    assert_eq!(tries, 1, "no endless loop");
    machine.api.heal();
    machine.api.deliver(json!({"my_chat_member": {
        "chat": {"id": CHAT.0, "type": "private", "first_name": "Ada"},
        "from": {"id": ADA.0, "is_bot": false, "first_name": "Ada"},
        "date": jiff::Timestamp::now().as_second(),
        "old_chat_member": {"status": "kicked", "until_date": 0,
            "user": {"id": 1, "is_bot": true, "first_name": "telecoder", "username": BOT}},
        "new_chat_member": {"status": "member",
            "user": {"id": 1, "is_bot": true, "first_name": "telecoder", "username": BOT}},
    }}));
    machine.message_with("You said: hello");
}

#[test]
fn what_was_due_while_the_bot_was_blocked_comes_before_the_answer_to_what_is_written_next() {
    let machine = Machine::new();
    let _bot = start_blocked(&machine);
    machine.api.heal();
    machine.ada_says("are you there?");
    machine.message_with("You said: are you there?");
    assert_eq!(
        lines_in(&machine, CHAT),
        ["You said: hello", "You said: are you there?"]
    );
}

#[test]
fn the_owner_hears_in_status_of_a_group_that_the_bot_was_removed_from() {
    let machine = Machine::new();
    let bot = machine.start();
    let kicked = Fault::Refuse(403, "Forbidden: bot was kicked from the supergroup chat");
    machine.api.plan("sendMessage", Some(TEAM.0), 1_000, kicked);
    machine.api.say(TEAM, ADA, &format!("/status@{BOT}"));
    machine.until_log(&bot, "this chat cannot be reached");
    machine.ada_says("/status");
    machine.message_with("Not delivered in 1 other chat: 1 message");
}

#[test]
fn an_answer_whose_topic_was_deleted_comes_in_the_chat_itself_and_says_why() {
    let machine = Machine::new();
    let _bot = machine.start();
    let gone = Fault::Refuse(400, "Bad Request: message thread not found");
    machine.api.plan("sendMessage", Some(TEAM.0), 1, gone);
    machine.api.deliver_message(
        TEAM,
        ADA,
        json!({"text": format!("@{BOT} hello"), "message_thread_id": 11, "is_topic_message": true,
            "entities": [{"type": "mention", "offset": 0, "length": BOT.len() + 1}]}),
    );
    let answer = machine.message_with("You said: hello");
    assert_eq!(answer.thread, None);
    assert!(
        answer
            .text
            .starts_with("The topic was deleted, so this comes here. It is about “hello”:\n\n"),
        "{}",
        answer.text
    );
    assert!(!answer.silent);
    machine.until_quiet();
    assert_eq!(lines_in(&machine, TEAM).len(), 1);
}

#[test]
fn an_answer_to_a_message_that_was_deleted_comes_without_the_reply() {
    for words in [
        "Bad Request: message to be replied not found",
        "Bad Request: reply message not found",
        "Bad Request: REPLY_MESSAGE_ID_INVALID",
    ] {
        let machine = Machine::new();
        let _bot = machine.start();
        machine
            .api
            .plan("sendMessage", None, 1, Fault::Refuse(400, words));
        machine.ada_says("hello");
        let answer = machine.message_with("You said: hello");
        assert_eq!(answer.reply_to, None);
        machine.until_quiet();
        assert_eq!(machine.bot_messages().len(), 1);
    }
}

#[test]
fn a_group_that_becomes_a_supergroup_while_an_answer_is_due_takes_its_session_along() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.api.plan(
        "sendMessage",
        Some(TEAM.0),
        1_000,
        Fault::Migrated(NEW_TEAM.0),
    );
    machine.api.plan(
        "editMessageText",
        Some(TEAM.0),
        1_000,
        Fault::Migrated(NEW_TEAM.0),
    );
    asks_in(&machine, TEAM, "[[sleep: 1500]] [[say: before the move]]");
    let answer = machine.message_with("before the move");
    assert_eq!(answer.chat, NEW_TEAM.0);
    assert_eq!(answer.reply_to, None, "that message is not there");
    asks_in(&machine, NEW_TEAM, "[[recall]]");
    let recalled = machine.message_with("Earlier prompts: [[sleep: 1500]]");
    assert_eq!(recalled.chat, NEW_TEAM.0);
    machine.until_quiet();
    assert_eq!(lines_in(&machine, TEAM).len(), 0);
}

#[test]
fn a_group_that_becomes_a_supergroup_during_a_run_has_one_answer_in_the_new_one() {
    let machine = Machine::new();
    let _bot = machine.start();
    asks_in(&machine, TEAM, "[[sleep: 4000]] [[say: through the move]]");
    machine.message_with("Working · ");
    team_becomes_a_supergroup(&machine);
    machine.api.say(NEW_TEAM, ADA, &format!("/status@{BOT}"));
    let status = machine.message_with("Running: for ");
    assert_eq!(status.chat, NEW_TEAM.0);
    let answer = machine.message_with("through the move");
    assert_eq!(answer.chat, NEW_TEAM.0);
    machine.until_quiet();
    let answers = machine
        .bot_messages()
        .into_iter()
        .filter(|message| message.text.starts_with("through the move"))
        .count();
    assert_eq!(answers, 1);
    // After a restart the new group may still use the bot, though only the old one is on the list.
    drop(_bot);
    let _bot = machine.start();
    machine.api.say(NEW_TEAM, ADA, &format!("/help@{BOT}"));
    machine.message_with("goes unchanged to claude");
}

#[test]
fn a_stranger_cannot_bring_a_group_in_by_saying_that_it_was_another_one() {
    let machine = Machine::new();
    let _bot = machine.start();
    let strange = ChatId(-100_999);
    machine
        .api
        .deliver_message(strange, ADA, json!({"migrate_from_chat_id": -100_998}));
    machine.api.say(strange, ADA, &format!("/help@{BOT}"));
    machine.ada_says("/help");
    machine.message_with("goes unchanged to claude");
    machine.until_quiet();
    assert_eq!(lines_in(&machine, strange).len(), 0);
}

#[test]
fn a_message_without_an_answer_is_sent_once_more_when_telegram_answers_again() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.api.plan("sendMessage", None, 1, Fault::CloseAfter);
    machine
        .api
        .plan("sendChatAction", None, 3, Fault::CloseBefore);
    machine.ada_says("/help");
    machine.until_quiet();
    assert_eq!(lines_in(&machine, CHAT).len(), 2, "at most one repeat");
    let sent = machine.api.requests("sendMessage").len();
    assert_eq!(sent, 2, "it was not tried while Telegram was silent");
}

#[test]
fn a_message_without_an_answer_twice_is_asked_about_and_not_sent_a_third_time() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.api.plan("sendMessage", None, 2, Fault::CloseAfter);
    machine.ada_says("hello");
    let question = machine.message_with("I sent you a message twice");
    assert!(!question.silent);
    machine.until_quiet();
    let copies = || {
        let lines = lines_in(&machine, CHAT);
        lines
            .iter()
            .filter(|line| *line == "You said: hello")
            .count()
    };
    assert_eq!(copies(), 2);
    machine.ada_says("/status");
    let status = machine.message_with("Not delivered here: 1 message");
    machine.ada_presses(&status);
    machine.until("it comes when it is asked for", || {
        (copies() == 3).then_some(())
    });
}

#[test]
fn a_message_that_telegram_does_not_take_is_told_with_its_words() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.api.plan(
        "sendMessage",
        None,
        1,
        Fault::Refuse(400, "Bad Request: something quite new"),
    );
    machine.ada_says("hello");
    let told = machine.message_with("Telegram refuses a message that I have for you");
    assert!(told.text.contains("something quite new"), "{}", told.text);
    machine.ada_says("next");
    machine.message_with("You said: next");
}

#[test]
fn a_chat_that_takes_nothing_at_all_is_no_endless_loop() {
    let machine = Machine::new();
    let _bot = machine.start();
    let refuse = Fault::Refuse(400, "Bad Request: something quite new");
    machine.api.plan("sendMessage", None, 1_000, refuse);
    machine.ada_says("hello");
    machine.until_quiet();
    assert_eq!(machine.api.requests("sendMessage").len(), 2);
    machine.api.heal();
    machine.ada_says("/status");
    machine.message_with("Not delivered here: 1 message");
}

#[test]
fn a_pause_that_telegram_asks_for_outlives_the_bot() {
    let machine = Machine::new();
    let bot = machine.start();
    let pause = Duration::from_secs(5);
    machine
        .api
        .plan("sendMessage", None, 1, Fault::Flood(pause.as_secs()));
    machine.ada_says("/help");
    machine.until_log(&bot, "Telegram asks for a pause");
    let asked = Instant::now();
    // Written down in the same moment; a kill right here is another test's.
    machine.until("it is written down", || {
        machine.rows("SELECT 1 FROM chat_pauses").first().copied()
    });
    bot.kill();
    let _bot = machine.start();
    machine.message_with("goes unchanged to claude");
    let waited = asked.elapsed();
    assert!(waited > pause - Duration::from_millis(1_500), "{waited:?}");
    assert_eq!(machine.api.requests("sendMessage").len(), 2);
}

#[test]
fn what_came_of_a_stop_goes_before_what_waits() {
    let machine = Machine::new();
    let bot = machine.start();
    machine.api.plan("sendMessage", None, 1, Fault::Flood(3));
    machine.ada_says("/help");
    machine.until_log(&bot, "Telegram asks for a pause");
    machine.ada_says("/status");
    machine.ada_says("/stop");
    machine.message_with("No session yet");
    let lines = lines_in(&machine, CHAT);
    assert_eq!(
        lines[0], "Nothing is running, and nothing waits.",
        "{lines:?}"
    );
}

#[test]
fn a_pause_that_telegram_asks_for_when_it_answers_again_is_kept_too() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.api.plan("sendMessage", None, 1, Fault::CloseBefore);
    machine.api.plan("sendChatAction", None, 1, Fault::Flood(2));
    machine.ada_says("/help");
    machine.message_with("goes unchanged to claude");
    let probe = machine.api.requests("sendChatAction")[0].at;
    let sent = machine.api.requests("sendMessage")[1].at;
    assert!(sent - probe >= Duration::from_secs(2), "{:?}", sent - probe);
}

#[test]
fn a_clone_that_goes_on_while_the_group_becomes_a_supergroup_is_made_once_and_stays() {
    let machine = Machine::new();
    let project = git::repository(machine.folder.path());
    let bin = machine.folder.path().join("bin");
    std::fs::create_dir(&bin).expect("a folder");
    machine.script(
        "bin/git",
        "case \"$1\" in clone) sleep 2;; esac\nPATH=${PATH#*:} exec git \"$@\"",
    );
    let path = format!("{}:{}", bin.display(), machine.environment["PATH"]);
    let machine = machine.with("PATH", path);
    let _bot = machine.start();
    machine.api.say(
        TEAM,
        ADA,
        &format!("/new@{BOT} file://{}", project.display()),
    );
    machine.message_with("Cloning; I tell you when it is ready.");
    asks_in(
        &machine,
        TEAM,
        "[[bash: echo precious > work.txt]] [[say: wrote it]]",
    );
    team_becomes_a_supergroup(&machine);
    machine.message_with("wrote it");
    machine.until_quiet();
    asks_in(
        &machine,
        NEW_TEAM,
        "[[bash: cat work.txt]] [[say: read it]]",
    );
    machine.message_with("read it");
    let kept = std::fs::read_dir(machine.data().join("workspaces"))
        .expect("the workspaces")
        .flatten()
        .filter(|workspace| workspace.path().join("work.txt").exists())
        .count();
    assert_eq!(kept, 1);
}

#[test]
fn a_clone_that_fails_while_the_group_becomes_a_supergroup_holds_up_nothing() {
    let machine = Machine::new();
    let bin = machine.folder.path().join("bin");
    std::fs::create_dir(&bin).expect("a folder");
    machine.script(
        "bin/git",
        "case \"$1\" in clone) sleep 2; exit 128;; esac\nPATH=${PATH#*:} exec git \"$@\"",
    );
    let path = format!("{}:{}", bin.display(), machine.environment["PATH"]);
    let machine = machine.with("PATH", path);
    let _bot = machine.start();
    machine
        .api
        .say(TEAM, ADA, &format!("/new@{BOT} https://example.org/x.git"));
    machine.message_with("Cloning; I tell you when it is ready.");
    asks_in(&machine, TEAM, "hello");
    team_becomes_a_supergroup(&machine);
    let told = machine.message_with("could not be cloned");
    assert_eq!(told.chat, NEW_TEAM.0);
    assert!(
        told.text
            .contains("The prompt that waited for it was not run")
    );
    asks_in(&machine, NEW_TEAM, "once more");
    machine.message_with("You said: once more");
}

#[test]
fn no_part_is_lost_when_the_group_becomes_a_supergroup_between_two_of_them() {
    let machine = Machine::new();
    let _bot = machine.start();
    let late = Fault::Late(Duration::from_secs(2));
    machine.api.plan("sendMessage", Some(TEAM.0), 1, late);
    let words: Vec<String> = (1..=1_000).map(|number| format!("w{number}.")).collect();
    asks_in(&machine, TEAM, &format!("[[say: {}]]", words.join(" ")));
    machine.until("the first part is on its way", || {
        machine.api.requests("sendMessage").first().cloned()
    });
    machine.api.plan(
        "sendMessage",
        Some(TEAM.0),
        1_000,
        Fault::Migrated(NEW_TEAM.0),
    );
    team_becomes_a_supergroup(&machine);
    machine.message_with("w1000.");
    machine.until_quiet();
    let all: String = machine
        .bot_messages()
        .into_iter()
        .map(|message| message.text + " ")
        .collect();
    for word in words {
        assert_eq!(all.matches(&word).count(), 1, "{word}");
    }
}

#[test]
fn the_button_below_a_lost_run_works_when_the_group_has_become_a_supergroup() {
    let machine = Machine::new();
    let _bot = machine.start();
    asks_in(&machine, TEAM, "[[bash: sleep 31007]]");
    machine.until("it runs", || processes::with_word("31007").first().copied());
    for keeper in processes::keepers_of(machine.folder.path()) {
        processes::signal(keeper, Signal::KILL);
    }
    let lost = machine.message_with("The run was lost");
    team_becomes_a_supergroup(&machine);
    machine.until("it has moved", || {
        (machine.rows("SELECT count(*) FROM migrated_chats") == [1]).then_some(())
    });
    machine.ada_presses(&lost);
    let answer = machine.message_with("You said: Go on.");
    assert_eq!(answer.chat, NEW_TEAM.0);
}

#[test]
fn a_message_is_not_sent_a_third_time_because_the_bot_was_blocked_in_between() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.api.plan("sendMessage", None, 1, Fault::CloseAfter);
    machine.api.plan("sendMessage", None, 1, BLOCKED);
    machine.api.plan("sendMessage", None, 1, Fault::CloseAfter);
    machine.ada_says("/help");
    machine.until_quiet();
    machine.ada_says("/status");
    machine.message_with("No session yet");
    machine.until_quiet();
    let copies = machine
        .bot_messages()
        .into_iter()
        .filter(|message| message.text.contains("goes unchanged to claude"))
        .count();
    assert_eq!(copies, 2);
}
