//! How fast Markdown becomes messages. `cargo bench --bench render`
//!
//! The answers of `tests/it/fixtures/answers`, and what was slow once: very many styles beside very much code. The
//! floor of each is parsing the Markdown and doing nothing with it.

use std::time::{Duration, Instant};

use pulldown_cmark::Parser;
use telecoder::chat::text;
use telecoder::domain::id::ChatId;
use telecoder::redact::Redactor;
use telecoder::telegram::{draw, markdown};

#[path = "../tests/it/support/replay.rs"]
mod replay;

/// Each is rendered for so long.
const LENGTH: Duration = Duration::from_secs(1);

fn main() {
    let answers: Vec<String> = std::fs::read_dir("tests/it/fixtures/answers")
        .expect("the answers")
        .map(|file| std::fs::read_to_string(file.expect("one").path()).expect("its text"))
        .collect();
    let pairs = "**bold** and `code` ".repeat(30_000);
    let long = "A paragraph with **bold** words and `code`.\n\n".repeat(110_000);
    println!("{:<44} {:>12} {:>12}", "", "measured", "floor");
    for (what, texts) in [
        ("answers as they really look, rendered", &answers),
        ("30,000 pairs of bold and code, rendered", &vec![pairs]),
    ] {
        row(
            what,
            megabytes_a_second(texts, |text| {
                std::hint::black_box(markdown::render(text));
            }),
            megabytes_a_second(texts, |text| {
                std::hint::black_box(Parser::new(text).count());
            }),
        );
    }
    let before = Instant::now();
    let drawn = draw::draw(&mut text::answer(long.as_str(), String::new(), None));
    println!(
        "{:<44} {:>9.1} ms {:>12}",
        "an answer of 5 MB, drawn",
        before.elapsed().as_secs_f64() * 1_000.0,
        ""
    );
    assert_eq!(drawn.parts.len(), 2);
    let secrets = (0..20).map(|number| {
        let name = format!("SERVICE_{number}_TOKEN").into();
        (name, format!("{number}-0123456789-{number}").into())
    });
    let redactor = Redactor::new(&secrets.collect());

    let dense = "ghp_0123456789abcdefghij0123456789abcdefghij and https://a:b@c \n".repeat(80_000);
    for (what, text) in [
        ("an answer of 5 MB, looked through for secrets", &long),
        ("5 MB of secrets, taken out", &dense),
    ] {
        let before = Instant::now();
        std::hint::black_box(redactor.text(text));
        println!(
            "{what:<44} {:>9.1} ms",
            before.elapsed().as_secs_f64() * 1_000.0
        );
    }
    calls();
}

/// How often a chat is called for the live message of a run: simulated, as `tests/it/pace.rs` does.
fn calls() {
    let (private, group) = (ChatId(7), ChatId(-7));
    let silent = |_| None;
    for (what, chat, seconds, is_busy) in [
        ("ten busy minutes, private chat", private, 600, true),
        ("ten busy minutes, group", group, 600, true),
        ("a silent hour, private chat", private, 3_600, false),
    ] {
        let length = Duration::from_secs(seconds);
        let replayed = if is_busy {
            replay::replay(chat, length, replay::busy)
        } else {
            replay::replay(chat, length, silent)
        };
        println!("{what:<44} {:>7} calls", replayed.calls.len());
    }
}

fn row(what: &str, measured: f64, floor: f64) {
    println!("{what:<44} {measured:>7.1} MB/s {floor:>7.1} MB/s");
}

fn megabytes_a_second(texts: &[String], work: impl Fn(&str)) -> f64 {
    let started = Instant::now();
    let mut bytes = 0;
    while started.elapsed() < LENGTH {
        for text in texts {
            work(text);
            bytes += text.len();
        }
    }
    bytes as f64 / started.elapsed().as_secs_f64() / 1_000_000.0
}
