//! The same with the real claude, which talks to a scripted model on loopback.
//!
//! `.ci/run` installs it and names it in `TELECODER_TEST_CLAUDE`. It runs with a clean environment, a home
//! of its own, and everything off that would go out to the network.

use std::path::PathBuf;

use rustix::process::Signal;

use crate::support::terminal::Terminal;

use crate::support::{Bot, Machine, model, processes};

const WHY: &str = "TELECODER_TEST_CLAUDE names the real claude; .ci/run sets it";

pub fn machine() -> Machine {
    let claude = PathBuf::from(std::env::var_os("TELECODER_TEST_CLAUDE").expect(WHY));
    let machine = Machine::new();
    let model = machine.runtime.block_on(model::start());
    machine
        .with("TELECODER_RUNTIME", claude.display().to_string())
        .with("ANTHROPIC_BASE_URL", model)
        .with("ANTHROPIC_API_KEY", "test-key")
        .with("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1")
        .with("CLAUDE_CODE_MAX_RETRIES", "2")
        .with("DISABLE_AUTOUPDATER", "1")
        .with("DISABLE_TELEMETRY", "1")
        .with("DISABLE_ERROR_REPORTING", "1")
}

pub fn start(machine: &Machine) -> Bot {
    let bot = machine.start();
    machine.until("claude is found", || {
        bot.log().contains("claude is there").then_some(())
    });
    bot
}

#[test]
#[ignore = "needs the real claude: .ci/run installs and runs it"]
fn real_claude_answers_and_the_conversation_goes_on_after_a_restart() {
    let machine = machine();
    let bot = start(&machine);
    machine.ada_says("hello, real one");
    // Not the live message, which has the words too.
    machine.until("the answer", || {
        let mut messages = machine.bot_messages().into_iter();
        let answer = messages.find(|message| message.text.starts_with("You said: hello, real one"));
        answer
            .filter(|answer| answer.text.contains("Done · "))
            .map(drop)
    });
    assert!(bot.terminate().success());
    let _bot = machine.start();
    machine.ada_says("[[recall]]");
    machine.message_with("Earlier: hello, real one");
    machine.until_quiet();
    assert_eq!(machine.loud_messages().len(), 2);
}

#[test]
#[ignore = "needs the real claude: .ci/run installs and runs it"]
fn real_claude_gets_the_prompt_to_the_byte() {
    let machine = machine();
    let _bot = start(&machine);
    for text in [
        "[[seen]]  --dash \"quotes\" 'and' `ticks` $HOME \\n",
        "   [[seen]] leading blanks\n\tand a tab  ",
        "[[seen]] 👩‍💻👍🏽 مرحبا 日本語",
    ] {
        machine.ada_says(text);
        let expected = serde_json::json!(text).to_string();
        machine.until(&format!("{expected} as it was seen"), || {
            machine
                .bot_messages()
                .into_iter()
                .find(|message| message.text.starts_with(&expected))
        });
    }
}

#[test]
#[ignore = "needs the real claude: .ci/run installs and runs it"]
fn real_claude_works_in_the_workspace() {
    let machine = machine();
    let _bot = start(&machine);
    machine.ada_says(
        r#"[[tool: Bash {"command":"echo made by claude > made.txt && pwd"}]] [[say: I made a file]]"#,
    );
    let answer = machine.message_with("I made a file");
    assert!(answer.text.contains("1 tool call"), "{}", answer.text);
    let workspaces = machine.data().join("workspaces");
    let workspace = std::fs::read_dir(workspaces)
        .expect("workspaces")
        .flatten()
        .next()
        .expect("there is one")
        .path();
    let made = std::fs::read_to_string(workspace.join("made.txt")).expect("it is there");
    assert_eq!(made, "made by claude\n");
    machine.until_quiet();
    machine.ada_says("/logs");
    machine.message_with("▸ Bash echo made by claude");
}

#[test]
#[ignore = "needs the real claude: .ci/run installs and runs it"]
fn what_the_real_claude_changed_is_measured_and_what_fails_goes_back_to_it() {
    let machine = machine().with("TELECODER_TEST_CMD", "sh ./check.sh");
    let _bot = start(&machine);
    let rest = "0 ignored; 0 measured; 0 filtered out";
    let check = format!(
        "test -e fixed && echo 'test result: ok. 2 passed; 0 failed; {rest}' && exit; \
         echo 'test result: FAILED. 1 passed; 1 failed; {rest}'; exit 1"
    );
    let write = format!("echo \"{check}\" > check.sh; echo x > made.txt");
    machine.ada_says(&format!(
        "[[tool: Bash {}]] [[tool: Bash {}]] [[say: Added the file. All tests pass.]]",
        serde_json::json!({"command": write}),
        serde_json::json!({"command": "sh ./check.sh"}),
    ));
    let red = machine.message_with("✗ Tests: 1 of 2 failed");
    assert!(
        red.text
            .contains("Claude's last “sh ./check.sh” failed, too (1 of 2)."),
        "{}",
        red.text
    );
    assert!(red.text.contains("+1 −0 made.txt"), "{}", red.text);
    machine.ada_presses(&red);
    machine.message_with("These checks fail in the workspace as it is now:");
    machine.nth_message_with("✗ Tests: 1 of 2 failed", 2);
    machine.ada_says(r#"[[tool: Bash {"command":"touch fixed"}]] [[say: done]]"#);
    machine.message_with("✓ Tests: 2 passed");
    machine.ada_says("/undo");
    machine.ada_presses(&machine.message_with("Undo takes the workspace back"));
    machine.message_with("Undone: ");
    machine.ada_says("[[say: still in the same conversation]]");
    machine.message_with("still in the same conversation");
}

#[test]
#[ignore = "needs the real claude: .ci/run installs and runs it"]
fn real_claude_is_stopped_with_everything_it_started() {
    let machine = machine();
    let _bot = start(&machine);
    machine.ada_says(r#"[[tool: Bash {"command":"/bin/sleep 23456"}]] [[say: never]]"#);
    machine.until("the command runs", || {
        processes::with_word("23456").first().copied()
    });
    machine.message_with("▸ Bash /bin/sleep 23456");
    machine.ada_says("/stop");
    machine.message_with("Stopped after ");
    assert_eq!(processes::with_word("23456"), [0; 0], "nobody is left");
    assert!(processes::keepers_of(machine.folder.path()).is_empty());
    machine.ada_says("[[say: alive and well]]");
    machine.message_with("alive and well");
}

#[test]
#[ignore = "needs the real claude: .ci/run installs and runs it"]
fn a_subagent_of_the_real_claude_in_the_background_is_shown_and_a_stop_says_that_it_ended_it() {
    let machine = machine();
    let _bot = start(&machine);
    machine.ada_says(
        r#"[[tool: Agent {"description":"List the sources","prompt":"⟦sleep: 60000⟧","subagent_type":"general-purpose","run_in_background":true}]] [[say: it is being looked at]]"#,
    );
    machine.message_with("still running in the background: List the sources");
    machine.message_with("In the background: List the sources");
    machine.ada_says("/stop");
    machine.message_with("Ended with it in the background: List the sources.");
    machine.until_quiet();
}

#[test]
#[ignore = "needs the real claude: .ci/run installs and runs it"]
fn a_run_of_the_real_claude_outlives_the_bot() {
    let machine = machine();
    let bot = start(&machine);
    machine.ada_says(r#"[[tool: Bash {"command":"sleep 4"}]] [[say: finished without the bot]]"#);
    machine.message_with("▸ Bash sleep 4");
    bot.kill();
    let _bot = machine.start();
    machine.message_with("finished without the bot");
    machine.until_quiet();
    assert_eq!(machine.loud_messages().len(), 1);
}

#[test]
#[ignore = "needs the real claude: .ci/run installs and runs it"]
fn a_lost_run_of_the_real_claude_goes_on_at_the_press_of_a_button() {
    let machine = machine();
    let _bot = start(&machine);
    machine.ada_says(
        r#"[[tool: Bash {"command":"echo half > half.txt; /bin/sleep 23457"}]] [[say: never]]"#,
    );
    machine.until("the command runs", || {
        processes::with_word("23457").first().copied()
    });
    machine.message_with("▸ Bash echo half");
    for keeper in processes::keepers_of(machine.folder.path()) {
        processes::signal(keeper, Signal::KILL);
    }
    let lost = machine.message_with("The run was lost");
    assert!(lost.text.contains("half.txt"), "{}", lost.text);
    assert_eq!(processes::with_word("23457"), [0; 0], "nobody is left");
    machine.ada_presses(&lost);
    machine.message_with("You said: Go on.");
    machine.ada_says("[[recall]]");
    let recalled = machine.message_with("Earlier: ");
    assert!(recalled.text.contains("echo half"), "{}", recalled.text);
}

#[test]
#[ignore = "needs the real claude: .ci/run installs and runs it"]
fn real_claude_that_is_killed_is_told_and_the_next_prompt_goes_on() {
    let machine = machine();
    let _bot = start(&machine);
    machine.ada_says(r#"[[tool: Bash {"command":"/bin/sleep 23458"}]] [[say: never]]"#);
    machine.until("the command runs", || {
        processes::with_word("23458").first().copied()
    });
    machine.message_with("▸ Bash /bin/sleep 23458");
    let keeper = processes::keepers_of(machine.folder.path())[0];
    let claude = processes::descendants_of(keeper)[0];
    processes::signal(claude, Signal::KILL);
    machine.message_with("it was killed (signal 9), perhaps because memory ran out");
    machine.until_quiet();
    assert_eq!(processes::with_word("23458"), [0; 0], "nobody is left");
    machine.ada_says("[[recall]]");
    let recalled = machine.message_with("Earlier: ");
    assert!(
        recalled.text.contains("/bin/sleep 23458"),
        "{}",
        recalled.text
    );
}

#[test]
#[ignore = "needs the real claude: .ci/run installs and runs it"]
fn real_claudes_own_commands_show_their_texts() {
    let machine = machine();
    let _bot = start(&machine);
    machine.ada_says("hello");
    machine.message_with("You said: hello");
    machine.ada_says("/context");
    machine.message_with("Context Usage");
    machine.ada_says("/nosuch thing");
    // Until 2.1.236 claude answers itself, from 2.1.280 on the model does.
    machine.until("an answer to a command that there is not", || {
        let answers = machine.bot_messages();
        let is_one = |text: &str| {
            text.starts_with("Unknown command: /nosuch")
                || text.starts_with("You said: /nosuch thing")
        };
        answers
            .iter()
            .any(|answer| is_one(&answer.text))
            .then_some(())
    });
    machine.ada_says("/clear");
    machine.message_with("The conversation was cleared");
    machine.ada_says("[[recall]]");
    let recalled = machine.message_with("Earlier: ");
    assert!(!recalled.text.contains("hello"), "{}", recalled.text);
}

#[test]
#[ignore = "needs the real claude: .ci/run installs and runs it"]
fn an_error_of_the_api_is_told_in_one_sentence() {
    let machine = machine();
    let _bot = start(&machine);
    machine.ada_says("[[error: 529]]");
    let message = machine.message_with("The API is overloaded, fails or cannot be reached.");
    assert!(!message.silent);
    machine.ada_says("/stop");
    machine.message_with("The next prompt here is tried immediately.");
    machine.ada_says("[[error: 401]]");
    machine.message_with("The API does not accept claude's login.");
    machine.ada_says("[[say: recovered]]");
    machine.message_with("recovered");
}

#[test]
#[ignore = "needs the real claude: .ci/run installs and runs it"]
fn a_real_claude_without_a_login_is_told_in_the_log_and_in_the_chat() {
    let machine = machine().without("ANTHROPIC_API_KEY");
    let bot = machine.start();
    machine.ada_says("hello");
    machine.message_with("Claude is not logged in on this machine");
    machine.until("the log says so", || {
        bot.log().contains("not logged in").then_some(())
    });
}

#[test]
#[ignore = "needs the real claude: .ci/run installs and runs it"]
fn a_conversation_that_the_real_claude_lost_is_told() {
    let machine = machine().with("TELECODER_WARM", "none");
    let _bot = start(&machine);
    machine.ada_says("hello");
    machine.message_with("You said: hello");
    machine.until_quiet();
    let home = PathBuf::from(&machine.environment["HOME"]);
    std::fs::remove_dir_all(home.join(".claude/projects")).expect("claude forgets");
    machine.ada_says("again");
    machine.message_with("Claude does not have this conversation any more");
    machine.ada_says("[[say: anew]]");
    machine.message_with("anew");
}

#[test]
#[ignore = "needs the real claude: .ci/run installs and runs it"]
fn the_turn_that_real_claude_makes_about_its_background_work_is_answered_too() {
    let machine = machine();
    let _bot = start(&machine);
    machine.ada_says(
        r#"[[tool: Bash {"command":"sleep 2; echo built","run_in_background":true}]] [[say: It is building]]"#,
    );
    machine.message_with("It is building");
    machine.until("a second answer", || {
        (machine.loud_messages().len() == 2).then_some(())
    });
    machine.until_quiet();
    let second = machine.loud_messages().pop().expect("there are two");
    assert!(second.text.contains("Done · "), "{}", second.text);
}

#[test]
#[ignore = "needs the real claude: .ci/run installs and runs it"]
fn a_person_takes_a_session_of_the_real_claude_over_in_a_terminal_and_the_chat_goes_on_from_there()
{
    // A claude that lives would write its own settings over the answers.
    let machine = machine().with("TELECODER_WARM", "none");
    let _bot = start(&machine);
    machine.ada_says("from the phone");
    machine.message_with("You said: from the phone");
    machine.until_quiet();
    let session: String = machine
        .database()
        .query_row("SELECT id FROM sessions", [], |row| row.get(0))
        .expect("there is one");
    answer_what_claude_asks_first(&machine, &session);
    let mut command = machine.telecoder(&["session", "attach", &session]);
    command.env("TERM", "xterm-256color");
    let mut terminal = Terminal::start(command);
    // It draws word by word. Whoever bypasses permissions at a terminal for the first time is asked.
    terminal.until("Yes,");
    terminal.types_keys("\x1b[B\r");
    terminal.until("bypass");
    terminal.types_keys("[[recall]]\r");
    // The conversation of the chat is there.
    terminal.until("Earlier:");
    terminal.until("phone");
    machine.message_with("is open in a terminal now");
    terminal.until_still();
    // The list of commands takes the first Enter before it is there.
    terminal.types_keys("/clear");
    terminal.until_still();
    terminal.types_keys("\r");
    terminal.until_still();
    terminal.types_keys("from the terminal\r");
    terminal.until("said:");
    terminal.until_still();
    terminal.types_keys("/exit");
    terminal.until_still();
    terminal.types_keys("\r");
    terminal.until("is handed back after");
    drop(terminal);
    let back = machine.message_with("was handed back by the terminal after");
    assert!(back.text.contains("• from the terminal"), "{}", back.text);
    machine.ada_says("[[recall]]");
    // /clear began another conversation: the chat goes on in that one.
    let earlier = machine.message_with("Earlier: ").text;
    assert!(earlier.contains("/ from the terminal"), "{earlier}");
    assert!(!earlier.contains("from the phone"), "{earlier}");
}

/// What claude asks a person when it is first started in a terminal is answered already: theme, key, trust.
fn answer_what_claude_asks_first(machine: &Machine, session: &str) {
    let file = PathBuf::from(&machine.environment["HOME"]).join(".claude.json");
    let now = std::fs::read_to_string(&file).unwrap_or_else(|_| "{}".to_owned());
    let mut answers: serde_json::Value = serde_json::from_str(&now).expect("JSON");
    let workspace = machine.data().join("workspaces").join(session);
    answers["hasCompletedOnboarding"] = true.into();
    answers["theme"] = "dark".into();
    answers["customApiKeyResponses"] =
        serde_json::json!({"approved": ["test-key"], "rejected": []});
    answers["projects"][workspace.display().to_string()]["hasTrustDialogAccepted"] = true.into();
    std::fs::write(file, answers.to_string()).expect("it is written");
}
