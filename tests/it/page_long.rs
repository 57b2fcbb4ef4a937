//! What is long in the chat has a button that opens it on the page.

use serde_json::json;
use telecoder::demo::bot_api::{Does, Posted};

use crate::page::run_of;
use crate::support::{ADA, BOT, CHAT, Machine, TEAM};

const HTTPS: &str = "https://telecoder.example.com";

fn machine() -> Machine {
    Machine::new()
        .with("TELECODER_WEB_ADDR", "127.0.0.1:0")
        .with("TELECODER_WEB_URL", HTTPS)
}

/// Where the button Open below a message leads.
fn opens(message: &Posted) -> Option<&str> {
    message.keys.iter().find_map(|key| match &key.does {
        Does::Opens(url) if key.text == "Open" => Some(url.as_str()),
        _ => None,
    })
}

/// Messages of a run's answer, with where each leads.
fn answer(machine: &Machine) -> Vec<(bool, Option<String>)> {
    let messages = machine.bot_messages().into_iter();
    messages
        .map(|message| (message.file.is_some(), opens(&message).map(str::to_owned)))
        .collect()
}

#[test]
fn an_answer_in_several_messages_opens_on_the_page_from_its_last() {
    let machine = machine();
    let _bot = machine.start();
    machine.ada_says("[[repeat: 500 many words]]");
    machine.message_with("Done · ");
    machine.until_quiet();
    let app = format!("{HTTPS}/app?to=/runs/{}", run_of(&machine));
    assert_eq!(answer(&machine), [(false, None), (false, Some(app))]);
}

#[test]
fn an_answer_that_comes_as_a_file_opens_on_the_page_from_the_file() {
    let machine = machine();
    let _bot = machine.start();
    machine.ada_says("[[repeat: 3000 many words]]");
    machine.until("a file", || {
        let files = answer(&machine).iter().any(|(is_file, _)| *is_file);
        files.then_some(())
    });
    machine.until_quiet();
    let app = format!("{HTTPS}/app?to=/runs/{}", run_of(&machine));
    assert_eq!(answer(&machine), [(false, None), (true, Some(app))]);
}

#[test]
fn a_short_answer_has_no_button_and_nothing_leads_to_a_page_without_tls() {
    let machine = machine();
    let bot = machine.start();
    machine.ada_says("short");
    machine.message_with("You said: short");
    machine.until_quiet();
    assert_eq!(answer(&machine), [(false, None)]);
    bot.terminate();

    let machine = crate::page::machine();
    let _bot = machine.start();
    machine.ada_says("[[repeat: 500 many words]]");
    machine.message_with("Done · ");
    machine.until_quiet();
    assert_eq!(answer(&machine), [(false, None), (false, None)]);
}

#[test]
fn in_a_group_a_long_answer_opens_in_the_browser() {
    let machine = machine().with("TELECODER_TG_ALLOWED_CHATS", TEAM.0.to_string());
    let _bot = machine.start();
    machine.api.deliver_message(
        TEAM,
        ADA,
        json!({"text": format!("@{BOT} [[repeat: 500 many words]]"),
               "entities": [{"type": "mention", "offset": 0, "length": BOT.len() + 1}]}),
    );
    let last = machine.message_with("Done · ");
    assert_ne!(last.chat, CHAT.0);
    let run = format!("{HTTPS}/runs/{}", run_of(&machine));
    assert_eq!(opens(&last), Some(run.as_str()));
}
