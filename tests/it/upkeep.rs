//! What is kept, what is forgotten, and how a backup is made and restored.

use std::os::unix::fs::PermissionsExt;

use crate::support::git::git;
use crate::support::{Machine, processes};

fn records(machine: &Machine) -> usize {
    std::fs::read_dir(machine.data().join("runs"))
        .expect("the runs")
        .count()
}

#[test]
fn old_run_records_go_and_the_newest_one_and_every_workspace_stay() {
    let machine = Machine::cold().with("TELECODER_KEEP_RUNS", "2");
    let bot = machine.start();
    for number in 1..=5 {
        machine.ada_says(&format!("prompt {number}"));
        machine.message_with(&format!("You said: prompt {number}"));
    }
    machine.until_quiet();
    assert_eq!(records(&machine), 5);
    bot.kill();
    let bot = machine.start();
    machine.until_log(&bot, "the records of old runs were removed removed=3");
    assert_eq!(records(&machine), 2);
    machine.ada_says("/logs");
    machine.message_with("You said: prompt 5");
    machine.ada_says("[[recall]]");
    machine.message_with("Earlier prompts: prompt 1");
    bot.kill();

    // However few are to be kept: the newest of a chat is what /logs shows.
    let machine = machine.with("TELECODER_KEEP_RUNS", "0");
    let bot = machine.start();
    machine.until_log(&bot, "the records of old runs were removed");
    assert_eq!(records(&machine), 1);
}

#[test]
fn snapshots_and_the_output_of_checks_go_with_the_records_of_their_runs() {
    let machine = Machine::cold()
        .with("TELECODER_KEEP_RUNS", "2")
        .with("TELECODER_TEST_CMD", "echo checked");
    let bot = machine.start();
    for number in 1..=4 {
        machine.ada_says(&format!(
            "[[bash: echo {number} > file]] [[say: made {number}]]"
        ));
        machine.nth_message_with("✓ Tests", number);
    }
    machine.until_quiet();
    let kept = std::fs::read_dir(machine.data().join("snapshots"))
        .expect("a folder")
        .flatten()
        .next()
        .expect("those of the workspace")
        .path();
    let snapshots = || {
        git(&kept, &["for-each-ref", "refs/telecoder/"])
            .lines()
            .count()
    };
    let outputs = || {
        std::fs::read_dir(machine.data().join("checks"))
            .expect("a folder")
            .count()
    };
    assert_eq!((snapshots(), outputs()), (4, 4));
    bot.kill();
    let _bot = machine.start();
    machine.until("the old ones are gone", || {
        ((snapshots(), outputs()) == (2, 2)).then_some(())
    });
    assert_eq!(machine.rows("SELECT count(*) FROM verifications"), [4]);
}

#[test]
fn a_backup_is_made_beside_a_bot_at_work_and_brings_everything_back() {
    let machine = Machine::new();
    let bot = machine.start();
    machine.ada_says("before the backup");
    machine.message_with("You said: before the backup");
    machine.until_quiet();
    let file = machine.folder.path().join("telecoder.backup");
    let made = machine
        .telecoder(&["backup", &file.display().to_string()])
        .output()
        .expect("telecoder starts");
    assert!(made.status.success(), "{made:?}");
    assert!(String::from_utf8_lossy(&made.stdout).contains("docs/RELIABILITY.md"));
    let mode = std::fs::metadata(&file)
        .expect("a file")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    machine.ada_says("after the backup");
    machine.message_with("You said: after the backup");
    machine.until_quiet();
    bot.terminate();

    // As docs/RELIABILITY.md says.
    let database = machine.data().join("telecoder.db");
    for beside in ["telecoder.db", "telecoder.db-wal", "telecoder.db-shm"] {
        std::fs::remove_file(machine.data().join(beside)).ok();
    }
    std::fs::copy(&file, &database).expect("it is copied");
    let _bot = machine.start();
    machine.ada_says("[[recall]]");
    machine.message_with("Earlier prompts: before the backup");
    machine.until_quiet();
    let times = machine.times_run();
    assert_eq!(times.get("before the backup"), Some(&1));
    assert_eq!(times.get("after the backup"), Some(&1), "not run again");
}

#[test]
fn what_was_under_way_when_a_backup_was_made_does_not_run_again_after_a_restore() {
    let machine = Machine::new();
    machine.holds_messages_back();
    let bot = machine.start();
    machine.ada_says("[[sleep: 3000]] [[say: finished]]");
    machine.message_with("Working · ");
    machine.ada_says("what waits");
    machine.until("it waits", || {
        (machine.rows("SELECT count(*) FROM runs WHERE state = 'queued'") == [1]).then_some(())
    });
    let file = machine.folder.path().join("telecoder.backup");
    let (code, stderr) = machine.run_to_its_end(&["backup", &file.display().to_string()]);
    assert_eq!(code, Some(0), "{stderr}");
    machine.message_with("You said: what waits");
    machine.until_quiet();
    bot.terminate();
    for beside in ["telecoder.db", "telecoder.db-wal", "telecoder.db-shm"] {
        std::fs::remove_file(machine.data().join(beside)).ok();
    }
    std::fs::copy(&file, machine.data().join("telecoder.db")).expect("it is copied");
    let _bot = machine.start();
    machine.until_quiet();
    machine.ada_says("/status");
    machine.message_with("Late, waiting for your decision: 1 prompt");
    assert_eq!(machine.times_run().get("what waits"), Some(&1));
    assert_eq!(machine.times_run().len(), 2);
}

#[test]
fn a_backup_that_cannot_be_made_says_why_and_leaves_nothing() {
    let machine = Machine::new();
    machine.start().kill();
    let there = machine.folder.path().join("there");
    std::fs::write(&there, "mine").expect("a file");
    let (code, stderr) = machine.run_to_its_end(&["backup", &there.display().to_string()]);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("is there already"), "{stderr}");
    assert_eq!(std::fs::read_to_string(&there).expect("a file"), "mine");

    let nowhere = machine.folder.path().join("no/such/folder");
    let (code, stderr) = machine.run_to_its_end(&["backup", &nowhere.display().to_string()]);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("cannot be written"), "{stderr}");

    let machine = Machine::new();
    let (code, stderr) = machine.run_to_its_end(&["backup", "x"]);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("there is no database at"), "{stderr}");
    assert!(!machine.folder.path().join("x").exists());
}

#[test]
fn what_a_run_asked_to_keep_goes_on_and_is_told() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says(
        "[[bash: TELECODER_KEEP=1 setsid nohup sleep 31003 >/dev/null 2>&1 & setsid nohup sleep 31004 \
         >/dev/null 2>&1 & sleep 0.2]] [[say: started two]]",
    );
    machine.message_with("started two");
    let told = machine.message_with("The run had left one process behind; it was ended.");
    assert!(
        told.text
            .contains("One process keeps running, because it was started"),
        "{}",
        told.text
    );
    assert!(told.silent);
    let kept = processes::with_word("31003");
    assert_eq!(kept.len(), 1);
    assert_eq!(processes::with_word("31004"), [0; 0]);
    processes::signal(kept[0], rustix::process::Signal::KILL);
}
