//! `telecoder session` in a shell, while the bot runs.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use rustix::process::Signal;
use serde_json::Value;
use telecoder::domain::id::ChatId;

use crate::support::git::{git, repository};
use crate::support::processes::signal;
use crate::support::shell::{made, session_of, shell};
use crate::support::terminal::Terminal;
use crate::support::{CHAT, GRACE, Machine, TEAM};

#[test]
fn sessions_are_listed_and_shown_with_what_was_measured() {
    let machine = Machine::new().with("TELECODER_TEST_CMD", "echo '2 passed, 1 failed'; exit 1");
    let project = repository(machine.folder.path());
    let _bot = machine.start();
    machine.ada_says(&format!("/new {}", project.display()));
    machine.message_with("The worktree of ");
    machine.ada_says("[[bash: echo x > x]] [[say: one]]");
    machine.message_with("✗ Tests: 1 of 3 failed");
    let (code, listed) = shell(&machine, &["session", "list"]);
    assert_eq!(code, Some(0));
    assert!(listed.contains("ready"), "{listed}");
    assert!(listed.contains(&project.display().to_string()), "{listed}");
    let session = session_of(&machine);
    let (code, shown) = shell(&machine, &["session", "inspect", &session]);
    assert_eq!(code, Some(0));
    for part in [
        "Chat        7",
        "completed, $",
        "> [[bash: echo x > x]] [[say: one]]",
        "✗ Tests: 1 of 3 failed",
        "1 file changed, +1 −0",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let (_, json) = shell(&machine, &["session", "inspect", &session, "--json"]);
    let json: Value = serde_json::from_str(&json).expect("JSON");
    let run = &json["last_runs"][0];
    assert_eq!(run["prompts"][0], "[[bash: echo x > x]] [[say: one]]");
    assert_eq!(
        (&run["state"], &run["outcome"]),
        (&"ended".into(), &"completed".into())
    );
    assert_eq!(run["run"], json["verifications"][0]["run"]);
    let check = &json["verifications"][0]["evidence"]["checks"][0];
    assert_eq!(check["kind"], "tests");
    assert_eq!(check["counts"]["failed"], 1);
    assert_eq!(
        (&check["ended"], &check["exit_code"]),
        (&"failed".into(), &1.into())
    );
    let (code, _) = shell(&machine, &["session", "inspect", "nonsense"]);
    assert_eq!(code, Some(2), "nothing was done");
}

#[test]
fn checks_can_be_set_and_run_from_a_terminal_and_the_chat_hears_of_it() {
    let machine = Machine::new();
    let bot = machine.start();
    machine.ada_says("hello");
    machine.message_with("You said: hello");
    machine.until_quiet();
    let session = session_of(&machine);
    let (code, shown) = shell(
        &machine,
        &[
            "session",
            "verify",
            &session,
            "--test-cmd",
            "echo '9 passed'",
            "--lint-cmd",
            "",
        ],
    );
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("✓ Tests: 9 passed"), "{shown}");
    machine.message_with("✓ Tests: 9 passed");
    let (code, shown) = shell(
        &machine,
        &["session", "verify", &session, "--test-cmd", "false"],
    );
    assert_eq!(code, Some(1), "{shown}");
    bot.kill();
    let (code, said) = machine.run_to_its_end(&[
        "session",
        "verify",
        &session,
        "--test-cmd",
        "echo '8 passed'",
    ]);
    assert_eq!(code, Some(4));
    assert!(
        said.contains("no bot is at work here. It is written down"),
        "{said}"
    );
    let _bot = machine.start();
    machine.message_with("✓ Tests: 8 passed");
}

#[test]
fn where_nothing_has_run_yet_the_shell_says_so() {
    let machine = Machine::new();
    let output = machine
        .telecoder(&["session", "list"])
        .output()
        .expect("telecoder starts");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("there is no database at"), "{said}");
}

#[test]
fn a_session_is_made_and_run_in_the_shell_and_no_chat_hears_of_it() {
    let machine = Machine::new();
    let project = repository(machine.folder.path());
    let _bot = machine.start();
    // From within the repository, as people name it there.
    let session = made(&machine, &["project", "--branch", "from-the-shell"]);
    assert_eq!(
        git(&project, &["branch", "--list", "from-the-shell"]),
        "+ from-the-shell"
    );
    let (code, answer) = shell(
        &machine,
        &[
            "session",
            "run",
            &session,
            "[[bash: echo x > x]] [[say: done it]]",
        ],
    );
    assert_eq!(code, Some(0), "{answer}");
    assert!(answer.starts_with("done it\n"), "{answer}");
    assert!(answer.contains("1 file changed, +1 −0"), "{answer}");
    let (_, json) = shell(
        &machine,
        &["session", "run", &session, "[[argv]]", "--json"],
    );
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["outcome"], "completed");
    let argv = json["answers"][0].as_str().expect("an answer");
    assert!(
        argv.contains("--resume"),
        "the conversation goes on: {argv}"
    );
    let (_, log) = shell(&machine, &["session", "logs", &session, "-n", "3"]);
    assert!(log.ends_with("— done\n"), "{log}");
    assert!(machine.bot_messages().is_empty());
    assert!(
        machine
            .api
            .calls()
            .iter()
            .all(|call| call.arguments["chat_id"] != 0),
        "nothing is sent to nobody"
    );
}

#[test]
fn a_prompt_comes_from_standard_input_to_the_byte() {
    let machine = Machine::new();
    let _bot = machine.start();
    let session = made(&machine, &[]);
    let mut run = machine
        .telecoder(&["session", "run", &session])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("telecoder starts");
    let prompt = "  two\nlines\twith “quotes”\n";
    run.stdin
        .take()
        .expect("its input")
        .write_all(prompt.as_bytes())
        .expect("it reads");
    assert!(run.wait().expect("it ends").success());
    assert_eq!(machine.times_run().get(prompt), Some(&1));
}

#[test]
fn what_was_begun_in_the_shell_is_followed_from_the_chat() {
    let machine = Machine::new();
    let _bot = machine.start();
    let session = made(&machine, &[]);
    let (code, _) = shell(
        &machine,
        &[
            "session",
            "run",
            &session,
            "[[sleep: 3000]] [[say: from the shell]]",
            "--no-wait",
        ],
    );
    assert_eq!(code, Some(0));
    machine.ada_says("/sessions");
    let list = machine.message_with("made in a shell");
    machine.ada_presses(&list);
    machine.message_with("The run there shows here from now on.");
    let live = machine.message_with("Working · ");
    assert_eq!(live.chat, CHAT.0);
    machine.message_with("from the shell");
    machine.ada_says("and on from here");
    machine.message_with("You said: and on from here");
}

#[test]
fn a_prompt_in_the_shell_for_a_chats_session_is_told_and_answered_there_too() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("hello");
    machine.message_with("You said: hello");
    machine.until_quiet();
    let session = session_of(&machine);
    let (code, answer) = shell(&machine, &["session", "run", &session, "from my desk"]);
    assert_eq!((code, answer.trim()), (Some(0), "You said: from my desk"));
    machine.message_with(&format!(
        "From the shell, in session {session}: “from my desk”"
    ));
    machine.message_with("You said: from my desk");
}

#[test]
fn a_run_is_stopped_from_the_shell() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[sleep: 60000]]");
    machine.message_with("Working · ");
    machine.ada_says("second");
    machine.ada_says("/status");
    machine.message_with("Waiting: 1 prompt");
    let session = session_of(&machine);
    let (code, said) = shell(&machine, &["session", "stop", &session]);
    assert_eq!(code, Some(0));
    assert!(said.starts_with("Stopped."), "{said}");
    machine.message_with("Stopped after");
    machine.message_with("You said: second");
    machine.until_quiet();
    let (_, said) = shell(&machine, &["session", "stop", &session]);
    assert!(said.starts_with("Nothing is running in session"), "{said}");
}

#[test]
fn a_chat_goes_on_in_a_session_that_the_shell_names() {
    let machine = Machine::new();
    let _bot = machine.start();
    let session = made(&machine, &[]);
    let (code, said) = machine.run_to_its_end(&["session", "resume", &session]);
    assert_eq!(code, Some(2));
    assert!(said.contains("belongs to no chat yet"), "{said}");
    let (code, _) = shell(&machine, &["session", "resume", &session, "--chat", "7"]);
    assert_eq!(code, Some(0));
    machine.message_with(&format!("This chat is now in session {session}"));
    let direct = made(&machine, &["--chat", "7"]);
    machine.message_with(&format!("was made for this chat in the shell: {direct}"));
    machine.ada_says("/sessions");
    let list = machine.message_with("Sessions, the newest first:");
    assert!(
        list.text
            .contains(&format!("{direct}, empty workspace, main, current")),
        "{}",
        list.text
    );
}

#[test]
fn logs_go_on_run_after_run_until_somebody_has_enough() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[say: the first]]");
    machine.message_with("the first");
    machine.until_quiet();
    let session = session_of(&machine);
    let mut logs = machine
        .telecoder(&["session", "logs", &session, "-f"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("telecoder starts");
    let mut lines = BufReader::new(logs.stdout.take().expect("it is piped")).lines();
    let mut until = |wanted: &str| {
        let found = lines.any(|line| line.expect("a line") == wanted);
        assert!(found, "{wanted}");
    };
    until("the first");
    machine.ada_says("[[say: the second]]");
    until("— the next run");
    until("the second");
    signal(logs.id(), Signal::INT);
    logs.wait().expect("it ends");
}

#[test]
fn without_a_bot_a_prompt_is_written_down_and_run_when_there_is_one() {
    let machine = Machine::new();
    let bot = machine.start();
    let session = made(&machine, &["--chat", "7"]);
    bot.kill();
    let (code, said) = machine.run_to_its_end(&["session", "run", &session, "for later"]);
    assert_eq!(code, Some(4));
    assert!(said.contains("no bot is at work here"), "{said}");
    let _bot = machine.start();
    machine.message_with("You said: for later");
}

#[test]
fn a_workspace_that_cannot_be_made_is_told_in_the_shell() {
    let machine = Machine::new();
    let _bot = machine.start();
    let nowhere = format!("file://{}/nowhere", machine.folder.path().display());
    let (code, said) = machine.run_to_its_end(&["session", "create", &nowhere]);
    assert_eq!(code, Some(1));
    assert!(said.contains("could not be cloned"), "{said}");
    let (code, said) = machine.run_to_its_end(&["session", "create", "nonsense"]);
    assert_eq!(code, Some(2), "nothing was done");
    assert!(
        said.contains("nonsense") && said.contains("is no URL"),
        "{said}"
    );
}

#[test]
fn what_is_being_made_or_measured_is_stopped_from_the_shell_too() {
    let machine = Machine::new().with("TELECODER_TEST_CMD", "sleep 600");
    let _bot = machine.start();
    machine.ada_says("[[bash: echo x > x]] [[say: one]]");
    machine.message_with("Checking");
    let session = session_of(&machine);
    let (code, said) = shell(&machine, &["session", "stop", &session]);
    assert_eq!((code, said.trim()), (Some(0), "Stopped: the checks"));
    machine.until_quiet();
}

#[test]
fn a_session_is_given_to_a_chat_that_may_use_the_bot_and_to_no_other() {
    let machine = Machine::new();
    let _bot = machine.start();
    let (code, said) = machine.run_to_its_end(&["session", "create", "--chat", "666"]);
    assert_eq!(code, Some(2));
    assert!(
        said.contains("nobody in chat 666 may use this bot"),
        "{said}"
    );
    let session = made(&machine, &["--chat", "-100500", "--topic", "5"]);
    let told = machine.message_with(&format!("was made for this chat in the shell: {session}"));
    assert_eq!((told.chat, told.thread), (TEAM.0, Some(5)));
}

#[test]
fn a_session_of_the_shell_is_the_owners_and_nobody_elses() {
    let machine = Machine::new().with("TELECODER_TG_ALLOWED_USERS", "7,8");
    let _bot = machine.start();
    let session = made(&machine, &[]);
    machine
        .api
        .say(ChatId(8), GRACE, &format!("/resume {session}"));
    machine.message_with(&format!("There is no session {session}"));
    machine.ada_says(&format!("/resume {session}"));
    machine.message_with(&format!("This chat is now in session {session}"));
}

#[test]
fn without_a_bot_a_program_hears_what_was_written_down() {
    let machine = Machine::new();
    machine.start().kill();
    let (code, said) = shell(&machine, &["session", "create", "--json"]);
    assert_eq!(code, Some(4));
    let made: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(made["branch"], Value::Null);
    let session = made["session"].as_str().expect("a name").to_owned();
    let _bot = machine.start();
    machine.until("the workspace is made", || {
        let (_, shown) = shell(&machine, &["session", "inspect", &session, "--json"]);
        let shown: Value = serde_json::from_str(&shown).expect("JSON");
        (shown["state"] == "ready").then_some(())
    });
}

#[test]
fn the_help_names_every_field_that_programs_get() {
    let machine = Machine::new().with("TELECODER_TEST_CMD", "echo '1 passed'");
    let _bot = machine.start();
    let session = made(&machine, &[]);
    let prompt = "[[bash: echo x > x]] [[say: one]]";
    let ran = ["session", "run", &session, prompt, "--json"];
    let listed = ["session", "list", "--json"];
    let inspected = ["session", "inspect", &session, "--json"];
    let help_of_list = shell(&machine, &["session", "list", "--help"]).1;
    for (verb, arguments) in [
        ("run", &ran[..]),
        ("list", &listed),
        ("inspect", &inspected),
    ] {
        let (code, shown) = shell(&machine, arguments);
        assert_eq!(code, Some(0), "{shown}");
        let shown: Value = serde_json::from_str(&shown).expect("JSON");
        let first = shown.get(0).unwrap_or(&shown);
        let mut help = shell(&machine, &["session", verb, "--help"]).1;
        if verb == "inspect" {
            help.push_str(&help_of_list);
        }
        let is_named = |field: &str| {
            help.lines()
                .any(|line| line.split_whitespace().next() == Some(field))
        };
        for field in first.as_object().expect("an object").keys() {
            assert!(is_named(field), "{verb}: {field} in {help}");
        }
    }
}

#[test]
fn a_prompt_may_begin_with_a_hyphen() {
    let machine = Machine::new();
    let _bot = machine.start();
    let session = made(&machine, &[]);
    let (code, answer) = shell(&machine, &["session", "run", &session, "--what is this?"]);
    assert_eq!(
        (code, answer.trim()),
        (Some(0), "You said: --what is this?")
    );
}

#[test]
fn a_database_of_the_version_before_is_explained_by_the_shell_and_taken_up_by_the_bot() {
    let machine = Machine::new();
    let bot = machine.start();
    machine.ada_says("before");
    machine.message_with("You said: before");
    machine.until_quiet();
    assert!(bot.terminate().success());
    let as_it_was = "DROP INDEX runs_open; CREATE INDEX runs_open ON runs (chat_id, thread_id, seq) WHERE state <> 'ended';
        DROP INDEX runs_of_process; DROP INDEX prompts_handed;
        DROP TABLE menus; DROP TABLE told_of_topics; DROP TABLE question_messages; DROP TABLE session_grants; DROP TABLE questions; DROP TABLE attachments; DROP TABLE prompt_messages; DROP TABLE holds;
        ALTER TABLE prompts DROP COLUMN pieces; ALTER TABLE prompts DROP COLUMN handed_to;
        ALTER TABLE prompts DROP COLUMN taken_up_at; ALTER TABLE prompts DROP COLUMN steered;
        ALTER TABLE prompts DROP COLUMN answer_row; ALTER TABLE prompts DROP COLUMN edited;
        ALTER TABLE runs DROP COLUMN gathers_until; ALTER TABLE runs DROP COLUMN gathering;
        DROP TABLE album_parts;
        ALTER TABLE chat_settings DROP COLUMN permission_mode; ALTER TABLE chat_settings DROP COLUMN model;
        ALTER TABLE chat_settings DROP COLUMN effort; ALTER TABLE chat_settings DROP COLUMN holds_back;
        ALTER TABLE outbox DROP COLUMN edits; DROP INDEX sent_parts_of_message; DROP TABLE login; ALTER TABLE runs DROP COLUMN tries;
        ALTER TABLE runs RENAME COLUMN deeds TO claims; ALTER TABLE sessions DROP COLUMN setup_cmd; ALTER TABLE sessions DROP COLUMN reported_model; ALTER TABLE sessions DROP COLUMN reported_mode;
        DROP TABLE processes; ALTER TABLE runs DROP COLUMN process_id; ALTER TABLE runs DROP COLUMN events_from;
        ALTER TABLE runs DROP COLUMN events_to; ALTER TABLE runs DROP COLUMN cost_before;
        DROP TABLE calls; DROP TABLE occurrences; DROP TABLE routines; ALTER TABLE runs DROP COLUMN files_job; DROP TABLE page_keys; DROP TABLE closed_chats; ALTER TABLE people DROP COLUMN is_named;
        DROP INDEX runs_begun; DROP INDEX runs_live; DROP INDEX runs_of_answer;
        DROP INDEX updates_set_aside; DROP INDEX outbox_tells; DROP INDEX jobs_of_session; DROP INDEX jobs_live;
        DROP INDEX verifications_of_run; DROP INDEX sessions_of_place; DROP INDEX sessions_new;
        DROP INDEX sessions_attached;
        PRAGMA user_version = 5;";
    machine.database().execute_batch(as_it_was).expect("SQL");
    let (code, said) = machine.run_to_its_end(&["session", "list"]);
    assert_eq!(code, Some(1));
    assert!(said.contains("it is of an older telecoder;"), "{said}");
    let _bot = machine.start();
    machine.ada_says("after");
    machine.message_with("You said: after");
    let (code, _) = shell(&machine, &["session", "list"]);
    assert_eq!(code, Some(0));
}

#[test]
fn an_answer_cannot_steer_the_terminal_and_is_as_it_is_in_a_pipe() {
    let machine = Machine::new();
    let _bot = machine.start();
    let session = made(&machine, &[]);
    let answer = "before \u{1b}[2J\u{1b}]0;title\u{7}\u{202e}after";
    let prompt = format!("[[say: {answer}]]");
    let run = ["session", "run", &session, &prompt, "--quiet"];
    let (_, piped) = shell(&machine, &run);
    assert!(piped.starts_with(answer), "{piped:?}");
    let (status, shown) = Terminal::start(machine.telecoder(&run)).end();
    assert!(status.success(), "{shown:?}");
    assert!(shown.contains("before after"), "{shown:?}");
    assert!(
        !shown.contains(['\u{1b}', '\u{7}', '\u{202e}']),
        "{shown:?}"
    );
}

#[test]
fn a_reader_that_has_enough_ends_a_listing_without_a_word() {
    let machine = Machine::new();
    let _bot = machine.start();
    made(&machine, &[]);
    let telecoder = env!("CARGO_BIN_EXE_telecoder");
    let mut command = machine.telecoder(&[]);
    command = {
        let mut shell = std::process::Command::new("sh");
        let listing = format!("{telecoder} session list | true; {telecoder} config view | true");
        shell.args(["-c", &listing]).env_clear();
        shell.envs(
            command
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        shell.current_dir(machine.folder.path());
        shell
    };
    let output = command.output().expect("a shell");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
