//! What programs meet in the shell: times that every language reads, exit codes as the help has them, output that
//! cannot be written.

use std::fs::OpenOptions;
use std::process::Stdio;

use jiff::Timestamp;
use regex::Regex;
use serde_json::Value;

use crate::support::Machine;
use crate::support::git::repository;
use crate::support::shell::{made, session_of, shell};

/// The times in it, by the names of their fields.
fn times(value: &Value, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                match value {
                    Value::String(time) if name == "at" || name.ends_with("_at") => {
                        found.push((name.clone(), time.clone()));
                    }
                    value => times(value, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| times(value, found)),
        _ => {}
    }
}

#[test]
fn every_time_is_one_that_each_language_can_read() {
    let strict = Regex::new(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z$")
        .expect("a pattern");
    let machine = Machine::new().with("TELECODER_TEST_CMD", "echo '1 passed'");
    let _bot = machine.start();
    let session = made(&machine, &[]);
    let prompt = "[[bash: echo x > x]] [[say: one]]";
    let ran = ["session", "run", &session, prompt, "--json"];
    let inspected = ["session", "inspect", &session, "--json"];
    for (arguments, wanted) in [
        (&ran[..], &["ended_at", "started_at"][..]),
        (&inspected, &["ended_at", "started_at", "at"]),
        (&["doctor", "--json"], &["at"]),
    ] {
        let (_, json) = shell(&machine, arguments);
        let mut found = Vec::new();
        times(&serde_json::from_str(&json).expect("JSON"), &mut found);
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, wanted, "{json}");
        for (_, time) in found {
            assert!(strict.is_match(&time), "{time}");
            time.parse::<Timestamp>().expect("a time");
        }
    }
}

#[test]
fn a_session_of_the_shell_has_no_topic_and_one_without_a_run_an_empty_list() {
    let machine = Machine::new();
    let _bot = machine.start();
    let session = made(&machine, &[]);
    let (_, json) = shell(&machine, &["session", "inspect", &session, "--json"]);
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["topic"], Value::Null);
    assert_eq!(json["verifications"], serde_json::json!([]));
}

#[test]
fn an_argument_that_is_wrong_has_a_code_of_its_own_and_nothing_is_done() {
    let machine = Machine::new();
    let _bot = machine.start();
    for arguments in [
        &["session", "create", "/nonexistent"][..],
        &["session", "create", "nonsense", "--no-wait"],
        &["session", "run", "nope", "hello"],
        &["session", "run", "nope", "hello", "--no-wait"],
        &["session", "verify", "nope"],
        &["session", "inspect", "nope"],
        &["session", "resume", "nope"],
    ] {
        let (code, said) = machine.run_to_its_end(arguments);
        assert_eq!(code, Some(2), "{arguments:?}: {said}");
    }
    let (_, listed) = shell(&machine, &["session", "list", "--json"]);
    assert_eq!(listed.trim(), "[]");
}

#[test]
fn whoever_does_not_wait_gets_an_object_and_hears_whether_a_bot_is_there() {
    let machine = Machine::new();
    let bot = machine.start();
    let session = made(&machine, &[]);
    let run = ["session", "run", &session, "hello", "--no-wait", "--json"];
    let object = |said: &str| -> Value { serde_json::from_str(said).expect("JSON") };
    let (code, said) = shell(&machine, &run);
    assert_eq!(
        (code, &object(&said)["session"]),
        (Some(0), &session.as_str().into())
    );
    assert!(object(&said)["run"].is_string(), "{said}");
    let create = ["session", "create", "--no-wait", "--json"];
    let (code, said) = shell(&machine, &create);
    assert_eq!(code, Some(0), "{said}");
    machine.until_quiet();
    bot.kill();
    for arguments in [
        &run[..],
        &create,
        &["session", "run", &session, "x", "--json"],
    ] {
        let (code, said) = shell(&machine, arguments);
        assert_eq!(code, Some(4), "{arguments:?}: {said}");
        assert!(object(&said)["session"].is_string(), "{said}");
    }
}

#[test]
fn the_help_says_which_exit_codes_there_are() {
    let machine = Machine::new();
    for verb in ["create", "run", "verify"] {
        let help = shell(&machine, &["session", verb, "--help"]).1;
        let codes = help.split_once("Exit code: ").expect("the codes").1;
        for code in ["0 if", "1 if", "2 if", "4 if"] {
            assert!(codes.replace('\n', " ").contains(code), "{verb}: {codes}");
        }
    }
}

#[test]
fn output_that_cannot_be_written_is_a_failure_with_a_sentence() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("hello");
    machine.message_with("You said: hello");
    machine.until_quiet();
    let session = session_of(&machine);
    for arguments in [
        &["config", "view"][..],
        &["config", "view", "--json"],
        &["session", "list"],
        &["session", "inspect", &session, "--json"],
        &["session", "logs", &session],
        &["session", "logs", &session, "--follow"],
        &["session", "run", &session, "one", "--quiet"],
        &["session", "create"],
        &["completions", "bash"],
        &["man"],
    ] {
        let full = OpenOptions::new().write(true).open("/dev/full");
        let output = machine
            .telecoder(arguments)
            .stdin(Stdio::null())
            .stdout(full.expect("it is there"))
            .output()
            .expect("telecoder starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        let sentence = "telecoder: not all of the output could be printed: No space left on device";
        assert_eq!(said.matches(sentence).count(), 1, "{arguments:?}: {said}");
    }
    let made = shell(&machine, &["session", "list", "--json"]).1;
    let made: Value = serde_json::from_str(&made).expect("JSON");
    assert_eq!(
        made.as_array().map(Vec::len),
        Some(2),
        "it is done all the same"
    );
}

#[test]
fn a_command_without_a_stdout_or_with_a_full_stderr_does_its_work() {
    let machine = Machine::new();
    let project = repository(machine.folder.path());
    machine.start().kill();
    let telecoder = env!("CARGO_BIN_EXE_telecoder");
    let create = format!("{telecoder} session create --no-wait {}", project.display());
    for (to, code) in [(">&-", 4), ("2>/dev/full", 4), (">&- 2>&-", 4)] {
        let mut command = std::process::Command::new("sh");
        command.args(["-c", &format!("{create} {to}")]).env_clear();
        command.envs(&machine.environment);
        let status = command
            .current_dir(machine.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .expect("a shell");
        assert_eq!(status.code(), Some(code), "{to}");
    }
}
