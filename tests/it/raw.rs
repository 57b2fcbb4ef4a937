//! `/raw`: what exactly reached claude.

use serde_json::{Value, json};

use telecoder::domain::id::ChatId;

use crate::support::{GRACE, Machine};

/// The last prompt that the fake claude said it had read, of the newest run.
fn read_by_claude(machine: &Machine) -> Value {
    let runs = std::fs::read_dir(machine.data().join("runs")).expect("the runs");
    let newest = runs.flatten().map(|run| run.path()).max().expect("a run");
    let events = std::fs::read_to_string(newest.join("events.jsonl")).expect("its events");
    events
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .rfind(|line| line["isReplay"] == true)
        .expect("a prompt")["message"]["content"]
        .clone()
}

#[test]
fn words_are_shown_as_claude_read_them_with_what_was_added() {
    let machine = Machine::cold().with("TELECODER_MODEL", "opus");
    let _bot = machine.start();
    machine.ada_says("/raw");
    machine.message_with("Nothing has reached claude from this chat yet.");
    let words = "What  is `this`?\n\n- \"x\" 👩‍💻";
    let asked = machine.ada_says(words);
    machine.message_with("You said: What  is");
    assert_eq!(read_by_claude(&machine), json!(words));
    machine.ada_says("/raw");
    let raw = machine.message_with("What reached claude for the last prompt:");
    assert!(raw.reply_to.is_some_and(|id| id > asked.into()));
    let expected = format!(
        "── your words, {} characters\n{words}\n── telecoder",
        words.chars().count()
    );
    for part in [
        &expected,
        "── telecoder appended this to the system prompt\nFiles that you put into /",
        "── claude was started with\n--permission-mode bypassPermissions\n--session-id ",
        "--model opus",
    ] {
        assert!(raw.text.contains(part), "{part} in {}", raw.text);
    }
    machine.until_quiet();

    machine.ada_says(&"long ".repeat(800));
    machine.nth_message_with("You said: long", 1);
    machine.ada_says("/raw");
    let file = machine.until("a file", || {
        let messages = machine.bot_messages();
        messages.into_iter().find_map(|message| message.file)
    });
    assert_eq!(file.0, "raw.txt");
    let text = String::from_utf8(file.1).expect("a text");
    assert!(
        text.contains(&"long ".repeat(800)) && text.contains("--resume "),
        "{text}"
    );
}

#[test]
fn what_goes_along_is_shown_as_claude_read_it_and_told_apart() {
    // A place is taken by another chat, so that the prompt waits and can get what other messages would give it.
    let machine = Machine::new()
        .with("TELECODER_MAX_RUNS", "1")
        .with("TELECODER_TG_ALLOWED_USERS", "7,8");
    let _bot = machine.start();
    let other = ChatId(8);
    machine.api.say(other, GRACE, "[[sleep: 60000]]");
    machine.until("it runs", || {
        (machine.rows("SELECT count(*) FROM runs WHERE state = 'running'") == [1]).then_some(())
    });
    machine.ada_says("and this?");
    machine.until_quiet_but_for_runs();
    let picture = machine.folder.path().join("seen.png");
    std::fs::write(&picture, [7; 3000]).expect("a picture");
    let pieces = json!([
        {"along": "[Quoted]\n> earlier words"},
        {"picture": {"file": picture, "media_type": "image/png"}},
        {"written": {"text": "and this?", "message": 1}},
    ]);
    let changed = machine.database().execute(
        "UPDATE prompts SET pieces = ?1 WHERE text = 'and this?'",
        [pieces.to_string()],
    );
    assert_eq!(changed, Ok(1));
    machine.api.say(other, GRACE, "/stop");
    machine.message_with("You said:");
    machine.until_quiet();
    let read = read_by_claude(&machine);
    assert_eq!(read[0]["text"], "[Quoted]\n> earlier words");
    assert_eq!(read[1]["type"], "image");
    assert_eq!(read[2]["text"], "and this?");
    machine.ada_says("/raw");
    let raw = machine.message_with("What reached claude for the last prompt:");
    let expected = format!(
        "── telecoder's line about what goes along, 24 characters\n[Quoted]\n> earlier words\n\
         ── picture: image/png, 3 KB, {}\n── your words, 9 characters\nand this?\n── telecoder appended",
        picture.display()
    );
    assert!(raw.text.contains(&expected), "{expected}\nin {}", raw.text);
}
