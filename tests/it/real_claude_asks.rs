//! What the real claude asks, and what it makes of the answers.

use std::path::PathBuf;

use telecoder::domain::id::ChatId;

use crate::real_claude::{machine, start};
use crate::support::{ADA, GRACE, Machine};

fn in_workspace(machine: &Machine, file: &str) -> PathBuf {
    let mut workspaces = std::fs::read_dir(machine.data().join("workspaces")).expect("workspaces");
    let first = workspaces.next().expect("there is one");
    first.expect("it can be read").path().join(file)
}

#[test]
#[ignore = "needs the real claude: .ci/run installs and runs it"]
fn the_real_claude_asks_the_bot_is_killed_and_a_press_after_its_restart_lets_the_tool_run() {
    let machine = machine().with("TELECODER_PERMISSION_MODE", "default");
    let bot = start(&machine);
    machine.ada_says(r#"[[tool: Bash {"command":"touch made.txt"}]] [[say: made it]]"#);
    let question = machine.message_with_button(
        "Claude wants to run this command:",
        "Allow for this session",
    );
    assert!(
        question.text.contains("touch made.txt"),
        "{}",
        question.text
    );
    machine.until_known_to_have_arrived(&question);
    bot.kill();
    let _bot = machine.start();
    assert!(!in_workspace(&machine, "made.txt").exists());
    machine.press(ADA, &question, "Allow for this session");
    machine.message_with("made it");
    assert!(in_workspace(&machine, "made.txt").exists());
    machine.until_quiet();
    assert!(
        machine
            .now(&question)
            .text
            .contains("✓ Allowed for this session")
    );
    // Another process of the same session does not ask again.
    machine.ada_says(r#"[[tool: Bash {"command":"touch made.txt"}]] [[say: made it again]]"#);
    machine.message_with("made it again");
    machine.ada_says(r#"[[tool: Bash {"command":"rm made.txt"}]] [[results]]"#);
    let second = machine.message_with_button("rm made.txt", "Deny and say why");
    machine.press(ADA, &second, "Deny and say why");
    let why = machine.message_with("Reply to this message with the reason");
    machine.reply(ADA, &why, "I still need it");
    let results = machine.message_with("Results: ").text;
    assert!(results.contains("I still need it"), "{results}");
    assert!(in_workspace(&machine, "made.txt").exists());
}

#[test]
#[ignore = "needs the real claude: .ci/run installs and runs it"]
fn two_parallel_questions_of_the_real_claude_are_answered_in_the_other_order() {
    let machine = machine().with("TELECODER_PERMISSION_MODE", "default");
    let outside = machine.folder.path().join("outside");
    std::fs::create_dir(&outside).expect("a folder");
    for name in ["one", "two"] {
        std::fs::write(outside.join(name), format!("this is {name}")).expect("a file");
    }
    let read = |name: &str| format!(r#"Read {{"file_path":"{}"}}"#, outside.join(name).display());
    let _bot = start(&machine);
    machine.ada_says(&format!(
        "[[tool+: {}]] [[tool: {}]] [[results]]",
        read("one"),
        read("two")
    ));
    let question = |part: &str| machine.message_with_button(part, "Deny");
    let (one, two) = (question("outside/one"), question("outside/two"));
    machine.press(ADA, &two, "Allow once");
    machine.until("the second is answered", || {
        machine
            .now(&two)
            .text
            .contains("✓ Allowed once")
            .then_some(())
    });
    machine.press(ADA, &one, "Deny");
    let results = machine.message_with("Results: ").text;
    assert!(results.contains("this is two"), "{results}");
    assert!(!results.contains("this is one"), "{results}");
    assert!(
        results.contains("The user did not allow this."),
        "{results}"
    );
}

#[test]
#[ignore = "needs the real claude: .ci/run installs and runs it"]
fn a_plan_of_the_real_claude_is_sent_back_with_a_wish_and_then_approved() {
    let machine = machine();
    let _bot = start(&machine);
    machine.ada_says("/mode plan");
    machine.message_with("Mode: plan");
    machine.ada_says(
        r##"[[tool: Write {"file_path":"$PLAN_FILE","content":"# First\n\n1. One step"}]] [[tool: ExitPlanMode {"plan":"# First\n\n1. One step"}]] [[results]] [[tool: Write {"file_path":"$PLAN_FILE","content":"# Second\n\n1. One\n2. Two"}]] [[tool: ExitPlanMode {"plan":"# Second\n\n1. One\n2. Two"}]] [[tool: Bash {"command":"touch planned.txt"}]] [[say: carried out]]"##,
    );
    let first = machine.message_with_button("asks whether to carry it out", "Keep planning");
    machine.press(ADA, &first, "Keep planning");
    let wish = machine.message_with("Reply to this message with what the plan should be instead");
    machine.reply(ADA, &wish, "two steps, please");
    machine.message_with("Second");
    let second = machine.nth_message_with("asks whether to carry it out", 2);
    machine.press(ADA, &second, "Approve, accept edits");
    machine.message_with("carried out");
    assert!(in_workspace(&machine, "planned.txt").exists());
    machine.ada_says("/logs 40");
    machine.message_with("two steps, please");
}

#[test]
#[ignore = "needs the real claude: .ci/run installs and runs it"]
fn what_the_real_claude_wants_to_know_is_chosen_by_buttons() {
    let machine = machine();
    let _bot = start(&machine);
    machine.ada_says(
        r#"[[tool: AskUserQuestion {"questions":[{"question":"Which database?","header":"Database","multiSelect":false,"options":[{"label":"SQLite","description":"A file"},{"label":"Postgres","description":"A server"}]},{"question":"Which extras?","header":"Extras","multiSelect":true,"options":[{"label":"Auth","description":"Login"},{"label":"CI","description":"Checks"}]}]}]] [[results]]"#,
    );
    let extras = machine.message_with_button("Which extras?", "☐ Auth");
    let database = machine.message_with_button("Which database?", "Postgres");
    machine.press(ADA, &extras, "☐ Auth");
    machine.press(ADA, &extras, "☐ CI");
    machine.press(ADA, &extras, "Done");
    machine.press(ADA, &database, "Postgres");
    let results = machine.message_with("Results: ").text;
    assert!(results.contains("Postgres"), "{results}");
    assert!(results.contains("Auth, CI"), "{results}");
}

#[test]
#[ignore = "needs the real claude: .ci/run installs and runs it"]
fn the_mode_of_the_real_claude_changes_while_it_runs() {
    let machine = machine().with("TELECODER_PERMISSION_MODE", "default");
    let _bot = start(&machine);
    machine.ada_says(
        r#"[[tool: Bash {"command":"touch one.txt"}]] [[tool: Bash {"command":"npm -v > two.txt"}]] [[say: both]]"#,
    );
    let question = machine.message_with_button("Claude wants to run this command:", "Allow once");
    machine.ada_says("/mode bypassPermissions");
    machine.message_with("The current run is told");
    machine.press(ADA, &question, "Allow once");
    machine.message_with("both");
    assert!(in_workspace(&machine, "two.txt").exists());
    assert_eq!(machine.rows("SELECT count(*) FROM questions"), [1]);
    machine.ada_says("/model haiku");
    machine.message_with("Model: haiku");
    machine.ada_says("[[say: by another model]]");
    machine.message_with("by another model");
    machine.ada_says("/logs 5");
    machine.message_with("haiku");
    machine.ada_says("/model off");
    machine.message_with("Model: the one that claude chooses");
    machine.ada_says("[[say: by its own choice]]");
    machine.message_with("by its own choice");
    machine.ada_says("/logs 4");
    machine.until("another model", || {
        let logs = machine.bot_messages().pop()?;
        (logs.text.contains("— turn, ") && !logs.text.contains("haiku")).then_some(())
    });
}

#[test]
#[ignore = "needs the real claude: .ci/run installs and runs it"]
fn a_question_of_the_real_claude_keeps_no_other_chat_from_working() {
    let machine = machine()
        .with("TELECODER_PERMISSION_MODE", "default")
        .with("TELECODER_MAX_RUNS", "1")
        .with("TELECODER_TG_ALLOWED_USERS", "7,8");
    let _bot = start(&machine);
    machine.ada_says(
        r#"[[tool: Bash {"command":"touch asked","description":"Make a file"}]] [[say: made it]]"#,
    );
    let question = machine.message_with_button("touch asked", "Allow once");
    machine.api.say(ChatId(8), GRACE, "hello");
    machine.message_with("You said: hello");
    machine.press(ADA, &question, "Allow once");
    machine.message_with("made it");
    machine.until_quiet();
}
