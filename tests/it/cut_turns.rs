//! Turns that end before their work is done: the chat is told why, and a button goes on.

use std::fs;

use serde_json::Value;

use crate::support::{ADA, Machine};

const TOO_LONG: &str =
    "[[fail: invalid_request Prompt is too long · the request is ~1250000 tokens (limit 1000000)]]";

#[test]
fn an_answer_that_was_cut_off_is_posted_with_the_reason_and_goes_on_at_the_press_of_a_button() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says(
        r#"[[raw: {"type":"assistant","parent_tool_use_id":null,"message":{"role":"assistant","content":[{"type":"text","text":"The first part of it,"}]}}]] [[fail: max_output_tokens API Error: Claude's response exceeded the 128000 output token maximum.]]"#,
    );
    let cut = machine.message_with_button("The first part of it,", "Go on");
    assert!(cut.text.contains("Not complete · "), "{}", cut.text);
    assert!(
        cut.text
            .ends_with("The answer is longer than the API allows, and was cut off."),
        "{}",
        cut.text
    );
    machine.until_quiet();
    machine.press(ADA, &cut, "Go on");
    machine.message_with("You said: Go on.");
}

#[test]
fn a_conversation_that_is_too_long_is_compacted_at_the_press_of_a_button_and_the_prompt_runs_again()
{
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says(TOO_LONG);
    let told = machine.message_with_button("The conversation is too long for the model", "Compact");
    assert!(!told.text.contains("other words"), "{}", told.text);
    machine.until_quiet();
    machine.press(ADA, &told, "Compact");
    machine.message_with("The conversation was compacted from 19225 to 586 tokens.");
    machine.nth_message_with("The conversation is too long for the model", 2);
    // Each button works once.
    machine.api.press(ADA, &told, &told.buttons[1].1);
    machine.until_quiet();
    assert_eq!(prompts(&machine).len(), 3);
}

#[test]
fn what_was_answered_before_the_conversation_became_too_long_does_not_run_again() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[words: 40 100]] [[say: deployed]]");
    machine.until("claude writes", || {
        let shown = machine.bot_messages();
        shown
            .iter()
            .any(|message| message.text.contains("word 2"))
            .then_some(())
    });
    machine.ada_says(TOO_LONG);
    machine.message_with("deployed");
    let told = machine.message_with_button("The conversation is too long for the model", "Compact");
    machine.until_quiet();
    machine.press(ADA, &told, "Compact");
    machine.message_with("The conversation was compacted");
    machine.nth_message_with("The conversation is too long for the model", 2);
    machine.until_quiet();
    let asked: Vec<String> = prompts(&machine).iter().map(Value::to_string).collect();
    let deployed = asked.iter().filter(|prompt| prompt.contains("deployed"));
    assert_eq!(deployed.count(), 1, "{asked:?}");
    assert_eq!(asked.len(), 4, "{asked:?}");
}

#[test]
fn work_that_became_too_long_in_its_middle_goes_on_and_does_not_begin_again() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says(&format!("[[tool: Bash migrate]] {TOO_LONG}"));
    let told = machine
        .message_with("The conversation is too long for the model, so claude could not continue.");
    machine.until_quiet();
    machine.press(ADA, &told, "Compact");
    machine.message_with("The conversation was compacted");
    machine.message_with("You said: Go on.");
}

#[test]
fn a_new_conversation_in_the_same_workspace_is_told_what_was_asked_before() {
    let machine = Machine::cold();
    let _bot = machine.start();
    machine.ada_says("mend the parser");
    machine.message_with("You said: mend the parser");
    machine.until_quiet();
    machine.ada_says(TOO_LONG);
    let told = machine.message_with_button(
        "The conversation is too long for the model",
        "New conversation",
    );
    machine.until_quiet();
    machine.press(ADA, &told, "New conversation");
    machine.nth_message_with("The conversation is too long for the model", 2);
    machine.until_quiet();
    let prompts = prompts(&machine);
    let blocks = prompts
        .last()
        .expect("the last one")
        .as_array()
        .expect("blocks");
    assert_eq!(
        blocks[0]["text"],
        "[This is a new conversation in the same workspace, because the one before it became too long. Asked before:]\n\
         > - mend the parser"
    );
    assert_eq!(blocks[1]["text"], TOO_LONG);
    let sessions: Vec<bool> = specs(&machine)
        .iter()
        .map(|spec| spec["arguments"].to_string().contains("--resume"))
        .collect();
    assert_eq!(sessions, [false, true, false]);
}

#[test]
fn findings_before_a_last_small_tool_are_part_of_the_answer() {
    let machine = Machine::new();
    let _bot = machine.start();
    let finding = "The bug is in the parser. It reads one byte too many when the file ends without a newline, so the \
                   last line is dropped. I mended that and added a test.";
    let said = |text: &str| {
        format!(
            r#"[[raw: {{"type":"assistant","parent_tool_use_id":null,"message":{{"role":"assistant","content":[{{"type":"text","text":"{text}"}}]}}}}]]"#
        )
    };
    machine.ada_says(&format!(
        "{} [[tool: Bash ls]] {} [[tool: Bash ls src]] [[say: All done.]]",
        said(finding),
        said("Now I will look at the sources.")
    ));
    let answer = machine.message_with("All done.");
    assert!(
        answer.text.starts_with(&format!("{finding}\n\nAll done.")),
        "{}",
        answer.text
    );
}

/// What claude was asked, run by run.
fn prompts(machine: &Machine) -> Vec<Value> {
    folders(machine)
        .iter()
        .flat_map(|run| {
            let events = fs::read_to_string(run.join("events.jsonl")).expect("events");
            let lines: Vec<Value> = events
                .lines()
                .filter_map(|line| serde_json::from_str(line).ok())
                .collect();
            let replayed = lines.into_iter().filter(|line| line["isReplay"] == true);
            replayed
                .map(|line| line["message"]["content"].clone())
                .collect::<Vec<_>>()
        })
        .collect()
}

fn specs(machine: &Machine) -> Vec<Value> {
    let read = |run: &std::path::PathBuf| fs::read(run.join("spec.json")).expect("a spec");
    folders(machine)
        .iter()
        .map(|run| serde_json::from_slice(&read(run)).expect("JSON"))
        .collect()
}

/// The runs' folders, oldest first: their names sort by time.
fn folders(machine: &Machine) -> Vec<std::path::PathBuf> {
    let runs = fs::read_dir(machine.data().join("runs")).expect("the runs");
    let mut folders: Vec<_> = runs.flatten().map(|run| run.path()).collect();
    folders.sort();
    folders
}
