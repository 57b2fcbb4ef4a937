//! What real runs of claude 2.1.332 look like in the chat: each recorded stream, line by line, to its end.

use std::fmt::Write;
use std::time::Duration;

use telecoder::chat::live::Going;
use telecoder::chat::logs::Lines;
use telecoder::chat::questions::Became;
use telecoder::chat::{live, questions};
use telecoder::claude::stream;
use telecoder::domain::choices::PermissionMode;
use telecoder::domain::event::Event;
use telecoder::domain::id::{QuestionId, RunId};
use telecoder::domain::outgoing::{Body, Outgoing};
use telecoder::domain::progress::Progress;
use telecoder::domain::question::Asks;
use telecoder::run::answer::{self, Told};

/// Recorded on 2.1.332, some on 2.1.197 too; what is odd in a name is what the run did.
#[test]
fn every_recorded_run_reads_well_in_the_chat() {
    insta::glob!("fixtures/recordings/*.jsonl", |path| {
        let recording = std::fs::read(path).expect("a recording");
        insta::assert_snapshot!(played(&recording));
    });
}

fn played(recording: &[u8]) -> String {
    let mut progress = Progress::default();
    let mut lines = Lines::last(12);
    let mut shown = String::new();
    for line in recording.split(|byte| *byte == b'\n') {
        stream::events(line, &mut |event| {
            progress.apply(&event);
            lines.add(&event);
            if let Event::TurnEnded(turn) = &event {
                let told = Told {
                    elapsed: Duration::from_secs(12),
                    wanted_mode: None,
                    untouched: None,
                };
                match answer::of_turn(&progress, turn.clone(), told, a_run(), None) {
                    Some(message) => show(&mut shown, "at the turn's end", &message),
                    None => shown.push_str("== at the turn's end: nothing\n"),
                }
            }
            if let Event::Asks(request) = &event {
                let modes = [PermissionMode::AcceptEdits, PermissionMode::Default];
                if let Asks::Plan { plan, .. } = &request.asks {
                    let plan = plan.as_deref().unwrap_or_default();
                    show(&mut shown, "the plan", &questions::plan(plan));
                }
                for question in request.questions(&progress.folder, &modes) {
                    let asked = questions::message(&an_id(), &question, Became::Open(&[]));
                    show(&mut shown, "asked", &asked);
                }
            }
            assert!(event != Event::Garbage, "{}", String::from_utf8_lossy(line));
        });
    }
    let last = live::live(
        &progress,
        Going {
            elapsed: Duration::from_secs(75),
            waiting: 1,
            ..Going::default()
        },
    );
    let last = telecoder::telegram::live::drawn(&last);
    let _ = writeln!(shown, "== live\n{}", last.text);
    show(&mut shown, "/logs 12", &lines.message(false));
    let _ = writeln!(
        shown,
        "== finished: {}, background: {}",
        progress.is_finished(),
        progress.background.len()
    );
    shown
}

fn a_run() -> RunId {
    RunId(uuid::Uuid::nil())
}

fn an_id() -> QuestionId {
    QuestionId::parse(&"0".repeat(32)).expect("it is one")
}

fn show(shown: &mut String, when: &str, message: &Outgoing) {
    let how = if message.loud { "loud" } else { "silent" };
    let text = match &message.body {
        Body::Note { text, quoted } => match quoted {
            Some(quoted) => format!("{text}\n| {}", quoted.replace('\n', "\n| ")),
            None => text.clone(),
        },
        Body::Answer { markdown, footer } => {
            let start: String = markdown.chars().take(400).collect();
            format!("{start}\n--\n{footer}")
        }
        Body::Question { text, code, below } => match code {
            Some(code) => format!("{text}\n| {}\n{below}", code.text.replace('\n', "\n| ")),
            None => format!("{text}\n{below}"),
        },
        Body::Evidence { text, .. } => text.clone(),
        Body::File { name, content, .. } => format!("[{name}, {} bytes]", content.len()),
        Body::Stored(stored) => format!("[{}]", stored.name),
    };
    let _ = writeln!(shown, "== {when} ({how})\n{text}");
    for button in &message.buttons {
        let _ = writeln!(shown, "[[ {} ]]", button.label);
    }
}
