//! What people write while the real claude works reaches it, once.

use rustix::process::Signal;

use crate::real_claude::{machine, start};
use crate::support::processes;

#[test]
#[ignore = "needs the real claude: .ci/run installs and runs it"]
fn what_is_written_while_the_real_claude_runs_a_tool_steers_it() {
    let machine = machine();
    let _bot = start(&machine);
    let first = machine.ada_says(r#"[[tool: Bash {"command":"sleep 6"}]] [[say: never]]"#);
    machine.message_with("▸ Bash sleep 6");
    machine.ada_says("[[say: steered]] use tabs");
    let answer = machine.message_with("steered");
    assert_eq!(answer.reply_to, Some(first.into()));
    assert!(answer.text.contains(" · 2 messages"), "{}", answer.text);
    machine.until_quiet();
    assert_eq!(machine.rows("SELECT count(*) FROM runs"), [1]);
    assert_eq!(machine.loud_messages().len(), 1);
    assert_eq!(
        machine.rows("SELECT steered FROM prompts ORDER BY rowid"),
        [0, 1]
    );
}

#[test]
#[ignore = "needs the real claude: .ci/run installs and runs it"]
fn what_is_written_while_the_real_claude_writes_its_answer_is_its_next_turn() {
    let machine = machine();
    let _bot = start(&machine);
    machine.ada_says("[[words: 60 100]] [[say: the first answer]]");
    machine.message_with("word 3");
    let second = machine.ada_says("[[say: the second answer]]");
    machine.message_with("the first answer");
    let answer = machine.message_with("the second answer");
    assert_eq!(answer.reply_to, Some(second.into()));
    machine.until_quiet();
    assert_eq!(machine.rows("SELECT count(*) FROM runs"), [1]);
    assert_eq!(
        machine.rows("SELECT steered FROM prompts ORDER BY rowid"),
        [0, 0]
    );
}

#[test]
#[ignore = "needs the real claude: .ci/run installs and runs it"]
fn three_messages_at_once_reach_the_real_claude_in_their_order() {
    let machine = machine();
    let _bot = start(&machine);
    machine.ada_says(r#"[[tool: Bash {"command":"sleep 6"}]] [[say: never]]"#);
    machine.message_with("▸ Bash sleep 6");
    for text in ["first wish", "second wish", "[[recall]] third wish"] {
        machine.ada_says(text);
    }
    let answer = machine.message_with("second wish").text;
    let at = |wish: &str| {
        answer
            .find(wish)
            .unwrap_or_else(|| panic!("{wish}: {answer}"))
    };
    assert!(at("first wish") < at("second wish"), "{answer}");
    machine.until_quiet();
    assert_eq!(
        machine.rows("SELECT count(*) FROM prompts WHERE taken_up_at IS NULL"),
        [0]
    );
    assert_eq!(machine.rows("SELECT count(*) FROM runs"), [1]);
}

#[test]
#[ignore = "needs the real claude: .ci/run installs and runs it"]
fn what_the_real_claude_had_on_its_input_when_it_was_killed_runs_next_and_once() {
    let machine = machine();
    let _bot = start(&machine);
    machine.ada_says(r#"[[tool: Bash {"command":"/bin/sleep 23459"}]] [[say: never]]"#);
    machine.message_with("▸ Bash /bin/sleep 23459");
    machine.ada_says("[[say: after the kill]]");
    machine.until("it is handed over", || {
        (machine.rows("SELECT count(*) FROM prompts WHERE handed_to IS NOT NULL") == [1])
            .then_some(())
    });
    for keeper in processes::keepers_of(machine.folder.path()) {
        for claude in processes::descendants_of(keeper) {
            processes::signal(claude, Signal::KILL);
        }
        processes::signal(keeper, Signal::KILL);
    }
    machine.message_with("The run was lost");
    machine.message_with("after the kill");
    machine.until_quiet();
    let answers = machine.bot_messages();
    let answers = answers
        .iter()
        .filter(|message| message.text.contains("after the kill"));
    assert_eq!(answers.count(), 1);
}

#[test]
#[ignore = "needs the real claude: .ci/run installs and runs it"]
fn a_message_that_the_real_claude_has_not_read_can_be_taken_back() {
    let machine = machine();
    let _bot = start(&machine);
    machine.ada_says(r#"[[tool: Bash {"command":"sleep 7"}]] [[say: not steered]]"#);
    machine.message_with("▸ Bash sleep 7");
    machine.ada_says("[[say: unwanted]]");
    machine.until("it is handed over", || {
        (machine.rows("SELECT count(*) FROM prompts WHERE handed_to IS NOT NULL") == [1])
            .then_some(())
    });
    machine.ada_says("/queue");
    let list = machine.message_with("claude has it, and reads it at its next step");
    machine.ada_presses(&list);
    machine.until_toast("Taking it back from claude.");
    machine.message_with("not steered");
    machine.until_quiet();
    assert!(
        !machine
            .bot_messages()
            .iter()
            .any(|message| message.text.starts_with("unwanted"))
    );
}
