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
    assert_eq!(code, Some(2));
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

/// A folder in `runs/` that no run of the database has.
fn stray_record(machine: &Machine, id: &str, days_old: u32) -> std::path::PathBuf {
    let folder = machine.data().join("runs").join(id);
    std::fs::create_dir(&folder).expect("a folder");
    std::fs::write(folder.join("events.jsonl"), "").expect("a file");
    let touched = std::process::Command::new("touch")
        .args(["-d", &format!("{days_old} days ago")])
        .arg(&folder)
        .status();
    assert!(touched.expect("touch").success());
    folder
}

#[test]
fn records_that_the_database_does_not_know_take_no_place_and_go_after_some_days() {
    let machine = Machine::cold().with("TELECODER_KEEP_RUNS", "2");
    let bot = machine.start();
    for number in 1..=4 {
        machine.ada_says(&format!("prompt {number}"));
        machine.message_with(&format!("You said: prompt {number}"));
    }
    machine.until_quiet();
    bot.kill();
    let mut known: Vec<_> = std::fs::read_dir(machine.data().join("runs"))
        .expect("the runs")
        .flatten()
        .map(|entry| entry.path())
        .collect();
    known.sort();
    // As after a restored backup: newer than all that are known.
    let fresh: Vec<_> = (1..=3)
        .map(|number| {
            stray_record(
                &machine,
                &format!("ffffffff-ffff-7fff-8fff-fffffffffff{number}"),
                1,
            )
        })
        .collect();
    let old = stray_record(&machine, "ffffffff-ffff-7fff-8fff-ffffffffffff", 30);
    let doctor = machine
        .telecoder(&["doctor"])
        .output()
        .expect("telecoder starts");
    let doctor = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(
        doctor.contains("4 records in runs/ are of runs that the database does not know"),
        "{doctor}"
    );
    let bot = machine.start();
    machine.until_log(&bot, "the records of old runs were removed removed=3");
    assert!(!old.exists() && fresh.iter().all(|folder| folder.exists()));
    assert!(!known[0].exists() && !known[1].exists());
    assert!(known[2].exists() && known[3].exists());
}

#[test]
fn a_killed_backup_does_not_stand_in_the_way_of_the_next_one() {
    let machine = Machine::new();
    machine.start().terminate();
    let file = machine.folder.path().join("copy.db");
    std::fs::write(machine.folder.path().join("copy.db.half"), "half").expect("a file");
    let mut command = machine.telecoder(&["backup", "copy.db"]);
    command.env("FAILPOINTS", "backup-copied=return");
    assert!(!command.output().expect("telecoder starts").status.success());
    assert!(!file.exists());
    let (code, stderr) = machine.run_to_its_end(&["backup", "copy.db"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(file.is_file());
    let left = std::fs::read_dir(machine.folder.path())
        .expect("a folder")
        .flatten();
    let halves: Vec<_> = left
        .map(|entry| entry.file_name().display().to_string())
        .filter(|name| name.starts_with("copy.db."))
        .collect();
    assert_eq!(halves, ["copy.db.half"], "only the one that is not ours");
}

/// Puts a database of the first steps in the place of the machine's.
fn older_database(machine: &Machine, steps: usize) {
    std::fs::create_dir_all(machine.data()).expect("a folder");
    let mut db = rusqlite::Connection::open(machine.data().join("telecoder.db")).expect("a file");
    telecoder::store::migrations::apply_to(&mut db, steps).expect("the steps");
    db.execute_batch(
        "INSERT INTO updates (update_id, raw, state, received_at) VALUES (1, '{}', 'stored', 1);
         INSERT INTO sessions (id, chat_id, thread_id, source, workspace, state, created_at)
             VALUES ('s', 7, 0, '\"Empty\"', '/w', 'new', 1);
         INSERT INTO runs (id, session_id, chat_id, thread_id, state, queued_at)
             VALUES ('r', 's', 7, 0, 'queued', 1);",
    )
    .expect("rows");
}

#[test]
fn the_database_of_any_older_telecoder_is_backed_up_with_nothing_left_to_do() {
    for steps in 1..=telecoder::store::migrations::known() {
        let machine = Machine::new();
        older_database(&machine, steps);
        let (code, stderr) = machine.run_to_its_end(&["backup", "copy.db"]);
        assert_eq!(code, Some(0), "{steps}: {stderr}");
        let copy = rusqlite::Connection::open(machine.folder.path().join("copy.db")).expect("it");
        let number = |query: &str| {
            copy.query_row(query, [], |row| row.get::<_, i64>(0))
                .expect("one")
        };
        assert_eq!(
            number("SELECT count(*) FROM updates WHERE state = 'stored'"),
            0
        );
        assert_eq!(
            number("PRAGMA user_version"),
            i64::try_from(steps).expect("few")
        );
        let may_begin =
            match number("SELECT count(*) FROM pragma_table_info('runs') WHERE name = 'held'") {
                0 => number("SELECT count(*) FROM runs WHERE state = 'queued'"),
                _ => number("SELECT count(*) FROM runs WHERE state = 'queued' AND held <> 1"),
            };
        assert_eq!(may_begin, 0, "{steps}");
    }
}

#[test]
fn the_database_of_a_newer_telecoder_is_called_that_by_every_command() {
    let machine = Machine::new();
    machine.start().terminate();
    let db = machine.database();
    db.pragma_update(None, "user_version", 1_000)
        .expect("a version");
    drop(db);
    for arguments in [&["serve"][..], &["backup", "copy.db"], &["session", "list"]] {
        let (code, stderr) = machine.run_to_its_end(arguments);
        assert_eq!(code, Some(1), "{stderr}");
        assert!(
            stderr.contains("it is of a newer telecoder than this one"),
            "{stderr}"
        );
        assert!(
            stderr.contains("Install the newer telecoder again"),
            "{stderr}"
        );
        assert!(
            !stderr.contains("backup, ") && !stderr.contains("restore"),
            "{stderr}"
        );
    }
    assert!(!machine.folder.path().join("copy.db").exists());
}
