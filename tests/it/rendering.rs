//! Markdown becomes text with entities, and long texts become parts that Telegram takes.

use proptest::prelude::*;
use telecoder::chat::text;
use telecoder::telegram::draw::{self, Part};
use telecoder::telegram::markdown;
use telecoder::telegram::rich::{Entity, MESSAGE_UNITS, Rich, Style};

#[test]
fn markdown_as_models_write_it_reads_well_on_a_phone() {
    let rich = markdown::render(include_str!("fixtures/answer.md")).text;
    insta::assert_snapshot!(shown(&rich));
}

#[test]
fn answers_as_they_really_look_read_well_on_a_phone() {
    insta::glob!("fixtures/answers/*.md", |path| {
        let markdown = std::fs::read_to_string(path).expect("an answer");
        insta::assert_snapshot!(phone(&markdown));
    });
}

/// Every message that a phone would get for an answer.
fn phone(markdown: &str) -> String {
    let drawn = draw::draw(&mut text::answer(markdown, "Done · 1 s".into(), None));
    let mut messages = Vec::new();
    for part in &drawn.parts {
        messages.push(match part {
            Part::Text(rich) => {
                telegram_takes(&rich.text, &rich.entities());
                shown(rich)
            }
            Part::Stored { name, caption, .. } => format!("[file {name}]\n{}", caption.text),
            Part::File {
                name,
                content,
                caption,
            } => format!(
                "[file {name}, {} lines]\n{}",
                String::from_utf8_lossy(content).lines().count(),
                caption.text
            ),
        });
    }
    if !drawn.commands.is_empty() {
        messages.push(format!("[copy buttons] {:?}", drawn.commands));
    }
    messages.join("\n=====\n")
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
fn paths_are_code_and_what_only_looks_like_one_is_not() {
    for (text, paths) in [
        (
            "see src/lib.rs:120:5, and (README.md).",
            vec!["src/lib.rs:120:5", "README.md"],
        ),
        ("`a.rs` and lib.rs: both", vec!["a.rs", "lib.rs"]),
        ("Node.js 20, e.g. v1.2.3, U.S., 3.5 MB, a.b", vec![]),
        (
            "https://example.com/a.md www.example.com/x.py ada@example.rs",
            vec![],
        ),
        ("[main.rs](https://example.com/main.rs)", vec![]),
        (
            "C:\\src\\main.rs and ~/x.toml and ../a-b_c.tsx:3",
            vec!["C:\\src\\main.rs", "~/x.toml", "../a-b_c.tsx:3"],
        ),
    ] {
        let rich = markdown::render(text).text;
        let found: Vec<&str> = rich
            .styles
            .iter()
            .filter(|(_, style)| *style == Style::Code)
            .map(|(range, _)| &rich.text[range.clone()])
            .collect();
        assert_eq!(found, paths, "{text}");
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
    let parts = draw::draw(&mut text::answer(long.as_str(), "Done · 1 s".into(), None)).parts;
    assert_eq!(parts.len(), 2);
    assert!(matches!(&parts[0], Part::Text(rich) if rich.text.starts_with("A paragraph")));
    assert!(
        matches!(&parts[1], Part::File { name, content, .. } if name == "answer.md" && content == long.as_bytes())
    );
}

#[test]
fn links_that_are_spelled_out_keep_their_addresses_and_all_other_styles() {
    let markdown = "> see **[the 👩‍💻 page](https://a.io/c) and** <https://a.io>, [last](https://c.io)\n\nthen `code`";
    let rich = markdown::render(markdown).text;
    let spelled_out = rich.with_links_spelled_out(MESSAGE_UNITS).expect("it fits");
    assert_eq!(
        shown(&spelled_out),
        "⟨blockquote:see ⟨bold:the 👩‍💻 page (https://a.io/c) and⟩ https://a.io, last (https://c.io)⟩\n\nthen ⟨code:code⟩"
    );
    let units = spelled_out.text.encode_utf16().count();
    assert_eq!(rich.with_links_spelled_out(units), Some(spelled_out));
    assert_eq!(rich.with_links_spelled_out(units - 1), None);
}

/// Entities as marks in the text: `⟨bold:` opens one, `⟩` closes it.
pub fn shown(rich: &Rich) -> String {
    let units: Vec<u16> = rich.text.encode_utf16().collect();
    let entities = rich.entities();
    let mut marks: Vec<(usize, bool, usize, String)> = Vec::new();
    for entity in &entities {
        let extra = entity.url.as_deref().or(entity.language.as_deref());
        let extra = extra.map_or_else(String::new, |extra| format!(" {extra}"));
        let end = entity.offset + entity.length;
        marks.push((
            entity.offset,
            true,
            usize::MAX - entity.length,
            format!("⟨{}{extra}:", entity.kind),
        ));
        marks.push((end, false, entity.length, "⟩".to_owned()));
    }
    // At one place the inner ones close first, then the outer ones open.
    marks.sort_by_key(|(at, opens, order, _)| (*at, *opens, *order));
    let mut text = String::new();
    let mut from = 0;
    for (at, _, _, mark) in marks {
        text.push_str(&String::from_utf16_lossy(&units[from..at]));
        text.push_str(&mark);
        from = at;
    }
    text.push_str(&String::from_utf16_lossy(&units[from..]));
    text
}

/// The rules of the Bot API's server for one message.
pub fn telegram_takes(text: &str, entities: &[Entity]) {
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
const PIECES: [&str; 36] = [
    "**",
    "*",
    "_",
    "~~",
    "`",
    "```\n",
    "```rust\n",
    "```diff\n",
    "~~~\n",
    "\n",
    "\n\n",
    "> ",
    "> [!NOTE]\n",
    "- ",
    "1. ",
    "- [ ] ",
    "# ",
    "[x](",
    ")",
    "https://a.b/c",
    "<b>",
    "<br>",
    "&amp;",
    "\\",
    "---\n",
    "    ",
    "👩‍💻",
    "é",
    "日本語",
    "مرحبا",
    "word",
    "two words ",
    "\u{200d}",
    "![i](x.png)",
    "$x^2$",
    "src/lib.rs:1",
];
/// Tables drop cells that their head has no column for, as GFM says.
const TABLE_PIECES: [&str; 3] = ["| a | b |\n|---|---|\n| ", " | ", " |\n"];

fn markdown_like(times: std::ops::Range<usize>) -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => prop::sample::select(PIECES.as_slice()),
        1 => prop::sample::select(TABLE_PIECES.as_slice()),
    ];
    (prop::collection::vec(piece, 0..60), times)
        .prop_map(|(pieces, times)| pieces.concat().repeat(times))
}

/// An answer as it really looks, with pieces of it taken out, doubled and put in.
fn mutated_answer() -> impl Strategy<Value = String> {
    let answers: Vec<String> = std::fs::read_dir("tests/it/fixtures/answers")
        .expect("the answers")
        .map(|file| std::fs::read_to_string(file.expect("one").path()).expect("its text"))
        .collect();
    let mutation = (
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
        0u8..3,
        prop::sample::select(PIECES.as_slice()),
    );
    (
        prop::sample::select(answers),
        prop::collection::vec(mutation, 1..6),
    )
        .prop_map(|(mut answer, mutations)| {
            for (from, length, kind, piece) in mutations {
                let edges: Vec<usize> = answer
                    .char_indices()
                    .map(|(at, _)| at)
                    .chain([answer.len()])
                    .collect();
                let from = edges[from.index(edges.len())];
                let to = edges[length.index(edges.len())].max(from).min(from + 200);
                let to = (to..=answer.len())
                    .find(|at| answer.is_char_boundary(*at))
                    .unwrap_or(answer.len());
                match kind {
                    0 => answer.replace_range(from..to, ""),
                    1 => {
                        let again = answer[from..to].to_owned();
                        answer.insert_str(from, &again);
                    }
                    _ => answer.insert_str(from, piece),
                }
            }
            answer
        })
}

/// Every part of an answer is one that Telegram takes, and no two bytes of a file are lost.
fn is_taken(markdown: &str) {
    let drawn = draw::draw(&mut text::answer(markdown, "Done · 1 s".into(), None));
    assert!(!drawn.parts.is_empty());
    for part in &drawn.parts {
        match part {
            Part::Text(rich) => telegram_takes(&rich.text, &rich.entities()),
            Part::File {
                name,
                content,
                caption,
            } => {
                assert!(!name.is_empty() && !name.contains('/'), "{name:?}");
                assert!(!content.is_empty());
                assert!(caption.text.encode_utf16().count() <= 1024);
            }
            Part::Stored { .. } => panic!("a file of this machine"),
        }
    }
    for command in &drawn.commands {
        assert!((1..=256).contains(&command.encode_utf16().count()));
    }
}

/// All that a phone gets, in one text.
fn everything(markdown: &str) -> String {
    let rendered = markdown::render(markdown);
    let mut all = rendered.text.text;
    for file in rendered.files {
        all.push_str(&file.content);
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(7_000))]

    #[test]
    fn whatever_a_model_writes_telegram_takes_every_part(markdown in markdown_like(1..4)) {
        is_taken(&markdown);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn an_answer_that_was_mangled_on_its_way_is_taken_all_the_same(markdown in mutated_answer()) {
        is_taken(&markdown);
    }

    #[test]
    fn no_word_of_an_answer_is_lost(
        pieces in prop::collection::vec(prop::sample::select(PIECES.as_slice()), 0..50),
    ) {
        // A word of its own behind each piece.
        let mut markdown = String::new();
        for (number, piece) in pieces.iter().enumerate() {
            markdown.push_str(piece);
            markdown.push_str(&format!("w{number}w "));
        }
        let all = everything(&markdown);
        for (number, line) in (0..pieces.len()).map(|number| {
            let word = format!("w{number}w");
            let at = markdown.find(&word).expect("it is there");
            (word, markdown[..at].rsplit('\n').next().unwrap_or_default())
        }) {
            // What stands behind a fence names its language, and is shown as such.
            let behind_a_fence = line.contains("```") || line.contains("~~~");
            prop_assert!(behind_a_fence || all.contains(&number), "{number} of {markdown:?} in {all:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn long_answers_are_taken_too(markdown in markdown_like(20..120)) {
        is_taken(&markdown);
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
