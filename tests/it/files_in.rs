//! Files that people send: fetched whatever goes wrong, kept outside the workspace, and part of what claude is asked.

use std::collections::BTreeMap;
use std::fs;
use std::io::Cursor;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use proptest::prelude::*;
use serde_json::{Value, json};
use telecoder::domain::id::{ChatThread, PromptId, RunId, SessionId};
use telecoder::domain::job::Task;
use telecoder::domain::prompt::{Content, Piece};
use telecoder::domain::update::{File, FileKind};
use telecoder::files::{LONGEST_NAME, numbered, safe_name};
use telecoder::store::prompts::Prompt;
use telecoder::store::{attachments, jobs, prompts, runs};
use uuid::Uuid;

use crate::support::{ADA, Bot, CHAT, Fault, Machine};

/// A machine whose chat has a session; its bot is not at work.
fn machine_with_a_session() -> Machine {
    with_a_session(Machine::new())
}

fn with_a_session(machine: Machine) -> Machine {
    let bot = machine.start();
    machine.ada_says("Hello");
    machine.message_with("You said: Hello");
    machine.until_quiet();
    bot.terminate();
    machine
}

fn file(kind: FileKind, id: String) -> File {
    File {
        kind,
        id,
        unique_id: "u".into(),
        name: None,
        media_type: None,
        bytes: None,
        width: None,
        height: None,
        seconds: None,
    }
}

fn document(id: String, name: &str, media_type: &str) -> File {
    File {
        name: Some(name.into()),
        media_type: Some(media_type.into()),
        ..file(FileKind::Document, id)
    }
}

/// What the inbox writes down for a message with words and files; to be called while no bot is at work.
fn sent(machine: &Machine, words: &str, files: &[File]) -> RunId {
    let mut database = machine.database();
    let db = database.transaction().expect("a transaction");
    let session: String = db
        .query_row("SELECT id FROM sessions", [], |row| row.get(0))
        .expect("a session");
    let session = SessionId(session);
    let at = ChatThread {
        chat: CHAT,
        thread: None,
    };
    let (run, id) = (RunId::new(), PromptId(Uuid::new_v4()));
    let message = machine.api.messages().first().map(|message| message.id);
    let message = message.map(telecoder::domain::id::MessageId);
    let mut content = match words {
        "" => Content::default(),
        words => Content::written(words, message),
    };
    runs::insert(&db, run, &session, at).expect("a run");
    let prompt = Prompt {
        id,
        content: content.clone(),
        message,
        user: Some(ADA),
        sent_at: None,
    };
    prompts::insert(&db, run, &prompt).expect("a prompt");
    for file in files {
        let attachment = attachments::insert(&db, id, message, file).expect("an attachment");
        content.pieces.push(Piece::Awaited(attachment));
    }
    prompts::set_content(&db, id, &content).expect("its content");
    jobs::insert(&db, &session, at, &Task::Fetch { run }, message).expect("a job");
    db.commit().expect("it is written");
    run
}

/// What claude got on its input, block by block: it says so when it takes a prompt up.
fn blocks(machine: &Machine, run: RunId) -> Vec<Value> {
    let events = machine.data().join(format!("runs/{run}/events.jsonl"));
    let line = machine.until("the prompt is taken up", || {
        let events = fs::read_to_string(&events).ok()?;
        events
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .find(|line| line["isReplay"] == true)
    });
    let content = &line["message"]["content"];
    match content {
        Value::Array(blocks) => blocks.clone(),
        text => vec![json!({"type": "text", "text": text})],
    }
}

fn bytes_of(block: &Value) -> Vec<u8> {
    assert_eq!(block["type"], "image");
    let data = block["source"]["data"].as_str().expect("its data");
    STANDARD.decode(data).expect("base64")
}

fn folder(machine: &Machine) -> PathBuf {
    let sessions = fs::read_dir(machine.data().join("files")).expect("the folder for files");
    let mut sessions = sessions.map(|session| session.expect("a session").path());
    sessions.next().expect("a session with files")
}

/// Names and contents of what is in the session's inbox.
fn inbox(machine: &Machine) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(folder(machine).join("inbox")).expect("an inbox");
    files
        .map(|file| {
            let path = file.expect("a file").path();
            let name = path.file_name().expect("a name").to_string_lossy();
            (name.into_owned(), fs::read(&path).expect("its content"))
        })
        .collect()
}

fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let picture = RgbImage::from_fn(width, height, |x, y| {
        let byte = |n: u32| u8::try_from(n % 256).expect("a byte");
        Rgb([byte(x), byte(y), byte(x / 7 + y / 5)])
    });
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(picture)
        .write_to(&mut bytes, format)
        .expect("a picture");
    bytes.into_inner()
}

fn is_private(path: &Path) -> bool {
    let mode = fs::metadata(path)
        .expect("it is there")
        .permissions()
        .mode();
    mode & 0o077 == 0
}

fn no_file_is_left_half(machine: &Machine) {
    let coming = fs::read_dir(folder(machine).join("coming"));
    assert_eq!(coming.map_or(0, Iterator::count), 0);
}

#[test]
fn a_picture_that_fits_reaches_claude_byte_for_byte_and_its_path_goes_along() {
    let machine = machine_with_a_session();
    let content = picture(320, 200, ImageFormat::Jpeg);
    let id = machine.api.put_file("photos/file_0.jpg", content.clone());
    let run = sent(&machine, "What is this?", &[file(FileKind::Photo, id)]);
    let _bot = machine.start();
    let blocks = blocks(&machine, run);
    assert_eq!(blocks[0], json!({"type": "text", "text": "What is this?"}));
    assert_eq!(blocks[1]["source"]["media_type"], "image/jpeg");
    assert_eq!(bytes_of(&blocks[1]), content);
    let line = blocks[2]["text"].as_str().expect("a line");
    let (name, kept) = inbox(&machine).pop_first().expect("a file");
    let path = folder(&machine).join("inbox").join(&name);
    assert_eq!(
        line,
        format!(
            "[Attached picture: {} (image/jpeg, {} KB)]",
            path.display(),
            content.len().div_ceil(1024)
        )
    );
    assert!(
        name.starts_with("photo-2") && name.ends_with(".jpg"),
        "{name}"
    );
    assert_eq!(kept, content);
    assert!(is_private(&path) && is_private(path.parent().expect("the inbox")));
    machine.message_with("You said: What is this?");
    machine.until_quiet();
    no_file_is_left_half(&machine);
}

#[test]
fn a_picture_that_is_too_large_is_shown_smaller_and_kept_as_it_came() {
    let machine = machine_with_a_session();
    let content = picture(2_400, 300, ImageFormat::Png);
    let id = machine
        .api
        .put_file("documents/file_1.png", content.clone());
    let run = sent(&machine, "", &[document(id, "wide.png", "image/png")]);
    let _bot = machine.start();
    let blocks = blocks(&machine, run);
    let shown = image::load_from_memory(&bytes_of(&blocks[0])).expect("a picture");
    assert_eq!((shown.width(), shown.height()), (2_000, 250));
    assert!(
        blocks[1]["text"]
            .as_str()
            .is_some_and(|line| line.ends_with("; shown smaller)]"))
    );
    assert_eq!(inbox(&machine)["wide.png"], content);
}

#[test]
fn a_picture_that_is_broken_goes_along_as_a_file() {
    let machine = machine_with_a_session();
    let mut content = picture(64, 64, ImageFormat::Png);
    content.truncate(content.len() / 2);
    let id = machine.api.put_file("documents/file_1.png", content);
    let run = sent(&machine, "Look", &[document(id, "half.png", "image/png")]);
    let _bot = machine.start();
    let blocks = blocks(&machine, run);
    assert_eq!(blocks.len(), 2);
    let line = blocks[1]["text"].as_str().expect("a line");
    assert!(
        line.starts_with("[Attached file: ") && line.contains("half.png (image/png, "),
        "{line}"
    );
}

#[test]
fn every_other_file_lies_in_the_inbox_outside_the_workspace_and_nothing_is_unpacked() {
    let machine = machine_with_a_session();
    let pdf = machine.api.put_file("documents/file_1.pdf", "%PDF");
    let zip = machine.api.put_file("documents/file_2.zip", "PK\u{3}\u{4}");
    let again = machine.api.put_file("documents/file_3.pdf", "%PDF 2");
    let evil = machine.api.put_file("documents/file_4", "evil");
    let song = File {
        seconds: Some(12),
        ..document(
            machine.api.put_file("music/file_5.mp3", "la"),
            "Lied für Ada.mp3",
            "audio/mpeg",
        )
    };
    let files = [
        document(pdf, "report.pdf", "application/pdf"),
        document(zip, "all.zip", "application/zip"),
        document(again, "report.pdf", "application/pdf"),
        document(evil, "../../.ssh/authorized_keys", "text/plain"),
        song,
    ];
    let run = sent(&machine, "Read these", &files);
    let _bot = machine.start();
    let blocks = blocks(&machine, run);
    let inbox_folder = folder(&machine).join("inbox");
    let lines: Vec<String> = blocks[1..]
        .iter()
        .map(|block| block["text"].as_str().expect("a line").to_owned())
        .collect();
    let at = |name: &str| inbox_folder.join(name).display().to_string();
    assert_eq!(
        lines,
        [
            format!(
                "[Attached file: {} (application/pdf, 4 bytes)]",
                at("report.pdf")
            ),
            format!(
                "[Attached file: {} (application/zip, 4 bytes)]",
                at("all.zip")
            ),
            format!(
                "[Attached file: {} (application/pdf, 6 bytes)]",
                at("report-2.pdf")
            ),
            format!(
                "[Attached file: {} (text/plain, 4 bytes)]",
                at("authorized_keys")
            ),
            format!(
                "[Attached file: {} (audio/mpeg, 2 bytes, 12 s)]",
                at("Lied für Ada.mp3")
            ),
        ]
    );
    assert_eq!(inbox(&machine).len(), 5);
    let workspaces = fs::read_dir(machine.data().join("workspaces")).expect("workspaces");
    for workspace in workspaces {
        let workspace = workspace.expect("a workspace").path();
        let inside = fs::read_dir(&workspace).expect("a folder").count();
        assert_eq!(inside, 1, "only .git is in {}", workspace.display());
    }
}

#[test]
fn a_connection_that_is_cut_and_a_server_that_fails_cost_only_time() {
    let machine = machine_with_a_session();
    let content = vec![7; 300_000];
    let id = machine
        .api
        .put_file("documents/file_1.bin", content.clone());
    machine.api.plan("getFile", None, 1, Fault::Status(502));
    machine.api.plan("getFile", None, 1, Fault::Flood(1));
    machine.api.plan("file", None, 1, Fault::CutShort);
    machine.api.plan("file", None, 1, Fault::Truncated);
    machine.api.plan("file", None, 1, Fault::Status(404));
    let run = sent(
        &machine,
        "Read",
        &[document(id, "data.bin", "application/x-data")],
    );
    let bot = machine.start();
    assert_eq!(blocks(&machine, run).len(), 2);
    assert_eq!(inbox(&machine)["data.bin"], content);
    assert_eq!(machine.api.still_planned(), 0);
    assert!(!bot.log().contains("Secret-Token"), "{}", bot.log());
}

#[test]
fn a_bot_that_is_killed_while_it_fetches_goes_on_and_doubles_nothing() {
    for point in ["file-fetched", "file-there", "file-settled"] {
        let machine = machine_with_a_session();
        let one = machine.api.put_file("documents/file_1.txt", "one");
        let two = machine.api.put_file("documents/file_2.txt", "two");
        let files = [
            document(one, "a.txt", "text/plain"),
            document(two, "a.txt", "text/plain"),
        ];
        let run = sent(&machine, "Read", &files);
        let mut bot = machine.start_failing_at(&format!("{point}=return"));
        bot.wait_for_its_end();
        let _bot = machine.start();
        assert_eq!(blocks(&machine, run).len(), 3);
        machine.message_with("You said: Read");
        machine.until_quiet();
        let there: Vec<(String, Vec<u8>)> = inbox(&machine).into_iter().collect();
        assert_eq!(
            there,
            [
                ("a-2.txt".to_owned(), b"two".to_vec()),
                ("a.txt".to_owned(), b"one".to_vec())
            ],
            "killed at {point}"
        );
        no_file_is_left_half(&machine);
    }
}

#[test]
fn a_file_that_is_too_big_for_bots_is_told_with_the_way_out_and_its_words_wait_for_a_button() {
    let machine = machine_with_a_session();
    let id = machine
        .api
        .put_file("documents/file_1.iso", vec![0; 21 * 1024 * 1024]);
    sent(
        &machine,
        "Boot this",
        &[document(id, "big.iso", "application/x-iso")],
    );
    let _bot = machine.start();
    let told = machine
        .message_with("big.iso was not fetched: Telegram gives bots only files of up to 20 MB");
    assert!(told.text.contains("Your text was not passed on either"));
    assert!(!told.silent && told.reply_to.is_some());
    machine.until_quiet();
    assert_eq!(machine.times_run().len(), 1, "only the greeting ran");
    assert_eq!(told.buttons[0].0, "Ask without it");
    machine.ada_presses(&told);
    machine
        .message_with("You said: Boot this\n[Not attached, because it could not be had: big.iso]");
    machine.until_quiet();
    machine.ada_presses(&told);
    machine.until_toast("This was done already.");
}

#[test]
fn a_file_that_is_gone_and_alone_runs_nothing() {
    let machine = machine_with_a_session();
    sent(
        &machine,
        "",
        &[document("file-99".into(), "old.txt", "text/plain")],
    );
    let _bot = machine.start();
    let told = machine.message_with(
        "old.txt was not fetched: Telegram does not have it any more. Nothing was passed on to claude. Send it again.",
    );
    assert!(told.buttons.is_empty());
    machine.until_quiet();
    assert_eq!(machine.times_run().len(), 1, "only the greeting ran");
}

#[test]
fn an_album_of_which_one_file_cannot_be_had_goes_on_without_it() {
    let machine = machine_with_a_session();
    let id = machine.api.put_file("documents/file_1.txt", "here");
    let files = [
        document("file-99".into(), "gone.txt", "text/plain"),
        document(id, "here.txt", "text/plain"),
    ];
    let run = sent(&machine, "Both", &files);
    let _bot = machine.start();
    let blocks = blocks(&machine, run);
    assert_eq!(
        blocks[1]["text"],
        "[Not attached, because it could not be had: gone.txt]"
    );
    assert!(
        blocks[2]["text"]
            .as_str()
            .is_some_and(|line| line.contains("here.txt"))
    );
    let told = machine.message_with("gone.txt was not fetched");
    assert!(
        told.text.contains("Everything else goes to claude now"),
        "{}",
        told.text
    );
}

#[test]
fn stop_ends_the_fetching_and_drops_the_prompt() {
    let machine = machine_with_a_session();
    let id = machine.api.put_file("documents/file_1.txt", "slow");
    machine
        .api
        .plan("file", None, 100, Fault::Hang(Duration::from_secs(3600)));
    sent(&machine, "Read", &[document(id, "slow.txt", "text/plain")]);
    let _bot = machine.start();
    machine.message_with("Fetching slow.txt");
    machine.ada_says("/stop");
    machine.message_with("Fetching the file was stopped. Its prompt was dropped and did not run.");
    machine.until_quiet();
    assert_eq!(machine.times_run().len(), 1, "only the greeting ran");
    no_file_is_left_half(&machine);
}

#[test]
fn what_is_written_after_a_file_waits_for_it() {
    let machine = machine_with_a_session();
    let id = machine.api.put_file("documents/file_1.txt", "slow");
    machine
        .api
        .plan("file", None, 1, Fault::Late(Duration::from_secs(2)));
    sent(&machine, "First", &[document(id, "slow.txt", "text/plain")]);
    sent(&machine, "Second", &[]);
    let _bot = machine.start();
    machine.message_with("You said: Second");
    let answers: Vec<String> = machine
        .bot_messages()
        .into_iter()
        .map(|message| message.text)
        .filter(|text| text.starts_with("You said: "))
        .collect();
    assert!(answers[1].starts_with("You said: First"), "{answers:?}");
}

#[test]
fn a_local_server_gives_a_file_of_any_size_by_its_path() {
    let machine = machine_with_a_session();
    let path = machine.folder.path().join("of the server.bin");
    let content = vec![1; 21 * 1024 * 1024];
    fs::write(&path, &content).expect("a file");
    let id = machine.api.put_local_file(path);
    let run = sent(
        &machine,
        "Read",
        &[document(id, "large.bin", "application/x-data")],
    );
    let _bot = machine.start();
    let line = blocks(&machine, run)[1]["text"].to_string();
    assert!(
        line.contains("large.bin (application/x-data, 21 MB)"),
        "{line}"
    );
    assert_eq!(inbox(&machine)["large.bin"], content);
}

#[test]
fn a_local_server_whose_files_cannot_be_read_here_is_named() {
    let machine = machine_with_a_session();
    let id = machine.api.put_local_file("/nowhere/file_1.bin".into());
    sent(
        &machine,
        "",
        &[document(id, "far.bin", "application/x-data")],
    );
    let _bot = machine.start();
    machine.message_with(
        "far.bin was not fetched: the Bot API server has it in /nowhere/file_1.bin, where telecoder cannot read it.",
    );
}

fn voice(machine: &Machine) -> File {
    let id = machine.api.put_file("voice/file_1.oga", "OggS");
    File {
        media_type: Some("audio/ogg".into()),
        seconds: Some(3),
        ..file(FileKind::Voice, id)
    }
}

/// Ada sends a voice message to a bot with this program.
fn voice_with(script: &str) -> (Machine, Bot) {
    let machine = machine_with_a_session();
    let program = machine.script("transcribe", script);
    let machine = machine.with("TELECODER_TRANSCRIBE_CMD", program.display().to_string());
    sent(&machine, "", &[voice(&machine)]);
    let bot = machine.start();
    (machine, bot)
}

#[test]
fn a_voice_message_becomes_the_prompt_and_is_shown_as_text() {
    let (machine, _bot) =
        voice_with("test \"$(cat \"$1\")\" = OggS && echo '  Fix the tests.' && echo noise >&2");
    machine.message_with("You said: Fix the tests.");
    let shown = machine.message_with("🎤 Fix the tests.");
    assert!(shown.silent && shown.reply_to.is_some());
    machine.until_quiet();
    assert_eq!(machine.times_run()["Fix the tests."], 1);
}

#[test]
fn the_file_goes_where_the_command_wants_it_also_between_quotes() {
    for place in [
        "{}",
        "'{}'",
        "\"{}\"",
        "--file={}",
        "'--file={}'",
        "\"--file={}\"",
        r#"it\'s="{}""#,
    ] {
        let command = format!("printf 'file=%s %s' {place} end | sed 's/.*voice-/voice-/'");
        let machine = Machine::new();
        let with_blank = machine.data().with_file_name("the data");
        let machine = machine.with("TELECODER_DATA", with_blank.display().to_string());
        let machine = with_a_session(machine).with("TELECODER_TRANSCRIBE_CMD", command);
        sent(&machine, "", &[voice(&machine)]);
        let _bot = machine.start();
        let shown = machine.message_with("🎤 voice-");
        assert!(shown.text.ends_with(".oga end"), "{}", shown.text);
    }
}

#[test]
fn without_a_program_for_speech_one_sentence_says_how_to_set_it_up() {
    let machine = machine_with_a_session();
    sent(&machine, "", &[voice(&machine)]);
    let _bot = machine.start();
    let told = machine.message_with("The voice message was not listened to");
    assert!(
        told.text.contains("TELECODER_TRANSCRIBE_CMD")
            && told.text.contains("docs/runtime-setup.md")
    );
    machine.until_quiet();
    assert_eq!(machine.times_run().len(), 1, "only the greeting ran");
}

#[test]
fn a_program_for_speech_that_fails_is_told_with_its_last_words() {
    let (machine, _bot) = voice_with("echo 'no model at /models/base.bin' >&2; exit 3");
    let told = machine.message_with("The voice message was not turned into text");
    assert!(told.text.contains("failed (exit code 3)"), "{}", told.text);
    assert!(
        told.text.contains("no model at /models/base.bin"),
        "{}",
        told.text
    );
    machine.until_quiet();
    assert_eq!(machine.times_run().len(), 1, "only the greeting ran");
}

#[test]
fn silence_is_no_prompt() {
    let (machine, _bot) = voice_with("echo ' '");
    machine
        .message_with("No words were heard in the voice message. Nothing was passed on to claude.");
}

#[test]
fn a_session_that_is_deleted_takes_its_files_along() {
    let machine = machine_with_a_session();
    let id = machine.api.put_file("documents/file_1.txt", "x");
    sent(&machine, "Read", &[document(id, "x.txt", "text/plain")]);
    let _bot = machine.start();
    machine.message_with("You said: Read");
    machine.until_quiet();
    let folder = folder(&machine);
    let session = folder
        .file_name()
        .expect("a name")
        .to_string_lossy()
        .into_owned();
    let (code, said) = machine.run_to_its_end(&["session", "delete", &session, "--force"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(!folder.exists());
}

proptest! {
    #[test]
    fn no_name_that_somebody_gives_a_file_leads_out_of_its_folder(name in ".{0,200}|[./\\\\~-]{0,20}.{0,9}") {
        let safe = safe_name(&name);
        prop_assert!(!safe.is_empty() && safe.len() <= LONGEST_NAME);
        prop_assert!(!safe.contains(['/', '\\', '\0']) && !safe.chars().any(char::is_control));
        prop_assert!(!safe.starts_with(['.', '-', '~', ' ']));
        prop_assert_eq!(Path::new(&safe).components().count(), 1);
    }

    #[test]
    fn a_long_name_keeps_its_ending_and_every_letter_whole(stem in "[a-zäöü漢字]{50,300}", number in 2_usize..99) {
        let name = format!("{stem}.tar");
        let numbered = numbered(&safe_name(&name), number);
        let ending = format!("-{number}.tar");
        prop_assert!(numbered.ends_with(&ending) && numbered.len() <= LONGEST_NAME);
        prop_assert!(stem.starts_with(numbered.trim_end_matches(&ending)));
    }
}

#[test]
fn names_of_all_languages_stay() {
    for name in [
        "Übersicht (Kopie).pdf",
        "報告書.docx",
        "отчёт 2026.xlsx",
        "👩‍💻 notes.md",
    ] {
        assert_eq!(safe_name(name), name);
    }
    for (given, kept) in [
        ("..", "file"),
        ("", "file"),
        (".bashrc", "bashrc"),
        ("-rf", "rf"),
        ("a/../../b.txt", "b.txt"),
        ("C:\\evil.exe", "evil.exe"),
        ("invoice\u{202e}fdp.exe", "invoicefdp.exe"),
        ("line\nbreak.txt", "linebreak.txt"),
    ] {
        assert_eq!(safe_name(given), kept);
    }
}

// From the message in the chat to claude's input.

/// A photo as Telegram tells of it: in several sizes, the largest last.
fn photo(small: &str, large: &str) -> Value {
    json!([
        {"file_id": small, "file_unique_id": "s", "width": 32, "height": 20},
        {"file_id": large, "file_unique_id": "l", "width": 320, "height": 200},
    ])
}

#[test]
fn a_photo_sent_in_the_chat_is_seen_by_claude_in_its_largest_size() {
    let machine = Machine::new();
    let large = picture(320, 200, ImageFormat::Jpeg);
    let small = machine
        .api
        .put_file("photos/file_0.jpg", picture(32, 20, ImageFormat::Jpeg));
    let id = machine.api.put_file("photos/file_1.jpg", large.clone());
    let _bot = machine.start();
    let fields = json!({"photo": photo(&small, &id), "caption": "What is this?"});
    let message = machine.api.deliver_message(CHAT, ADA, fields);
    let answer = machine.message_with("What is this?");
    assert_eq!(answer.reply_to, Some(message.into()));
    let blocks = blocks(&machine, only_run(&machine));
    let pictures: Vec<_> = blocks
        .iter()
        .filter(|block| block["type"] == "image")
        .map(bytes_of)
        .collect();
    assert_eq!(pictures, [large]);
}

#[test]
fn an_album_is_one_prompt_with_all_its_files() {
    let machine = Machine::new();
    let ids = [1, 2, 3].map(|n| {
        machine
            .api
            .put_file(&format!("documents/file_{n}.txt"), format!("{n}"))
    });
    let _bot = machine.start();
    for (n, id) in ids.iter().enumerate() {
        let caption = if n == 0 { "Compare" } else { "" };
        let document = json!({"file_id": id, "file_unique_id": id, "file_name": "same.txt", "mime_type": "text/plain"});
        machine.api.deliver_message(
            CHAT,
            ADA,
            json!({"media_group_id": "album", "caption": caption, "document": document}),
        );
    }
    machine.message_with("Compare");
    machine.until_quiet();
    let blocks = blocks(&machine, only_run(&machine));
    let all: String = blocks.iter().map(Value::to_string).collect();
    for name in ["same.txt", "same-2.txt", "same-3.txt"] {
        assert!(
            all.contains(&format!("/{name} (text/plain, 1 bytes)]")),
            "{all}"
        );
    }
}

#[test]
fn a_voice_message_in_the_chat_is_answered_as_if_it_was_written() {
    let machine = Machine::new().with("TELECODER_TRANSCRIBE_CMD", "echo Say hello; true");
    let id = machine.api.put_file("voice/file_1.oga", "OggS");
    let _bot = machine.start();
    let fields = json!({"voice": {"file_id": id, "file_unique_id": "v", "duration": 2, "mime_type": "audio/ogg"}});
    let message = machine.api.deliver_message(CHAT, ADA, fields);
    let shown = machine.message_with("🎤 Say hello");
    assert_eq!(shown.reply_to, Some(message.into()));
    machine.message_with("You said: Say hello");
}

#[test]
fn a_file_that_comes_during_the_first_run_is_in_a_folder_that_claude_may_read() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[argv]]");
    let arguments = machine.message_with("--add-dir");
    assert!(arguments.text.contains("/inbox"), "{}", arguments.text);
}

#[test]
fn a_program_that_hangs_over_one_file_holds_nothing_else_up() {
    let machine = machine_with_a_session().with("TELECODER_TRANSCRIBE_CMD", "sleep 600; true");
    sent(&machine, "", &[voice(&machine)]);
    let _bot = machine.start();
    machine.message_with("Listening");
    machine.ada_says("/diff");
    machine.message_with("Nothing to show or take back");
    machine.ada_says("/get nothing.txt");
    machine.message_with("nothing.txt");
}

#[test]
fn a_picture_sent_while_claude_works_reaches_it_when_it_is_fetched() {
    let machine = Machine::new();
    let id = machine
        .api
        .put_file("photos/file_1.jpg", picture(320, 200, ImageFormat::Jpeg));
    let _bot = machine.start();
    machine.ada_says("[[bash: sleep 5]] [[heard]]");
    machine.message_with("▸ Bash");
    let fields = json!({"photo": photo(&id, &id), "caption": "it looks like this"});
    machine.api.deliver_message(CHAT, ADA, fields);
    let answer = machine.message_with("Heard meanwhile: ");
    assert!(
        answer.text.contains("[Attached picture: "),
        "{}",
        answer.text
    );
    assert!(
        answer.text.contains("it looks like this"),
        "{}",
        answer.text
    );
    machine.until_quiet();
    assert_eq!(machine.rows("SELECT count(*) FROM runs"), [1]);
}

fn only_run(machine: &Machine) -> RunId {
    let runs = fs::read_dir(machine.data().join("runs")).expect("runs");
    let names: Vec<String> = runs
        .map(|run| {
            run.expect("a run")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    assert_eq!(names.len(), 1, "there is one run");
    RunId(names[0].parse().expect("a run's id"))
}

#[test]
fn files_that_cannot_be_fetched_for_a_fault_of_telecoder_hold_nothing_up() {
    let machine = Machine::new();
    let _bot = machine.start_failing_at("files-fetching=3*panic(a fault)");
    let picture = machine.api.put_file("documents/file_0.pdf", "%PDF");
    let fields = json!({"caption": "read it", "document": {"file_id": picture, "file_unique_id": "u",
        "file_name": "a.pdf", "mime_type": "application/pdf", "file_size": 4}});
    let message = machine.api.deliver_message(CHAT, ADA, fields);
    machine.ada_says("and what comes behind it");
    let told = machine.message_with("Fetching this message's files failed three times");
    assert_eq!(told.reply_to, Some(message.into()));
    machine.message_with("You said: and what comes behind it");
    machine.until_quiet();
    assert!(
        !machine
            .times_run()
            .keys()
            .any(|prompt| prompt.contains("read it"))
    );
}
