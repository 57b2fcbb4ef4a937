//! The commands: help, status, logs.

use crate::support::Machine;

#[test]
fn start_and_help_say_what_this_is() {
    let machine = Machine::new();
    let _bot = machine.start();
    for word in ["/start", "/help", "/help@test_coder_bot"] {
        machine.ada_says(word);
    }
    let help = machine.nth_message_with("goes unchanged to claude", 3);
    for command in ["/new", "/status", "/logs", "/stop"] {
        assert!(help.text.contains(command), "{command} in {}", help.text);
    }
    assert!(help.silent);
}

#[test]
fn status_answers_at_once_while_a_run_goes_on_and_others_wait() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[sleep: 60000]]");
    machine.message_with("Working · ");
    machine.ada_says("second");
    machine.ada_says("third");
    machine.ada_says("/status");
    let status = machine.message_with("Session ");
    assert!(status.text.contains("Running: for "), "{}", status.text);
    assert!(
        status.text.contains("Waiting: 2 prompts"),
        "{}",
        status.text
    );
    assert!(status.text.contains("Repository: none"), "{}", status.text);
}

#[test]
fn status_tells_how_the_last_run_ended_and_what_the_session_cost() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("/status");
    machine.message_with("No session yet");
    machine.ada_says("hello");
    machine.message_with("You said: hello");
    machine.until_quiet();
    machine.ada_says("/status");
    let status = machine.message_with("Session so far");
    assert!(status.text.contains("Running: nothing"), "{}", status.text);
    assert!(status.text.contains("Last: done after "), "{}", status.text);
    assert!(status.text.contains("1 run, $0.01"), "{}", status.text);
    assert!(status.text.contains("Branch: main"), "{}", status.text);
}

#[test]
fn status_says_how_claude_works_in_its_own_words_and_not_what_was_asked_for() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("/effort high");
    machine.message_with("Effort: high");
    // What a claude says that has fallen back to another mode.
    machine.ada_says(
        r#"[[raw: {"type":"system","subtype":"init","session_id":"s","model":"claude-other-5","permissionMode":"default","cwd":"/"}]] [[sleep: 60000]]"#,
    );
    machine.until("it is known", || {
        let known = machine.rows("SELECT count(*) FROM sessions WHERE reported_mode = 'default'");
        (known == [1]).then_some(())
    });
    machine.ada_says("/status");
    let status = machine.message_with("Running: for ");
    let line = "Claude: claude-other-5, mode manual, effort high\n";
    assert!(status.text.contains(line), "{}", status.text);
}

#[test]
fn logs_are_readable_and_come_as_a_file_when_long() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("/logs");
    machine.message_with("Nothing has run in this chat yet");
    machine.ada_says("[[tool: Bash cargo test]] [[say: all green]]");
    machine.message_with("all green");
    machine.until_quiet();
    machine.ada_says("/logs");
    let logs = machine.message_with("The last run:");
    assert!(logs.text.contains("▸ Bash cargo test"), "{}", logs.text);
    assert!(logs.text.contains("all green"), "{}", logs.text);
    machine.ada_says("/logs 2");
    machine.message_with("The last 2 lines of the last run:");

    machine.ada_says("[[tools: 400]]");
    machine.nth_message_with("400 tool calls", 1);
    machine.until_quiet();
    machine.ada_says("/logs 500");
    let long = machine.until("a file", || {
        machine
            .bot_messages()
            .into_iter()
            .find(|message| message.file.is_some())
    });
    let (name, content) = long.file.expect("it has one");
    assert_eq!(name, "run.log");
    assert!(String::from_utf8_lossy(&content).contains("▸ Bash echo 399"));
}

#[test]
fn a_command_with_words_that_make_no_sense_says_how_it_goes() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("/logs many");
    machine.message_with("Usage: /logs [n]");
    machine.ada_says("/new one two three");
    machine.message_with("/new [repo-url | path | name | -] [branch]");
}
