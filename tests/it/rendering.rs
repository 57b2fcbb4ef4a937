//! Markdown becomes text with entities, and long texts become parts that Telegram takes.

use proptest::prelude::*;
use telecoder::chat::text;
use telecoder::telegram::draw::{self, Part};
use telecoder::telegram::markdown;
use telecoder::telegram::rich::{Entity, MESSAGE_UNITS, Rich};

#[test]
fn markdown_as_models_write_it_reads_well_on_a_phone() {
    let rich = markdown::render(include_str!("fixtures/answer.md")).text;
    insta::assert_snapshot!(shown(&rich));
}

#[test]
fn markdown_that_was_cut_in_the_middle_still_gives_good_text() {
    for (cut, expected) in [
        ("**bold and no", "**bold and no"),
        ("```rust\nfn main() {", "fn main() {"),
        ("a [link](http", "a [link](http"),
        ("| a | b |\n|---|", "| a | b |\n|---|"),
        ("1. one\n2. tw", "1. one\n2. tw"),
    ] {
        assert_eq!(markdown::render(cut).text.text, expected);
    }
}

#[test]
fn a_code_block_that_fits_a_message_is_not_cut() {
    let prose = "A sentence of prose. ".repeat(150);
    let code = "let x = 1;\n".repeat(200);
    let parts = markdown::render(&format!("{prose}\n\n```rust\n{code}```\n\nthe end"))
        .text
        .split(MESSAGE_UNITS);
    assert_eq!(parts.len(), 2);
    assert_eq!(parts[0].text.trim(), prose.trim());
    assert!(
        parts[1].text.starts_with(code.trim_end()),
        "{}",
        parts[1].text
    );
    assert!(parts[1].text.ends_with("the end"));
}

#[test]
fn a_code_block_that_is_too_long_goes_on_with_its_language() {
    let code = "    println!(\"indented\");\n".repeat(250);
    let parts = markdown::render(&format!("```rust\n{code}```"))
        .text
        .split(MESSAGE_UNITS);
    assert!(parts.len() >= 2);
    for part in &parts {
        let entities = part.entities();
        assert_eq!(entities.len(), 1);
        assert_eq!(entities[0].language.as_deref(), Some("rust"));
        assert_eq!(entities[0].length, part.text.encode_utf16().count());
    }
    assert!(
        parts[1].text.starts_with("    println!"),
        "the indentation stays"
    );
}

#[test]
fn a_very_long_answer_is_its_first_part_and_a_file() {
    let long = "A paragraph of an answer that does not end.\n\n".repeat(2_000);
    let parts = draw::draw(&text::answer(&long, "Done · 1 s".into(), None)).parts;
    assert_eq!(parts.len(), 2);
    assert!(matches!(&parts[0], Part::Text(rich) if rich.text.starts_with("A paragraph")));
    assert!(
        matches!(&parts[1], Part::File { name, content, .. } if name == "answer.md" && *content == long)
    );
}

/// Entities as marks in the text.
fn shown(rich: &Rich) -> String {
    let units: Vec<u16> = rich.text.encode_utf16().collect();
    let entities: Vec<String> = rich
        .entities()
        .iter()
        .map(|entity| {
            let text =
                String::from_utf16_lossy(&units[entity.offset..entity.offset + entity.length]);
            let extra = entity
                .url
                .as_deref()
                .or(entity.language.as_deref())
                .unwrap_or_default();
            format!("{} {extra}: {text:?}", entity.kind)
        })
        .collect();
    format!("{}\n\n{}", rich.text, entities.join("\n"))
}

/// The rules of the Bot API's server for one message.
fn telegram_takes(text: &str, entities: &[Entity]) {
    let units: Vec<u16> = text.encode_utf16().collect();
    assert!(!text.trim().is_empty(), "a blank message");
    assert!(units.len() <= MESSAGE_UNITS, "{} units", units.len());
    assert!(entities.len() <= 100, "{} entities", entities.len());
    for (index, a) in entities.iter().enumerate() {
        let end = a.offset + a.length;
        assert!(a.length > 0 && end <= units.len(), "{a:?} is out of range");
        for at in [a.offset, end] {
            let inside = units
                .get(at)
                .is_some_and(|unit| (0xdc00..0xe000).contains(unit));
            assert!(!inside, "{a:?} goes through a surrogate pair");
        }
        for b in &entities[index + 1..] {
            let b_end = b.offset + b.length;
            let apart = end <= b.offset || b_end <= a.offset;
            let nested =
                (a.offset <= b.offset && b_end <= end) || (b.offset <= a.offset && end <= b_end);
            let is_quote = |entity: &Entity| entity.kind.ends_with("blockquote");
            let is_code = |entity: &Entity| matches!(entity.kind, "code" | "pre");
            let in_code = (is_code(a) && !is_quote(b)) || (is_code(b) && !is_quote(a));
            assert!(
                apart || (nested && !in_code),
                "{a:?} and {b:?} overlap in {text:?}"
            );
        }
    }
}

/// Pieces that make trouble together.
fn markdown_like() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("**"),
        Just("*"),
        Just("_"),
        Just("~~"),
        Just("`"),
        Just("```\n"),
        Just("```rust\n"),
        Just("\n"),
        Just("\n\n"),
        Just("> "),
        Just("- "),
        Just("1. "),
        Just("- [ ] "),
        Just("# "),
        Just("| a | b |\n|---|---|\n| "),
        Just(" | "),
        Just("[x]("),
        Just(")"),
        Just("https://a.b/c"),
        Just("<b>"),
        Just("&amp;"),
        Just("\\"),
        Just("---\n"),
        Just("    "),
        Just("👩‍💻"),
        Just("é"),
        Just("日本語"),
        Just("مرحبا"),
        Just("word"),
        Just("two words "),
        Just("\u{200d}"),
        Just("![i](x.png)"),
    ];
    (prop::collection::vec(piece, 0..80), 1usize..120)
        .prop_map(|(pieces, times)| pieces.concat().repeat(times))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn whatever_a_model_writes_telegram_takes_every_part(markdown in markdown_like()) {
        for part in markdown::render(&markdown).text.split(MESSAGE_UNITS) {
            telegram_takes(&part.text, &part.entities());
        }
    }

    #[test]
    fn splitting_loses_nothing_but_white_space(text in "\\PC{0,400}", times in 1usize..40, units in 20usize..200) {
        let text = text.repeat(times);
        let without_blanks = |text: &str| text.split_whitespace().collect::<String>();
        let parts = Rich::plain(text.as_str()).split(units);
        let joined: String = parts.iter().map(|part| part.text.as_str()).collect();
        prop_assert_eq!(without_blanks(&joined), without_blanks(&text));
        for part in parts {
            prop_assert!(part.text.encode_utf16().count() <= units);
        }
    }
}
