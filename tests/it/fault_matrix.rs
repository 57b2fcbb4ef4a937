//! Every way in which a call to the Bot API can fail, with every kind of message: what the person sees of it.
//!
//! docs/RELIABILITY.md has the table that this makes; the test compares the two.

use std::time::Duration;

use telecoder::domain::id::{ChatId, UserId};

use crate::support::{Fault, Machine};

/// A kind of message, what brings it about, the call that fails, and how its text begins.
struct Kind {
    name: &'static str,
    prompt: String,
    method: &'static str,
    /// So many calls of the chat go well before one fails.
    after: u32,
    begins: &'static str,
    /// What the call has that fails.
    words: &'static str,
}

fn kinds() -> Vec<Kind> {
    let kind = |name, prompt: &str, begins| Kind {
        name,
        prompt: prompt.to_owned(),
        method: "sendMessage",
        after: 0,
        begins,
        words: begins,
    };
    let long = format!("[[say: {}end of it]]", "a line of words\n\n".repeat(400));
    vec![
        kind("answer", "hello", "You said: hello"),
        Kind {
            after: 1,
            // Cut into parts; the second one fails, and its first words are as often there as it arrived.
            ..kind("second part of an answer", &long, "a line of words")
        },
        Kind {
            method: "sendDocument",
            after: 0,
            ..kind(
                "file",
                &format!("[[say: {}]]", "many words of an answer\n\n".repeat(900)),
                "The whole answer.",
            )
        },
        kind("reply to a command", "/help", "What you write here"),
        kind("failure", "[[exit: 3]]", "Claude ended without an answer"),
        Kind {
            words: "Working",
            ..kind(
                "live message",
                "[[sleep: 4000]] [[say: after it]]",
                "after it",
            )
        },
        Kind {
            method: "editMessageText",
            words: "Working",
            ..kind(
                "edit of one",
                "[[sleep: 3000]] [[tool: Bash x]] [[sleep: 4000]] [[say: after it]]",
                "after it",
            )
        },
    ]
}

fn faults() -> Vec<(&'static str, Fault)> {
    vec![
        ("429, pause of a second", Fault::Flood(1)),
        ("500", Fault::Refuse(500, "Internal Server Error")),
        ("502 of a proxy", Fault::Status(502)),
        ("cut before it was taken", Fault::CloseBefore),
        ("cut after it was taken", Fault::CloseAfter),
        ("half of the answer", Fault::Truncated),
        ("silence, then cut", Fault::Hang(Duration::from_secs(1))),
        ("401", Fault::Refuse(401, "Unauthorized")),
        (
            "403, blocked",
            Fault::Refuse(403, "Forbidden: bot was blocked by the user"),
        ),
        (
            "400, no rights",
            Fault::Refuse(400, "Bad Request: have no rights to send a message"),
        ),
        (
            "400, entities",
            Fault::Refuse(400, "Bad Request: can't parse entities: unsupported"),
        ),
        (
            "400, reply is gone",
            Fault::Refuse(400, "Bad Request: message to be replied not found"),
        ),
        (
            "400, anything else",
            Fault::Refuse(400, "Bad Request: something quite new"),
        ),
        ("413 of a proxy", Fault::Status(413)),
    ]
}

/// What the person sees of each kind of message when this goes wrong with it.
fn seen_with(fault: &Fault) -> Vec<String> {
    let kinds = kinds();
    let chat = |index: usize| ChatId(101 + index as i64);
    let users: Vec<String> = (0..kinds.len())
        .map(|index| chat(index).0.to_string())
        .collect();
    let machine = Machine::new()
        .with("TELECODER_TG_ALLOWED_USERS", users.join(","))
        .with("TELECODER_MAX_RUNS", "8");
    let _bot = machine.start();
    for (index, kind) in kinds.iter().enumerate() {
        machine.api.plan_once_for_words(
            kind.method,
            chat(index).0,
            kind.words,
            kind.after,
            fault.clone(),
        );
        let user = UserId(101 + index as u64);
        machine.api.say(chat(index), user, &kind.prompt);
    }
    machine.until_quiet();
    assert_eq!(
        machine.api.still_planned(),
        0,
        "every fault has come: {fault:?}"
    );
    (0..kinds.len())
        .map(|index| verdict(&machine, chat(index), &kinds[index]))
        .collect()
}

fn verdict(machine: &Machine, chat: ChatId, kind: &Kind) -> String {
    let texts: Vec<String> = machine
        .bot_messages()
        .into_iter()
        .filter(|message| message.chat == chat.0)
        .map(|message| message.text)
        .collect();
    // A part that follows another has no reply, and begins in the middle: the answer's parts are counted.
    let parts = texts
        .iter()
        .filter(|text| text.starts_with(kind.begins))
        .count();
    let copies = match kind.after {
        0 => parts,
        whole => parts.saturating_sub(whole as usize),
    };
    let is_told = texts
        .iter()
        .any(|text| text.starts_with("Telegram refuses a message that I have for you"));
    let parked = machine.rows(&format!(
        "SELECT count(*) FROM outbox WHERE chat_id = {} AND state = 'parked'",
        chat.0
    ));
    match (copies, is_told, parked[0]) {
        (1, false, 0) => "once".to_owned(),
        (2, false, 0) => "twice".to_owned(),
        (0, true, 1) => "told".to_owned(),
        (0, false, 1) => "kept".to_owned(),
        other => panic!("{}: {other:?} in {texts:#?}", kind.name),
    }
}

#[test]
fn whatever_goes_wrong_each_message_arrives_once_or_twice_or_somebody_can_find_out() {
    let faults = faults();
    let rows: Vec<Vec<String>> = std::thread::scope(|scope| {
        let mut rows = Vec::new();
        for some in faults.chunks(4) {
            let running: Vec<_> = some
                .iter()
                .map(|(name, fault)| {
                    scope.spawn(move || {
                        let mut row = vec![(*name).to_owned()];
                        row.extend(seen_with(fault));
                        row
                    })
                })
                .collect();
            for row in running {
                rows.push(
                    row.join()
                        .unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
                );
            }
        }
        rows
    });
    let mut heads = vec!["what goes wrong".to_owned()];
    heads.extend(kinds().into_iter().map(|kind| kind.name.to_owned()));
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let mut table = line(&heads);
    table.push_str(&format!("|{}\n", "---|".repeat(heads.len())));
    for row in &rows {
        table.push_str(&line(row));
    }
    let document = include_str!("../../docs/RELIABILITY.md");
    assert!(
        document.contains(&table),
        "docs/RELIABILITY.md shall have this table:\n{table}"
    );
}
