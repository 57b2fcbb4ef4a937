//! A disk that does not answer: a dead network mount, a disk that spins no more. Nobody waits for it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::git::repository;
use crate::support::{ADA, BOT, Machine, TEAM};

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
