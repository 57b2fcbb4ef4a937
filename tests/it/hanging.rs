//! A disk that does not answer: a dead network mount, a disk that spins no more. Nobody waits for it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::git::repository;
use crate::support::{ADA, BOT, GRACE, Machine, TEAM};

/// A machine whose paths hang where a test says so.
struct Hanging {
    machine: Machine,
    file: PathBuf,
}

impl Hanging {
    fn new() -> Hanging {
        // A claude that lives on would be followed in the folder that hangs.
        let machine = Machine::cold();
        let folder = machine.folder.path();
        let library = folder.join("hanging.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/hanging.c");
        let made = Command::new("cc")
            .args(["-shared", "-fPIC", "-o"])
            .args([&library, &source])
            .arg("-ldl")
            .status();
        assert!(made.expect("a C compiler").success());
        let file = folder.join("hanging");
        let machine = machine
            .with("LD_PRELOAD", library.display().to_string())
            .with("HANGING", file.display().to_string());
        Hanging { machine, file }
    }

    /// From now on nothing below the path answers.
    fn hang(&self, path: &Path) {
        std::fs::write(&self.file, path.display().to_string()).expect("a file");
    }

    fn answer_again(&self) {
        std::fs::remove_file(&self.file).expect("it is there");
    }
}

#[test]
fn a_folder_that_does_not_answer_holds_up_neither_its_chat_nor_a_restart() {
    let hanging = Hanging::new();
    let machine = &hanging.machine;
    let place = machine.folder.path().join("far");
    std::fs::create_dir(&place).expect("a folder");
    let project = repository(&place);
    let bot = machine.start();
    machine.ada_says(&format!("/new {}", project.display()));
    machine.message_with("The worktree of ");
    machine.until_quiet();

    hanging.hang(&place);
    machine.ada_says(&format!("/new {}", place.join("elsewhere").display()));
    machine.ada_says("/whoami");
    machine.message_with("does not answer");
    machine.message_with("Your user id");
    // Where the chat is already.
    machine.ada_says("/new");
    machine.nth_message_with("does not answer", 2);
    // Nobody else waits.
    machine.api.say(TEAM, ADA, &format!("/whoami@{BOT}"));
    machine.nth_message_with("Your user id", 2);

    machine.ada_says(&format!("/new {}", place.join("restart").display()));
    bot.kill();
    let _bot = machine.start();
    machine.message_with("far/restart does not answer");
    hanging.answer_again();
    machine.ada_says(&format!("/new {}", project.display()));
    machine.nth_message_with("The worktree of ", 2);
}

#[test]
fn no_command_that_reads_waits_for_a_disk_that_does_not_answer() {
    let hanging = Hanging::new();
    let machine = &hanging.machine;
    let _bot = machine.start();
    machine.ada_says("hello");
    machine.message_with("You said: hello");
    machine.until_quiet();
    hanging.hang(&machine.data().join("runs"));
    for (number, command) in ["/logs", "/raw"].into_iter().enumerate() {
        machine.ada_says(command);
        machine.nth_message_with("does not answer", number + 1);
    }
    hanging.hang(&machine.data().join("workspaces"));
    machine.ada_says("/checks");
    machine.message_with("No checks");
    hanging.answer_again();
    machine.ada_says("/logs");
    machine.message_with("The last run:");
}

#[test]
fn who_is_removed_while_a_disk_is_looked_at_gets_no_session() {
    let hanging = Hanging::new();
    let machine = &hanging.machine;
    let place = machine.folder.path().join("far");
    std::fs::create_dir(&place).expect("a folder");
    let project = repository(&place);
    let _bot = machine.start();
    let invited =
        "INSERT INTO people (user_id, name, invited_by, joined_at) VALUES (8, 'Grace', 7, 1)";
    machine
        .database()
        .execute(invited, [])
        .expect("Grace is let in");
    hanging.hang(&place);
    machine
        .api
        .say(TEAM, GRACE, &format!("/new {}", project.display()));
    machine.ada_says("/people");
    let list = machine.message_with("Who may use this bot:");
    machine.ada_presses(&list);
    machine.message_with("may not use this bot any more");
    hanging.answer_again();
    machine.until_quiet();
    assert_eq!(machine.rows("SELECT count(*) FROM sessions"), [0]);
}

#[test]
fn no_command_waits_for_a_workspace_that_does_not_answer() {
    let hanging = Hanging::new();
    let machine = &hanging.machine;
    let project = repository(machine.folder.path());
    let _bot = machine.start();
    machine.ada_says(&format!("/new {}", project.display()));
    machine.message_with("The worktree of ");
    machine.ada_says("[[bash: echo 1 > one.txt]] [[say: written]]");
    machine.message_with("written");
    machine.until_quiet();
    hanging.hang(&machine.data().join("workspaces"));
    let commands = [
        "/new",
        "/new . feature",
        "/checks",
        "/status",
        "/sessions",
        "/queue",
        "/logs",
        "/raw",
        "/get one.txt",
        "/diff",
        "/undo",
        "/push",
        "/verify",
    ];
    for (number, command) in commands.into_iter().enumerate() {
        machine.ada_says(command);
        // Whatever it comes to, the next message is heard.
        machine.ada_says("/whoami");
        machine.nth_message_with("Your user id", number + 1);
    }
    // Nobody else waits.
    machine.api.say(TEAM, ADA, &format!("/whoami@{BOT}"));
    machine.until("the group is answered", || {
        machine
            .bot_messages()
            .iter()
            .any(|message| message.chat == TEAM.0 && message.text.contains("Your user id"))
            .then_some(())
    });
    hanging.answer_again();
}

#[test]
fn no_command_of_the_shell_waits_for_a_workspace_that_does_not_answer() {
    let hanging = Hanging::new();
    let machine = &hanging.machine;
    let project = repository(machine.folder.path());
    let bot = machine.start();
    machine.ada_says(&format!("/new {}", project.display()));
    machine.message_with("The worktree of ");
    machine.ada_says("[[bash: echo 1 > one.txt]] [[say: written]]");
    machine.message_with("written");
    machine.until_quiet();
    let name: String = machine
        .database()
        .query_row("SELECT id FROM sessions", [], |row| row.get(0))
        .expect("a session");
    drop(bot);
    hanging.hang(&machine.data().join("workspaces"));
    for arguments in [
        &["session", "list"][..],
        &["session", "inspect", &name],
        &["session", "stop", &name],
        &["session", "delete", &name],
        &["doctor"],
    ] {
        let mut command = machine.telecoder(arguments);
        let mut process = command
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("it starts");
        let ended = machine.until(&format!("the end of {arguments:?}"), || {
            process.try_wait().expect("a process of ours")
        });
        println!("{arguments:?}: {ended}");
    }
    hanging.answer_again();
}
