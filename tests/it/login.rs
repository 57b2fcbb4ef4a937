//! claude is not logged in: the owner logs it in from the phone, and the waiting prompts run.

use serde_json::json;
use telecoder::demo::bot_api::Posted;
use telecoder::domain::id::UserId;

use crate::support::{ADA, BOT, CHAT, GRACE, Machine, TEAM, processes};

const CODE: &str = "good5i5S4vSlwT9ohgqi775ZaxzT7Iyb8#q7YbT2mWcVxK4NdUiTHagRZqPyLSFEJrXo";
const ASKS: &str = "Open this link";

fn logged_out() -> Machine {
    Machine::new().with("FAKE_CLAUDE_LOGGED_OUT", "1")
}

/// Somebody replies to a message of the bot.
fn reply(machine: &Machine, user: UserId, to: &Posted, text: &str) -> i32 {
    machine.api.deliver_message(
        CHAT,
        user,
        json!({"text": text, "reply_to_message": {"message_id": to.id, "date": 1,
            "chat": {"id": to.chat, "type": "private", "first_name": "Person"},
            "from": {"id": 1, "is_bot": true, "first_name": "telecoder", "username": BOT},
            "text": to.text}}),
    )
}

fn in_the_group(machine: &Machine, user: UserId, words: &str) {
    let text = format!("@{BOT} {words}");
    let mention = json!([{"type": "mention", "offset": 0, "length": BOT.len() + 1}]);
    let fields = json!({"text": text, "entities": mention});
    machine.api.deliver_message(TEAM, user, fields);
}

/// Ada asks something, and presses the button for the login; the message that asks for the code.
fn begin(machine: &Machine) -> Posted {
    machine.ada_says("hello");
    let told = machine.message_with("Claude is not logged in on this machine");
    assert_eq!(told.buttons[0].0, "Log in");
    machine.ada_presses(&told);
    machine.message_with(ASKS)
}

/// Whether a text is in any file below a folder.
fn is_on_disk(folder: &std::path::Path, text: &str) -> bool {
    std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .any(|entry| {
            let path = entry.path();
            if path.is_dir() {
                return is_on_disk(&path, text);
            }
            if !path.is_file() {
                // Nobody writes into a FIFO any more.
                return false;
            }
            let bytes = std::fs::read(&path).unwrap_or_default();
            bytes
                .windows(text.len())
                .any(|window| window == text.as_bytes())
        })
}

#[test]
fn the_owner_logs_claude_in_from_the_phone_and_what_waited_runs() {
    let machine = logged_out();
    let bot = machine.start();
    let asks = begin(&machine);
    machine.ada_says("second");
    machine.message_with("This is kept and runs by itself when claude is logged in again.");
    let link = asks
        .text
        .lines()
        .find(|line| line.starts_with("https://"))
        .expect("a link");
    assert!(
        link.ends_with("&state=0wTvWdpGh05iprK4NbUiTWagRWqJyNRZDUwRam6KiuU"),
        "it is whole: {link}"
    );
    let calls = machine.api.calls();
    let asked = calls
        .iter()
        .find(|call| {
            call.arguments["text"]
                .as_str()
                .is_some_and(|text| text.contains(ASKS))
        })
        .expect("the message that asks");
    assert_eq!(asked.arguments["reply_markup"]["force_reply"], json!(true));

    let sent = reply(&machine, ADA, &asks, CODE);
    machine.message_with("Logged in. The waiting prompts run now.");
    machine.message_with("You said: second");
    machine.message_with("You said: hello");
    machine.until_quiet();
    assert_eq!(
        machine
            .times_run()
            .into_keys()
            .filter(|prompt| prompt.contains('#'))
            .count(),
        0
    );
    machine.until("the code is deleted from the chat", || {
        let messages = machine.api.messages();
        (!messages
            .iter()
            .any(|message| message.chat == CHAT.0 && message.id == sent))
        .then_some(())
    });

    // The code is nowhere.
    let parts = CODE.split_once('#').expect("two parts");
    for part in [parts.0, parts.1] {
        assert!(!is_on_disk(&machine.data(), part), "on the disk");
        assert!(!bot.log().contains(part), "in the log");
        let calls = machine.api.calls();
        assert!(
            calls
                .iter()
                .filter(|call| call.method != "getUpdates")
                .all(|call| !call.arguments.to_string().contains(part)),
            "in a message"
        );
    }
    assert_eq!(
        machine.rows("SELECT count(*) FROM holds"),
        [0],
        "nothing is held"
    );
}

#[test]
fn a_code_that_is_not_whole_is_asked_for_again_and_a_wrong_one_ends_the_login() {
    let machine = logged_out();
    let _bot = machine.start();
    let asks = begin(&machine);
    reply(&machine, ADA, &asks, "halfacode");
    let again = machine.message_with("Claude says that this is not the whole code.");
    reply(
        &machine,
        ADA,
        &again,
        "wrongwrongwrongwrong#0wTvWdpGh05iprK4NbUiTWa",
    );
    let failed = machine.message_with("The login did not work.");
    assert!(
        failed.text.contains("Request failed with status code 400"),
        "{}",
        failed.text
    );
    // A reply that comes later is still no prompt.
    reply(&machine, ADA, &again, CODE);
    machine.message_with("This login is over, so the code was not used.");

    machine.ada_presses(&failed);
    let asks = machine.nth_message_with(ASKS, 2);
    // Pasted instead of sent as a reply: it looks like a code, and one is awaited.
    assert!(asks.id > failed.id);
    machine.ada_says(CODE);
    machine.message_with("You said: hello");
    machine.until_quiet();
    assert_eq!(machine.times_run().len(), 1, "no code became a prompt");
}

#[test]
fn other_chats_hear_that_the_owner_was_told_and_run_when_claude_is_logged_in() {
    let machine = logged_out().with(
        "TELECODER_TG_ALLOWED_USERS",
        format!("{},{}", ADA.0, GRACE.0),
    );
    let _bot = machine.start();
    in_the_group(&machine, GRACE, "from the group");
    let told = machine.message_with("The owner of the bot has been told");
    assert_eq!(told.chat, TEAM.0);
    assert!(told.buttons.iter().all(|button| button.0 != "Log in"));
    let offer = machine.message_with("another chat waits for it");
    assert_eq!(offer.chat, CHAT.0);

    // Nobody else can press it, wherever the button comes from.
    machine.api.press(GRACE, &told, "log-in");
    machine.until_toast("Only the owner of the bot can do that.");
    machine.api.press(ADA, &told, "log-in");
    machine.until("the owner cannot in a group", || {
        let calls = machine.api.calls();
        let refused = calls
            .iter()
            .filter(|call| call.arguments["text"] == "Only the owner of the bot can do that.");
        (refused.count() == 2).then_some(())
    });
    machine.ada_presses(&offer);
    let asks = machine.message_with(ASKS);
    assert_eq!(asks.chat, CHAT.0);

    // Nobody else's message is the code.
    let text = format!("{CODE}grace");
    machine
        .api
        .say(telecoder::domain::id::ChatId(8), GRACE, &text);
    machine.until_quiet_but_for_runs();
    reply(&machine, ADA, &asks, CODE);
    machine.message_with("Logged in.");
    let answer = machine.message_with("You said: from the group");
    assert_eq!(answer.chat, TEAM.0);
}

#[test]
fn a_restart_during_a_login_ends_it_and_is_told_with_the_button_again() {
    let machine = logged_out();
    let bot = machine.start();
    let asks = begin(&machine);
    bot.kill();
    machine.until("nobody is left at the terminal", || {
        let left = processes::with_variable("BROWSER=true", machine.folder.path());
        left.is_empty().then_some(())
    });
    let _bot = machine.start();
    let cut_off = machine.message_with("I was restarted, and that ended the login");
    reply(&machine, ADA, &asks, CODE);
    machine.message_with("This login is over, so the code was not used.");
    machine.ada_presses(&cut_off);
    let asks = machine.nth_message_with(ASKS, 2);
    reply(&machine, ADA, &asks, CODE);
    machine.message_with("You said: hello");
}

#[test]
fn a_refusal_of_a_login_that_claude_still_has_is_tried_again_before_anybody_is_rung() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[fail: authentication_failed Failed to authenticate. API Error: 401]]");
    let told = machine.message_with_button(
        "The API refused claude's login, though claude is logged in",
        "Try now",
    );
    assert!(told.silent, "nobody is rung");
    assert!(told.text.contains("API Error: 401"), "{}", told.text);
    assert_eq!(told.buttons.len(), 1, "no login is offered");
    machine.press(ADA, &told, "Try now");
    let told = machine.message_with_button("Claude is not logged in on this machine", "Log in");
    assert!(!told.silent, "the second refusal rings");
}

#[test]
fn who_logs_in_on_the_machine_itself_lets_it_be_tried_by_a_button() {
    let machine = logged_out();
    let _bot = machine.start();
    machine.ada_says("hello");
    let told = machine.message_with("Claude is not logged in on this machine");
    let home = std::path::PathBuf::from(&machine.environment["FAKE_CLAUDE_HOME"]);
    std::fs::write(home.join("credentials"), "{}").expect("credentials");
    assert_eq!(told.buttons[1].0, "Try now");
    machine.api.press(ADA, &told, &told.buttons[1].1);
    machine.message_with("You said: hello");
}

#[test]
fn a_key_that_is_not_accepted_is_told_as_before_and_no_login_is_offered() {
    let machine = Machine::new().with("ANTHROPIC_API_KEY", "sk-ant-not-accepted-0123456789");
    let _bot = machine.start();
    machine.ada_says("[[fail: authentication_failed Invalid API key · Fix external API key]]");
    let told = machine.message_with("The API does not accept claude's login.");
    assert!(told.text.contains("correct the ANTHROPIC_API_KEY"));
    assert!(told.buttons.is_empty());
    machine.until_quiet();
    assert_eq!(machine.rows("SELECT count(*) FROM holds"), [0]);
}
