//! What claude writes may be long, and what is written to it too: nobody is lost for that, and nothing runs twice.

use std::fs;

use proptest::prelude::*;
use serde_json::{Value, json};
use telecoder::claude::{control, stream};
use telecoder::domain::event::{Event, TurnEnd};
use telecoder::domain::id::{ClaudeSessionId, PromptId};
use telecoder::domain::prompt::{Content, Picture, Piece};
use telecoder::domain::question::{Asks, RequestId};
use uuid::Uuid;

use crate::support::{Machine, processes};

#[test]
fn a_claude_that_fills_its_stderr_costs_the_bot_no_memory_and_its_last_words_are_told() {
    let machine = Machine::new();
    let bot = machine.start();
    machine.ada_says("[[stderr-hole: 3000000000]] [[stderr: the last words]] [[exit: 1]]");
    let told = machine.message_with("the last words");
    assert!(
        told.text.contains("Claude ended without an answer"),
        "{}",
        told.text
    );
    machine.until_quiet();
    let peak = processes::peak_memory_mb(bot.process.id());
    assert!(peak < 200, "the bot took {peak} MB");
    machine.ada_says("still there?");
    machine.message_with("You said: still there?");
}

#[test]
fn a_prompt_that_steers_runs_once_however_long_the_line_is_that_says_so() {
    let machine = Machine::new().with("FAKE_CLAUDE_ECHO_FILLER", "34000000");
    let _bot = machine.start();
    let home = machine.folder.path().join("home");
    machine
        .ada_says("[[bash: touch ~/begun; until test -e ~/written; do sleep 0.1; done]] [[heard]]");
    machine.until("the command runs", || {
        home.join("begun").exists().then_some(())
    });
    machine.ada_says("meanwhile, an album");
    machine.until("it is on claude's input", || {
        let left = fs::read_dir(machine.data().join("runs"))
            .ok()?
            .flatten()
            .next()?;
        let left = fs::read_dir(left.path().join("to-claude")).ok()?;
        // The greeting of the host, the mark of the beginning, the first prompt, and this one.
        (left
            .flatten()
            .filter(|line| line.metadata().is_ok_and(|line| line.len() == 0))
            .count()
            == 4)
            .then_some(())
    });
    fs::write(home.join("written"), "").expect("the command ends");
    machine.message_with("Heard meanwhile: meanwhile, an album");
    machine.until_quiet();
    let runs = fs::read_dir(machine.data().join("runs"))
        .expect("the runs")
        .count();
    assert_eq!(runs, 1, "the prompt that steered has no run of its own");
}

#[test]
fn pictures_that_are_too_large_together_go_along_as_paths() {
    let folder = tempfile::tempdir().expect("a folder");
    let pieces = (0..10).map(|number| {
        let file = folder.path().join(format!("{number}.png"));
        fs::write(&file, vec![0; 3_400_000]).expect("a picture");
        Piece::Picture(Picture {
            file,
            media_type: "image/png".into(),
        })
    });
    let content = Content {
        pieces: pieces.collect(),
    };
    let line = control::user_message(&content, PromptId(Uuid::new_v4()));
    assert!(line.len() < 20_000_000, "{} bytes", line.len());
    let line: Value = serde_json::from_str(&line).expect("a line");
    let blocks = line["message"]["content"].as_array().expect("blocks");
    assert_eq!(blocks.len(), 10);
    assert_eq!(
        blocks
            .iter()
            .filter(|block| block["type"] == "image")
            .count(),
        3
    );
    assert_eq!(
        blocks[3]["text"],
        format!(
            "[A picture that is not shown, because the pictures of one message are too large together: {}]",
            folder.path().join("3.png").display()
        )
    );
}

proptest! {
    /// However the fields of a line stand, and whatever its long text says.
    #[test]
    fn an_overlong_line_says_by_its_ends_what_it_is(
        text in r#"[ -~]{0,40}"#,
        lies in prop::sample::select(vec!["", "\"uuid\":\"no\"", "\"isReplay\":true", "\"type\":\"result\""]),
        id in any::<u128>(),
        turn in 0..5_usize,
    ) {
        let filler = json!(format!("{text}{lies}{}{lies}{text}", "x".repeat(40_000)));
        let prompt = Uuid::from_u128(id);
        let message = json!({"role": "user", "content": filler});
        let line = |fields: &[(&str, Value)]| by_its_ends(fields, turn);
        prop_assert_eq!(
            line(&[("type", json!("user")), ("message", message), ("session_id", json!("s")),
                ("uuid", json!(prompt)), ("isReplay", json!(true))]),
            vec![Event::TakenUp(PromptId(prompt))]
        );
        let input = json!({"subtype": "can_use_tool", "tool_name": "Write", "input": {"content": filler}});
        let asked = line(&[("type", json!("control_request")), ("request_id", json!("r-1")), ("request", input)]);
        let [Event::Asks(asked)] = &asked[..] else {
            return Err(TestCaseError::fail("it is a request"));
        };
        prop_assert_eq!(&asked.id, &RequestId("r-1".into()));
        prop_assert!(matches!(asked.asks, Asks::Unknown(_)));
        prop_assert_eq!(
            line(&[("type", json!("result")), ("subtype", json!("success")), ("is_error", json!(true)),
                ("result", filler.clone()), ("session_id", json!("s-2"))]),
            vec![Event::TurnEnded(TurnEnd {
                failed: true,
                subtype: "success".into(),
                claude_session: Some(ClaudeSessionId("s-2".into())),
                ..TurnEnd::default()
            })]
        );
        let result = json!({"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "t", "content": filler}]});
        prop_assert_eq!(
            line(&[("type", json!("user")), ("message", result), ("uuid", json!(prompt))]),
            vec![Event::Other("user".into())]
        );
    }
}

/// Of a line with these fields, one or the other of them first.
fn by_its_ends(fields: &[(&str, Value)], turn: usize) -> Vec<Event> {
    let mut fields: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{}:{value}", json!(name)))
        .collect();
    let turn = turn % fields.len();
    fields.rotate_left(turn);
    let line = format!("{{{}}}", fields.join(","));
    let line = line.as_bytes();
    let mut events = Vec::new();
    let (beginning, end) = (&line[..8_192], &line[line.len() - 8_192..]);
    stream::overlong(beginning, end, &mut |event| events.push(event));
    events
}
