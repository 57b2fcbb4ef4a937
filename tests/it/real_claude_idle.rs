//! When the real claude has nothing to do, and when it only says nothing for a while.

use std::path::PathBuf;

use crate::real_claude::{machine, start};
use crate::support::Machine;

/// The machine's claude has this command as a hook of each prompt.
fn with_hook(machine: &Machine, command: &str) {
    let folder = PathBuf::from(&machine.environment["HOME"]).join(".claude");
    std::fs::create_dir_all(&folder).expect("a folder");
    let hooks = serde_json::json!({"hooks": {"UserPromptSubmit": [
        {"hooks": [{"type": "command", "command": command}]}]}});
    std::fs::write(folder.join("settings.json"), hooks.to_string()).expect("settings");
}

#[test]
#[ignore = "needs the real claude: .ci/run installs and runs it"]
fn a_hook_that_takes_long_before_a_later_prompt_of_the_real_claude_does_not_cost_the_prompt() {
    let machine = machine();
    with_hook(&machine, "test -e ~/second && sleep 13; touch ~/second");
    let _bot = start(&machine);
    machine.ada_says("[[words: 40 100]] [[say: the first answer]]");
    machine.message_with("word 3");
    machine.ada_says("[[say: the second answer]]");
    machine.message_with("the first answer");
    machine.message_with("the second answer");
    machine.until_quiet();
    assert_eq!(machine.loud_messages().len(), 2);
}

#[test]
#[ignore = "needs the real claude: .ci/run installs and runs it"]
fn the_real_claude_may_compact_its_conversation_for_as_long_as_it_likes_behind_a_run() {
    let machine = machine();
    let _bot = start(&machine);
    for number in 0..4 {
        machine.ada_says(&format!("[[slow summary: 13000]] prompt {number}"));
        machine.nth_message_with("Noted.", number + 1);
        machine.until_quiet();
    }
    machine.ada_says("[[words: 40 100]] [[say: the answer]]");
    machine.message_with("word 3");
    machine.ada_says("/compact");
    machine.message_with("the answer");
    machine.message_with("The conversation was compacted");
    machine.until_quiet();
    assert_eq!(
        machine.loud_messages().len(),
        6,
        "{:#?}",
        machine.loud_messages()
    );
    assert_eq!(
        machine.rows("SELECT count(*) FROM runs WHERE started_at IS NOT NULL"),
        [5]
    );
}

#[test]
#[ignore = "needs the real claude: .ci/run installs and runs it"]
fn the_next_prompt_goes_to_the_real_claude_that_is_warm() {
    let machine = machine();
    let _bot = start(&machine);
    machine.ada_says("the first");
    machine.message_with("You said: the first");
    machine.until_quiet();
    machine.ada_says("[[recall]]");
    machine.message_with("Earlier: the first");
    machine.until_quiet();
    assert_eq!(
        machine.rows("SELECT count(DISTINCT coalesce(process_id, id)) FROM runs"),
        [1],
        "one claude"
    );
    assert_eq!(machine.rows("SELECT count(*) FROM runs"), [2]);
}

#[test]
#[ignore = "needs the real claude: .ci/run installs and runs it"]
fn a_server_that_the_real_claude_leaves_in_the_background_keeps_no_run_from_ending() {
    let machine = machine();
    let _bot = start(&machine);
    machine.ada_says(
        r#"[[tool: Bash {"command":"tail -f /dev/null","description":"Dev server","run_in_background":true}]] [[say: it is up]]"#,
    );
    machine.message_with("still running in the background: Dev server. /stop ends it.");
    machine.until_quiet();
    machine.ada_says("and you?");
    machine.message_with("You said: and you?");
    machine.until_quiet();
    machine.ada_says("/status");
    machine.message_with("In the background: Dev server; /stop ends it");
    assert_eq!(
        machine.rows("SELECT count(DISTINCT coalesce(process_id, id)) FROM runs"),
        [1],
        "one claude"
    );
    machine.ada_says("/stop");
    machine.message_with("Ended in the background: Dev server.");
}
