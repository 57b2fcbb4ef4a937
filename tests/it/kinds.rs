//! Every kind of message that the Bot API knows: what claude gets, or what the chat is told.
//! `UPDATE_DOCS=1 cargo test --test it kinds::` writes the table in `docs/PASS-THROUGH.md` from what is seen here.

use std::fmt::Write;
use std::path::Path;

use regex::Regex;
use serde_json::Value;
use telecoder::chat::fetched;
use telecoder::claude::forms::{self, Remark};
use telecoder::domain::prompt::Whose;

use crate::support::{ADA, CHAT, Machine};

const PAGE: &str = "docs/PASS-THROUGH.md";

/// The sections of the page, by the beginning of the names of their fixtures.
const SECTIONS: [(&str, &str); 6] = [
    ("1-", "Words"),
    ("2-", "Words of others"),
    ("3-", "Files"),
    ("4-", "What words say as well"),
    ("5-", "What claude cannot get"),
    ("6-", "What Telegram writes by itself"),
];

/// What became of a message.
#[derive(Debug, PartialEq)]
enum Became {
    /// claude got this on its input: a text, or blocks.
    Prompt(Value),
    /// One sentence in the chat, and nothing else.
    Sentence(String),
    Nothing,
}

struct Fixture {
    file: String,
    kind: String,
    message: Value,
}

#[test]
fn every_kind_of_message_is_a_prompt_or_one_clear_sentence() {
    let machine = Machine::new().with("TELECODER_TRANSCRIBE_CMD", "echo what was said; true");
    put_files(&machine);
    let _bot = machine.start();
    let mut seen = Vec::new();
    for fixture in fixtures() {
        let became = send(&machine, &fixture);
        let is_service = fixture.file.starts_with("6-");
        assert_eq!(
            became == Became::Nothing,
            is_service,
            "{}: {became:?}",
            fixture.file
        );
        seen.push((fixture, became));
    }
    is_up_to_date(&page(&seen));
}

fn send(machine: &Machine, fixture: &Fixture) -> Became {
    let inputs = machine.claude_got().len();
    let messages = machine.bot_messages().len();
    machine
        .api
        .deliver_message(CHAT, ADA, fixture.message.clone());
    machine.until_quiet();
    let got = machine.claude_got();
    let said = machine.bot_messages();
    match (&got[inputs..], &said[messages..]) {
        ([prompt], _) => Became::Prompt(prompt.clone()),
        ([], [sentence]) => Became::Sentence(sentence.text.clone()),
        ([], []) => Became::Nothing,
        (prompts, said) => panic!("{}: {prompts:?} {said:?}", fixture.file),
    }
}

/// What the fixtures' files have in them.
fn put_files(machine: &Machine) {
    let jpeg = image::RgbImage::new(1280, 960);
    let mut photo = std::io::Cursor::new(Vec::new());
    jpeg.write_to(&mut photo, image::ImageFormat::Jpeg)
        .expect("a picture");
    let files: [(&str, &str, &[u8]); 8] = [
        ("photo-id", "photos/file_1.jpg", photo.get_ref()),
        ("live-id", "videos/file_2.mp4", b"a live photo"),
        ("doc-id", "documents/file_3.pdf", b"a document"),
        ("audio-id", "music/file_4.mp3", b"a song"),
        ("video-id", "videos/file_5.mp4", b"a video"),
        ("gif-id", "animations/file_6.mp4", b"an animation"),
        ("note-id", "video_notes/file_7.mp4", b"a video message"),
        ("voice-id", "voice/file_8.oga", b"a voice"),
    ];
    for (id, path, content) in files {
        machine.api.put_file_as(id, path, content.to_vec());
    }
}

fn fixtures() -> Vec<Fixture> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/messages");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the fixtures")
        .map(|entry| entry.expect("a file").path())
        .collect();
    files.sort();
    files
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("a fixture");
            let fixture: Value = serde_json::from_str(&text).expect("JSON");
            Fixture {
                file: path.file_name().expect("a name").to_string_lossy().into(),
                kind: fixture["kind"].as_str().expect("a kind").to_owned(),
                message: fixture["message"].clone(),
            }
        })
        .collect()
}

fn page(seen: &[(Fixture, Became)]) -> String {
    let mut page = String::from(
        "# What claude gets\n\n\
         Every kind of message is a prompt, or the chat is told in one sentence why not. What a person wrote reaches claude\n\
         to the byte. What goes along with it is a block of its own in a fixed form: a line in brackets that says what it is,\n\
         and below it, where there are words of others, these, each line behind a `>`. A text with nothing beside it is a\n\
         text; everything else is a list of blocks, in the order of the table. A richly formatted message is read as\n\
         Markdown, with its link addresses; its pictures and files go before it, and the text says where each belongs.\n\n\
         The tests send each of these to telecoder and write down here what came out at the other end. A `↵` stands for a\n\
         line break.\n",
    );
    for (prefix, title) in SECTIONS {
        write!(page, "\n## {title}\n\n").expect("a string takes everything");
        let of_section = seen
            .iter()
            .filter(|(fixture, _)| fixture.file.starts_with(prefix));
        if prefix == "6-" {
            page.push_str(
                "Service messages are nobody's words. They are no prompts, and nothing is said about them:\n",
            );
            let names: Vec<String> = of_section
                .map(|(fixture, _)| format!("`{}`", fixture.kind))
                .collect();
            page.push_str(&filled(&names.join(", ")));
            page.push_str(".\n");
            continue;
        }
        if prefix == "2-" {
            page.push_str(&answers());
        }
        page.push_str("| Message | What claude gets |\n|---|---|\n");
        for (fixture, became) in of_section {
            let became = match became {
                Became::Prompt(content) => blocks(content),
                Became::Sentence(text) => format!("nothing; the chat is told: {text}"),
                Became::Nothing => "nothing".to_owned(),
            };
            writeln!(page, "| {} | {became} |", fixture.kind).expect("a string takes everything");
        }
    }
    page.push_str(
        "\n## Several messages that are one prompt\n\n\
         A text that Telegram had to cut, an album, and forwards with the words sent along are one prompt; the guide says\n\
         [when](GUIDE.md#what-you-can-send). The parts of a cut text are joined where they were cut: directly where the part\n\
         was as long as a message can be (4096), else with the line break that the cut took away. Of an album claude gets all\n\
         files in their order, then the caption; of several captions each says which file it is about:\n",
    );
    writeln!(page, "{}.\n", code(&forms::about_file(2))).expect("a string takes everything");
    writeln!(
        page,
        "What follows a cut text within a second or two is its rest, also if it begins with a command. In a group, words that\n\
         do not address the bot belong to a prompt only as the rest of a cut text, a part of the same album, or a forward.\n\n\
         ## Words behind a command\n\n\
         Some of telecoder's commands take no words. If one line follows such a command, it is carried out, and the chat is\n\
         told that claude did not get the words. If the message has several lines, nothing is done and the chat is told what\n\
         to do; only /stop always stops. An edit is never a command: a waiting message that is changed into one does not run,\n\
         and the chat is told, with a button that runs it as it was."
    ).expect("a string takes everything");
    page.push_str(&remarks());
    page.push_str(&routines());
    write!(
        page,
        "\n## What telecoder says for you\n\n\
         At the press of a button. Before the new words of a message that was edited after claude had read it:\n{}.\n\
         When a run that was lost or held up is to go on:\n{}\n",
        code(forms::CORRECTION),
        code(forms::GO_ON)
    )
    .expect("a string takes everything");
    page
}

/// What begins without a message.
fn routines() -> String {
    let body = fetched::attached_call(Path::new("…/ci-7.json"), 6_000, Some("push"));
    format!(
        "\n## Routines\n\n\
         A [routine](GUIDE.md#routines) gives claude the prompt as it was written: everything behind the time, to the byte, and\n\
         what the message said as well (a quote, an address behind words). It is nobody's message when it begins, so an edit of\n\
         the message that made it changes nothing. A [hook](GUIDE.md#hooks) adds one line with the call's body:\n{}\n\n\
         `push` is the event as its sender names it, where that is a name.\n",
        code(&body)
    )
}

/// Remarks that somebody writes on the page.
fn remarks() -> String {
    let one = Remark {
        file: "src/parse.rs".into(),
        first: 12,
        last: 12,
        is_of_before: false,
        code: vec!["    let most = 64;".into()],
        words: "Why not a constant?".into(),
    };
    let other = Remark {
        file: "src/old.rs".into(),
        first: 3,
        last: 4,
        is_of_before: true,
        code: vec!["fn check() {".into(), "    look();".into()],
        words: "This was needed.\nPut it back.".into(),
    };
    format!(
        "\n## Remarks on a diff\n\n\
         On the [page](web.md), remarks on lines of a diff are sent together as one prompt: each as a line in brackets that\n\
         says which lines of which file, these lines as git has them in a fence (longer than any run of backticks among\n\
         them), and the words. Lines that went are numbered as they were before.\n\n\
         ````text\n{}\n````\n",
        forms::remarks(&[one, other])
    )
}

/// Replies to the bot's own answers depend on what was asked before.
fn answers() -> String {
    let older = Whose::Answer {
        prompt: "fix the tests".into(),
        prompts_ago: 3,
        is_of_this_session: true,
    };
    let elsewhere = Whose::Answer {
        prompt: "fix the tests".into(),
        prompts_ago: 1,
        is_of_this_session: false,
    };
    let rows = [
        (
            "Quote of claude's newest answer",
            Some(forms::quoted(&Whose::NewestAnswer, "Two tests failed.")),
        ),
        (
            "Quote of an older answer",
            Some(forms::quoted(&older, "Two tests failed.")),
        ),
        (
            "Reply to an older answer",
            forms::replied(&older, "Two tests failed."),
        ),
        (
            "Reply to an answer of another session",
            forms::replied(&elsewhere, "Two tests failed."),
        ),
        (
            "Reply to the newest answer, or to the message that follows a run",
            forms::replied(&Whose::NewestAnswer, "Two tests failed."),
        ),
    ];
    let mut table = String::from("| Message | What goes along, before the words |\n|---|---|\n");
    for (message, along) in rows {
        let along = along.map_or("nothing: it is the conversation".to_owned(), |along| {
            code(&along)
        });
        writeln!(table, "| {message} | {along} |").expect("a string takes everything");
    }
    table.push('\n');
    table
}

fn blocks(content: &Value) -> String {
    match content {
        Value::String(text) => code(text),
        Value::Array(blocks) => blocks.iter().map(block).collect::<Vec<_>>().join("<br>"),
        other => panic!("claude got {other}"),
    }
}

fn block(block: &Value) -> String {
    match block["type"].as_str() {
        Some("text") => {
            let text = block["text"].as_str().expect("a text");
            code(&without_place(text))
        }
        Some("image") => format!(
            "the picture ({})",
            block["source"]["media_type"].as_str().expect("a type")
        ),
        other => panic!("claude got a block of type {other:?}"),
    }
}

/// A file's line without what differs from one machine and one moment to the next.
fn without_place(line: &str) -> String {
    let place = Regex::new(r"^(\[Attached (?:file|picture): )/.*/inbox/").expect("a pattern");
    let moment = Regex::new(r"-\d{4}-\d\d-\d\d-\d{6}(?:-\d+)?\.").expect("a pattern");
    let number = Regex::new(r"-\d+(\.[a-z0-9]+ \()").expect("a pattern");
    match place.is_match(line) {
        true => {
            let line = place.replace(line, "$1…/");
            let line = moment.replace(&line, "-….");
            number.replace(&line, "$1").into_owned()
        }
        false => line.to_owned(),
    }
}

/// As code in a table.
fn code(text: &str) -> String {
    let text = text.replace('\n', " ↵ ").replace('|', "\\|");
    if text.contains('`') {
        let mut fence = "``".to_owned();
        while text.contains(&fence) {
            fence.push('`');
        }
        return format!("{fence} {text} {fence}");
    }
    // Blanks at the ends are shown where there is another one to be taken away.
    if text.starts_with(' ') || text.ends_with(' ') {
        return format!("` {text} `");
    }
    format!("`{text}`")
}

/// Lines that fit.
fn filled(text: &str) -> String {
    let mut lines = String::new();
    let mut length = 0;
    for word in text.split(' ') {
        if length > 0 && length + 1 + word.len() > 118 {
            lines.push('\n');
            length = 0;
        } else if length > 0 {
            lines.push(' ');
            length += 1;
        }
        lines.push_str(word);
        length += word.len();
    }
    lines
}

fn is_up_to_date(printed: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, printed).expect("it can be written");
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        there == printed,
        "{PAGE} is not what was seen; UPDATE_DOCS=1 cargo test --test it kinds:: writes it anew\n{printed}"
    );
}
