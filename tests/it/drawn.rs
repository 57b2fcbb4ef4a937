//! A message is always drawn to what Telegram takes: whatever its length, with its secrets taken out, and even if the
//! drawing fails.

use std::collections::BTreeMap;

use proptest::prelude::*;
use telecoder::chat::{fetched, text};
use telecoder::domain::live::LiveText;
use telecoder::domain::outgoing::{Body, Code, Folded, Outgoing};
use telecoder::redact::Redactor;
use telecoder::telegram::draw::{self, Drawn, Part};
use telecoder::telegram::live::drawn as drawn_live;
use telecoder::telegram::markdown;

use crate::rendering::telegram_takes;
use crate::support::Machine;

fn redactor() -> Redactor {
    Redactor::new(&BTreeMap::from([(
        "A_SERVICE_WITH_A_LONG_NAME_PASSWORD".into(),
        "tr0ub4dor".into(),
    )]))
}

fn texts(drawn: &Drawn) -> Vec<&str> {
    let texts: Vec<&str> = drawn
        .parts
        .iter()
        .filter_map(|part| match part {
            Part::Text(rich) => {
                telegram_takes(&rich.text, &rich.entities());
                Some(rich.text.as_str())
            }
            Part::File { caption, .. } | Part::Stored { caption, .. } => {
                assert!(caption.text.encode_utf16().count() <= 1024);
                None
            }
        })
        .collect();
    assert!(!drawn.parts.is_empty());
    texts
}

#[test]
fn a_text_that_grows_when_a_disguised_secret_is_taken_out_is_cut_again() {
    let disguised = "tr0&#117;b4dor, ".repeat(250);
    let mut drawn = draw::draw(&mut text::answer(disguised, "Done · 1 s".into(), None));
    assert_eq!(texts(&drawn).len(), 1);
    drawn.take_secrets_out(&redactor(), false);
    let texts = texts(&drawn).concat();
    assert!(!texts.contains("tr0ub4dor"));
    assert_eq!(texts.matches("[redacted:").count(), 250);
    assert!(texts.contains("Done · 1 s"));
}

#[test]
fn a_disguised_secret_is_taken_out_of_files_captions_and_copied_commands() {
    // A quoted block: drawing takes the marks out of the middle.
    let lines: String = (0..900)
        .map(|_| "> a line of a block that becomes a file\n".to_owned())
        .collect();
    let markdown = format!("> ```text\n{lines}> tr0ub4dor\n> ```\n\n```sh\nlogin tr0ub4dor\n```");
    let mut drawn = draw::draw(&mut text::answer(markdown, "Done · 1 s".into(), None));
    assert_eq!(drawn.commands, ["login tr0ub4dor"]);
    drawn.take_secrets_out(&redactor(), false);
    assert_eq!(drawn.commands, [""; 0]);
    let file = drawn.parts.iter().find_map(|part| match part {
        Part::File { content, .. } => Some(String::from_utf8_lossy(content).into_owned()),
        _ => None,
    });
    let file = file.expect("it is a file");
    assert!(file.contains("[redacted:") && !file.contains("tr0ub4dor"));
}

#[test]
fn a_very_long_text_of_the_bots_is_its_first_part_and_a_file() {
    let long = "a line of the log\n".repeat(5_000);
    for mut message in [
        Outgoing::note("What git said:").quoting(long.as_str()),
        Outgoing::of(Body::Evidence {
            text: "What was changed:".to_owned(),
            folded: vec![Folded {
                title: "All of it".to_owned(),
                text: long.clone(),
            }],
        }),
    ] {
        let drawn = draw::draw(&mut message);
        assert_eq!(texts(&drawn).len(), 1);
        let Part::File { content, .. } = &drawn.parts[1] else {
            panic!("{:?}", drawn.parts[1]);
        };
        assert!(String::from_utf8_lossy(content).contains(long.trim()));
    }
}

#[test]
fn a_message_that_cannot_be_drawn_is_no_flood() {
    let machine = Machine::new();
    let _bot = machine.start_failing_at("draw=panic(by a test)");
    machine.ada_says("[[repeat: 3000 A paragraph of **a long** answer.]]");
    let whole = machine.until("the whole answer comes", || {
        machine
            .bot_messages()
            .into_iter()
            .find_map(|message| message.file)
    });
    assert_eq!(whole.0, "answer.md");
    assert_eq!(
        whole.1.len(),
        3000 * "A paragraph of **a long** answer.\n\n".len() - 2
    );
    machine.until_quiet();
    let parts = machine
        .bot_messages()
        .into_iter()
        .filter(|message| message.text.contains("A paragraph of **a long** answer."))
        .count();
    assert_eq!(parts, 1);
}

/// Texts of characters that make trouble where bytes are counted.
fn odd_text() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(
        &[
            "a",
            "word ",
            "\n",
            "\n\n",
            "\u{3000}",
            "\u{a0}",
            "\u{202f}",
            "é",
            "日本",
            "👩‍💻",
            "\u{200d}",
            "`",
            "**",
            "```\n",
            "🏳️‍🌈",
            "e\u{301}",
            "\t",
            "<b>",
            "](http://a.io/\u{3000})",
            "…",
        ][..],
    );
    (prop::collection::vec(piece, 0..40), 1..40_usize)
        .prop_map(|(pieces, times)| pieces.concat().repeat(times))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn whatever_is_said_telegram_takes_it(said in odd_text(), more in odd_text(), bytes in 0..2_000_usize) {
        let code = Some(Code { language: None, text: more.clone() });
        let file = Body::File { name: "a.txt".to_owned(), content: more.clone(), caption: said.clone() };
        for mut message in [
            Outgoing::note(said.as_str()).quoting(more.as_str()),
            text::answer(said.as_str(), more.clone(), None),
            Outgoing::of(Body::Question { text: said.clone(), code, below: "below".to_owned() }),
            Outgoing::of(file),
            fetched::heard(&said),
        ] {
            message.preface = Some("why it comes here".to_owned());
            let mut drawn = draw::draw(&mut message);
            texts(&drawn);
            drawn.take_secrets_out(&redactor(), false);
            texts(&drawn);
        }
        markdown::render_beginning(&said, bytes);
        let mut live = LiveText::plain("Working");
        live.words = said;
        let live = drawn_live(&live);
        telegram_takes(&live.text, &live.entities());
    }
}
