//! A person takes a session over in a terminal, and hands it back.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Stdio};

use rustix::process::Signal;
use serde_json::Value;

use crate::support::git::repository;
use crate::support::processes::{signal, wait_until_gone};
use crate::support::shell::{made, session_of};
use crate::support::{Machine, PATIENCE};

/// Somebody at a terminal with `session attach`.
struct Terminal {
    process: Child,
    shown: BufReader<std::process::ChildStdout>,
}

impl Terminal {
    fn attach(machine: &Machine, session: &str) -> Terminal {
        Terminal::try_attach(machine, session).expect("claude is there")
    }

    /// `None` when another terminal has it.
    fn try_attach(machine: &Machine, session: &str) -> Option<Terminal> {
        let mut process = machine
            .telecoder(&["session", "attach", session])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("telecoder starts");
        let shown = BufReader::new(process.stdout.take().expect("it is piped"));
        let mut terminal = Terminal { process, shown };
        terminal
            .line()
            .starts_with("at a terminal, in ")
            .then_some(terminal)
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.shown.read_line(&mut line).expect("a line");
        line.trim_end().to_owned()
    }

    /// Types a prompt and waits until claude has it.
    fn types(&mut self, prompt: &str) {
        let stdin = self.process.stdin.as_mut().expect("it is piped");
        writeln!(stdin, "{prompt}").expect("it reads");
        assert_eq!(self.line(), format!("You typed: {prompt}"));
    }

    fn leaves(mut self) -> String {
        drop(self.process.stdin.take());
        let mut said = String::new();
        let mut stderr = self.process.stderr.take().expect("it is piped");
        stderr.read_to_string(&mut said).expect("text");
        assert!(self.process.wait().expect("it ends").success(), "{said}");
        said
    }
}

#[test]
fn a_terminal_has_a_session_alone_and_the_chat_hears_what_happened_there() {
    let machine = Machine::new();
    let project = repository(machine.folder.path());
    let _bot = machine.start();
    machine.ada_says(&format!("/new {}", project.display()));
    machine.message_with("The worktree of ");
    machine.ada_says("hello");
    machine.message_with("You said: hello");
    machine.until_quiet();
    let session = session_of(&machine);
    let mut terminal = Terminal::attach(&machine, &session);
    machine.message_with(&format!("Session {session} is open in a terminal now."));
    machine.ada_says("from the phone");
    machine.ada_says("/status");
    machine.message_with("the session is open in a terminal");
    let (code, said) = machine.run_to_its_end(&["session", "attach", &session]);
    assert_eq!(code, Some(1));
    assert!(said.contains("open in another terminal already"), "{said}");
    terminal.types("write by-hand.txt");
    terminal.types("thank you");
    assert!(!machine.times_run().contains_key("from the phone"));
    let said = terminal.leaves();
    assert!(said.contains("1 file changed, +1 −0"), "{said}");
    let back = machine.message_with("was handed back by the terminal after");
    for part in [
        "Claude was asked 2 things there.",
        "• write by-hand.txt",
        "• thank you",
        "Since then 1 file changed, +1 −0",
        "The waiting prompt runs now.",
        "by-hand.txt",
    ] {
        assert!(back.text.contains(part), "{part}: {}", back.text);
    }
    machine.message_with("You said: from the phone");
    machine.until_quiet();
}

#[test]
fn the_chat_goes_on_in_the_conversation_that_the_terminal_had_last() {
    let machine = Machine::new();
    let _bot = machine.start();
    let session = made(&machine, &["--chat", "7"]);
    // Nothing was asked before: the terminal begins the conversation, and another one after /clear.
    let mut terminal = Terminal::attach(&machine, &session);
    terminal.types("in the first");
    let stdin = terminal.process.stdin.as_mut().expect("it is piped");
    writeln!(stdin, "/clear").expect("it reads");
    terminal.types("in the second");
    let record = machine
        .data()
        .join("attached")
        .join(format!("{session}.jsonl"));
    let last = std::fs::read_to_string(record).expect("a record");
    let last: Value =
        serde_json::from_str(last.trim_end().lines().last().expect("a line")).expect("JSON");
    terminal.leaves();
    machine.message_with("was handed back by the terminal after");
    machine.ada_says("[[argv]]");
    let argv = machine.message_with("\"--resume\"");
    let conversation = last["session_id"].as_str().expect("an id");
    assert!(argv.text.contains(conversation), "{}", argv.text);
}

#[test]
fn a_terminal_that_is_killed_gives_the_session_back_when_claude_has_gone_too() {
    let machine = Machine::new();
    let _bot = machine.start();
    let session = made(&machine, &["--chat", "7"]);
    let mut terminal = Terminal::attach(&machine, &session);
    terminal.types("before the end");
    signal(terminal.process.id(), Signal::KILL);
    assert!(wait_until_gone(terminal.process.id(), PATIENCE));
    machine.ada_says("from the phone");
    // claude lives on, and has the session.
    terminal.types("after the end");
    assert!(!machine.times_run().contains_key("from the phone"));
    drop(terminal.process.stdin.take());
    terminal.process.wait().expect("it is dead");
    let back = machine.message_with("was closed without handing it back");
    assert!(
        back.text.contains("Claude was asked 2 things there."),
        "{}",
        back.text
    );
    machine.message_with("You said: from the phone");
}

#[test]
fn a_session_in_which_a_run_goes_on_is_not_taken_over_unless_that_is_wanted() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[sleep: 60000]]");
    machine.message_with("Working · ");
    let session = session_of(&machine);
    let (code, said) = machine.run_to_its_end(&["session", "attach", &session]);
    assert_eq!(code, Some(1));
    assert!(said.contains("a run is going on in session"), "{said}");
    let (code, _) = machine.run_to_its_end(&["session", "attach", &session, "--stop"]);
    assert_eq!(code, Some(0));
    machine.message_with("Stopped after");
    machine.message_with("Claude was asked nothing there.");
}

#[test]
fn what_a_killed_terminal_left_is_told_before_another_one_begins() {
    let machine = Machine::new();
    let bot = machine.start();
    let session = made(&machine, &["--chat", "7"]);
    let mut terminal = Terminal::attach(&machine, &session);
    terminal.types("asked in the first terminal");
    // Nobody is there to take the session back.
    bot.kill();
    signal(terminal.process.id(), Signal::KILL);
    assert!(wait_until_gone(terminal.process.id(), PATIENCE));
    drop(terminal.process.stdin.take());
    terminal.process.wait().expect("it is dead");
    let conversation = conversation_of(&machine, &session);
    let mut second = machine.until("claude has gone too", || {
        Terminal::try_attach(&machine, &session)
    });
    second.types("asked in the second");
    second.leaves();
    let _bot = machine.start();
    let left = machine.message_with("was closed without handing it back");
    assert!(
        left.text.contains("• asked in the first terminal"),
        "{}",
        left.text
    );
    machine.message_with("• asked in the second");
    // The second terminal went on in the conversation of the first.
    assert_eq!(conversation_of(&machine, &session), conversation);
}

#[test]
fn a_session_is_handed_back_though_something_that_claude_started_goes_on() {
    let machine = Machine::new();
    let _bot = machine.start();
    let session = made(&machine, &["--chat", "7"]);
    let mut terminal = Terminal::attach(&machine, &session);
    terminal.types("leave a server running");
    terminal.leaves();
    machine.message_with("was handed back by the terminal after");
    let second = Terminal::attach(&machine, &session);
    second.leaves();
}

#[test]
fn the_bot_is_started_again_while_a_terminal_has_a_session() {
    let machine = Machine::new();
    let bot = machine.start();
    let session = made(&machine, &["--chat", "7"]);
    let terminal = Terminal::attach(&machine, &session);
    machine.ada_says("before the restart");
    machine.until_quiet_but_for_runs();
    bot.kill();
    let _bot = machine.start();
    machine.ada_says("/status");
    machine.message_with("Waiting: 1 prompt");
    assert!(machine.times_run().is_empty());
    terminal.leaves();
    machine.message_with("You said: before the restart");
}

#[test]
fn checks_wait_for_the_terminal_and_a_prompt_from_the_shell_says_that_it_does() {
    let machine = Machine::new().with("TELECODER_TEST_CMD", "echo '3 passed'");
    let _bot = machine.start();
    let session = made(&machine, &["--chat", "7"]);
    let terminal = Terminal::attach(&machine, &session);
    machine.ada_says("/verify");
    let mut run = machine
        .telecoder(&["session", "run", &session, "from the shell"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("telecoder starts");
    let stderr = run.stderr.take().expect("it is piped");
    let told = BufReader::new(stderr).lines().next().expect("a line");
    assert!(told.expect("text").contains("open in a terminal"));
    assert!(
        machine
            .bot_messages()
            .iter()
            .all(|message| !message.text.contains("3 passed"))
    );
    terminal.leaves();
    machine.message_with("3 passed");
    assert!(run.wait().expect("it ends").success());
}

#[test]
fn an_undo_that_was_asked_before_a_terminal_came_takes_nothing_of_what_is_done_there() {
    let machine = Machine::new();
    let project = repository(machine.folder.path());
    let _bot = machine.start();
    machine.ada_says(&format!("/new {}", project.display()));
    machine.message_with("The worktree of ");
    machine.ada_says("[[bash: echo x > by-the-run.txt]] [[say: one]]");
    machine.message_with("1 file changed");
    machine.until_quiet();
    machine.ada_says("/undo");
    let question = machine.message_with("Undo takes the workspace back");
    let session = session_of(&machine);
    let mut terminal = Terminal::attach(&machine, &session);
    terminal.types("write by-hand.txt");
    terminal.leaves();
    machine.message_with("was handed back by the terminal");
    machine.ada_presses(&question);
    machine.until_toast("The workspace has changed since.");
    // Asked anew, the question names it.
    machine.ada_says("/undo");
    let question = machine.message_with("by-hand.txt\n+1 −0 by-the-run.txt");
    machine.ada_presses(&question);
    machine.message_with("You can take the undo back");
    machine.until_quiet();
    let workspace = machine.data().join("workspaces").join(&session);
    assert!(!workspace.join("by-hand.txt").exists());
}

/// What the next run's `--resume` would go on with, as far as the record of the terminal says.
fn conversation_of(machine: &Machine, session: &str) -> String {
    let record = machine
        .data()
        .join("attached")
        .join(format!("{session}.jsonl"));
    let record = std::fs::read_to_string(record).expect("a record");
    let last = record.trim_end().lines().last().expect("a line").to_owned();
    let last: Value = serde_json::from_str(&last).expect("JSON");
    last["session_id"].as_str().expect("an id").to_owned()
}
