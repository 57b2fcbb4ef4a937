//! The bot dies between two steps of sending a file; each file still arrives, at most twice.

use crate::files_out::files;
use crate::support::{ADA, Machine};

fn names(machine: &Machine) -> Vec<String> {
    let files = files(machine)
        .into_iter()
        .filter_map(|message| message.file);
    files.map(|(name, _)| name).collect()
}

/// Two files are handed over, with a bot that dies at this point; the names that arrive.
fn arrived(points: &str) -> Vec<String> {
    let machine = Machine::new();
    let mut bot = machine.start_failing_at(points);
    machine.ada_says(
        "[[bash: cd $TELECODER_OUTBOX; echo 1 > one; echo 2 > two]] [[say: handed over]]",
    );
    assert!(!bot.wait_for_its_end().success());
    let _bot = machine.start();
    machine.until("both are there", || {
        let names = names(&machine);
        (names.contains(&"one".into()) && names.contains(&"two".into())).then_some(())
    });
    machine.ada_says("after");
    machine.message_with("You said: after");
    machine.until_quiet();
    names(&machine)
}

#[test]
fn a_bot_that_dies_before_files_are_written_down_sends_each_once() {
    for point in ["run-ended", "files-moved", "files-taken", "files-written"] {
        assert_eq!(
            arrived(&format!("{point}=1*return")),
            ["one", "two"],
            "{point}"
        );
    }
}

#[test]
fn a_bot_that_dies_while_it_sends_a_file_sends_it_once_more_at_most() {
    // The answer is the first.
    assert_eq!(arrived("outbox-taken=1*off->1*return"), ["one", "two"]);
    assert_eq!(
        arrived("outbox-sent=1*off->1*return"),
        ["one", "one", "two"]
    );
}

#[test]
fn a_bot_that_dies_with_a_question_about_a_secret_asks_it_once() {
    let machine = Machine::new();
    let mut bot = machine.start_failing_at("files-taken=1*return");
    machine.ada_says("[[bash: echo 1 > $TELECODER_OUTBOX/.env]]");
    bot.wait_for_its_end();
    let _bot = machine.start();
    let question = machine.message_with("Claude also handed over .env");
    machine.until_quiet();
    let asked = machine.bot_messages();
    let asked = asked
        .iter()
        .filter(|message| message.text.contains("handed over .env"));
    assert_eq!(asked.count(), 1);
    machine.api.press(ADA, &question, &question.buttons[0].1);
    machine.until("it comes", || (names(&machine) == [".env"]).then_some(()));
}
