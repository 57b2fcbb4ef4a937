//! Something goes wrong on the machine itself: the disk, the database, a file cut short, a step that panics.

use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rustix::process::{Pid, Resource, Rlimit, Signal, prlimit};
use serde_json::json;

use crate::support::{ADA, Bot, CHAT, GRACE, Machine, processes};

/// A disk that can be filled.
enum Disk {
    /// One of 24 MB of its own, in a mount namespace of the bot's own; where the system allows that.
    Small,
    /// No file of the bot's may grow any more: `RLIMIT_FSIZE`.
    Limited,
}

const SMALL_DISK: &str = "mount -t tmpfs -o size=24m,mode=700 none";

impl Disk {
    fn small_if_allowed() -> Disk {
        let folder = tempfile::tempdir().expect("a folder");
        let mount = format!("{SMALL_DISK} {}", folder.path().display());
        let allowed = Command::new("unshare")
            .args(["--user", "--map-root-user", "--mount", "sh", "-c", &mount])
            .status()
            .is_ok_and(|status| status.success());
        if allowed { Disk::Small } else { Disk::Limited }
    }

    /// A bot on this disk that polls.
    fn start(&self, machine: &Machine) -> Bot {
        std::fs::create_dir_all(machine.data()).expect("a folder");
        let program = env!("CARGO_BIN_EXE_telecoder");
        let mut shell = match self {
            Disk::Small => {
                let mut shell = Command::new("unshare");
                shell
                    .args(["--user", "--map-root-user", "--mount", "sh", "-c"])
                    .arg(format!(
                        "{SMALL_DISK} {} && exec {program} serve",
                        machine.data().display()
                    ));
                shell
            }
            Disk::Limited => {
                let mut shell = Command::new("sh");
                shell
                    .arg("-c")
                    .arg(format!("trap '' XFSZ; exec {program} serve"));
                shell
            }
        };
        shell
            .env_clear()
            .envs(&machine.environment)
            .current_dir(machine.folder.path());
        let polls = machine.api.polls();
        let bot = machine.start_as(shell);
        machine.until("the bot polls", || {
            (machine.api.polls() > polls).then_some(())
        });
        bot
    }

    fn fill(&self, machine: &Machine, bot: &Bot) {
        match self {
            Disk::Small => {
                let mut file = std::fs::File::create(ballast(machine, bot)).expect("a file");
                while file.write_all(&[0; 4096]).is_ok() {}
            }
            Disk::Limited => limit_files(bot, Some(0)),
        }
    }

    fn make_room(&self, machine: &Machine, bot: &Bot) {
        match self {
            Disk::Small => std::fs::remove_file(ballast(machine, bot)).expect("it goes"),
            Disk::Limited => limit_files(bot, None),
        }
    }
}

/// In the data folder as the bot sees it.
fn ballast(machine: &Machine, bot: &Bot) -> PathBuf {
    PathBuf::from(format!(
        "/proc/{}/root{}/ballast",
        bot.process.id(),
        machine.data().display()
    ))
}

fn limit_files(bot: &Bot, bytes: Option<u64>) {
    let bot = i32::try_from(bot.process.id()).expect("a process id");
    let limit = Rlimit {
        current: bytes,
        maximum: None,
    };
    prlimit(Pid::from_raw(bot), Resource::Fsize, limit).expect("it can be limited");
}

fn a_full_disk_loses_nothing(disk: &Disk) {
    let machine = Machine::cold();
    let bot = disk.start(&machine);
    machine.ada_says("before");
    machine.message_with("You said: before");
    machine.until("the update is confirmed and the run is over", || {
        let over = processes::keepers_of(machine.folder.path()).is_empty();
        (machine.api.unconfirmed() == 0 && over).then_some(())
    });
    disk.fill(&machine, &bot);
    // So many that the database wants more room.
    let prompt = |number: usize| format!("while it is full {number} {}", "x".repeat(3_000));
    for number in 1..=20 {
        machine.ada_says(&prompt(number));
    }
    let told = machine.message_with("they cannot be stored on the machine");
    assert!(!told.silent);
    machine.until_log(&bot, "updates cannot be stored, so none is confirmed");
    assert!(machine.api.unconfirmed() > 0, "nothing is confirmed");
    disk.make_room(&machine, &bot);
    machine.message_with("Messages can be stored again; I continue.");
    machine.message_with("You said: while it is full 20");
    let answered: Vec<String> = machine
        .bot_messages()
        .into_iter()
        .filter_map(|message| {
            let rest = message
                .text
                .strip_prefix("You said: while it is full ")?
                .to_owned();
            rest.split(' ').next().map(str::to_owned)
        })
        .collect();
    let in_order: Vec<String> = (1..=20).map(|number| number.to_string()).collect();
    assert_eq!(
        answered, in_order,
        "in the order in which they were written"
    );
    let times = machine.times_run();
    for number in 1..=20 {
        assert_eq!(times.get(&prompt(number)), Some(&1), "{number}");
    }
    let told = machine
        .bot_messages()
        .iter()
        .filter(|message| message.text.contains("cannot be stored on the machine"))
        .count();
    assert_eq!(told, 1, "told once");
}

#[test]
fn a_full_disk_confirms_nothing_is_told_once_and_nothing_is_lost() {
    a_full_disk_loses_nothing(&Disk::small_if_allowed());
}

#[test]
fn a_disk_that_refuses_to_write_confirms_nothing_is_told_once_and_nothing_is_lost() {
    a_full_disk_loses_nothing(&Disk::Limited);
}

#[test]
fn a_database_that_somebody_else_has_locked_is_waited_for() {
    let machine = Machine::new();
    let bot = machine.start();
    let database = machine.database();
    database
        .execute_batch("BEGIN IMMEDIATE")
        .expect("it can be locked");
    machine.ada_says("hello");
    machine.until_log(&bot, "the database takes no change");
    assert!(machine.api.unconfirmed() > 0, "nothing is confirmed");
    database.execute_batch("ROLLBACK").expect("it is let go");
    machine.message_with("You said: hello");
    machine.until_quiet();
    assert_eq!(machine.times_run().get("hello"), Some(&1));
}

#[test]
fn prompts_that_wait_for_a_locked_database_run_in_the_order_in_which_they_were_written() {
    let machine = Machine::new();
    machine.start().kill();
    machine.ada_says("one");
    machine.ada_says("two");
    let bot = machine.start_failing_at("inbox-before=1*sleep(1500)");
    machine.until("both are stored", || {
        (machine.api.unconfirmed() == 0).then_some(())
    });
    let database = machine.database();
    database
        .execute_batch("BEGIN IMMEDIATE")
        .expect("it can be locked");
    machine.until_log(&bot, "the database takes no change");
    database.execute_batch("ROLLBACK").expect("it is let go");
    machine.message_with("You said: two");
    let answers: Vec<String> = machine
        .loud_messages()
        .into_iter()
        .filter_map(|message| message.text.lines().next().map(str::to_owned))
        .collect();
    assert_eq!(answers, ["You said: one", "You said: two"]);
}

#[test]
fn a_start_while_the_database_is_locked_waits_and_a_stop_is_heard() {
    let machine = Machine::new();
    machine.start().kill();
    let database = machine.database();
    database
        .execute_batch("BEGIN IMMEDIATE")
        .expect("it can be locked");
    let mut bot = machine.start_without_waiting();
    std::thread::sleep(Duration::from_secs(1));
    let asked = std::time::Instant::now();
    processes::signal(bot.process.id(), Signal::TERM);
    assert!(bot.wait_for_its_end().success());
    assert!(asked.elapsed() < Duration::from_secs(5));

    let bot = machine.start_without_waiting();
    machine.until_log(&bot, "the database takes no change");
    database.execute_batch("ROLLBACK").expect("it is let go");
    machine.ada_says("hello");
    machine.message_with("You said: hello");
}

#[test]
fn a_start_on_a_full_disk_waits_for_room() {
    let machine = Machine::new();
    machine.start().terminate();
    let program = env!("CARGO_BIN_EXE_telecoder");
    let mut shell = Command::new("sh");
    shell
        .arg("-c")
        .arg(format!(
            "trap '' XFSZ; ulimit -S -f 0; exec {program} serve"
        ))
        .env_clear()
        .envs(&machine.environment)
        .current_dir(machine.folder.path());
    let bot = machine.start_as(shell);
    machine.until_log(&bot, "cannot be used at the moment");
    limit_files(&bot, None);
    machine.ada_says("hello");
    machine.message_with("You said: hello");
}

#[test]
fn a_database_that_cannot_be_used_is_one_clear_line_at_the_start() {
    let machine = Machine::new();
    machine.start().kill();
    std::fs::remove_file(machine.data().join("telecoder.db-wal")).ok();
    std::fs::write(machine.data().join("telecoder.db"), [0x55; 8_192]).expect("a file");
    let (code, stderr) = machine.run_to_its_end(&["serve"]);
    assert_eq!(code, Some(1));
    let last = stderr.lines().last().unwrap_or_default();
    assert!(last.contains("telecoder.db is not usable"), "{stderr}");
    assert!(last.contains("docs/RELIABILITY.md"), "{stderr}");
}

#[test]
fn an_update_that_always_fails_is_set_aside_and_its_sender_and_the_owner_are_told() {
    let machine = Machine::new().with(
        "TELECODER_TG_ALLOWED_USERS",
        format!("{},{}", ADA.0, GRACE.0),
    );
    let bot = machine.start();
    machine
        .database()
        .execute_batch(
            "CREATE TRIGGER poison BEFORE INSERT ON prompts WHEN new.text = 'poison'
             BEGIN SELECT RAISE(ABORT, 'this one never works'); END",
        )
        .expect("a trigger");
    let grace = telecoder::domain::id::ChatId(8);
    machine.api.say(grace, GRACE, "poison");
    machine.api.say(grace, GRACE, "what comes after it");
    let told = machine.message_with("I could not handle your message or button");
    assert_eq!(told.chat, grace.0);
    let owner = machine.message_with("A message or button could not be handled");
    assert_eq!(owner.chat, CHAT.0);
    machine.message_with("You said: what comes after it");
    assert!(bot.log().contains("this one never works"), "{}", bot.log());
    assert_eq!(
        machine.rows("SELECT count(*) FROM updates WHERE state = 'set_aside' AND raw <> ''"),
        [1],
        "it is kept"
    );
}

#[test]
fn steps_that_panic_cost_their_form_and_nothing_else() {
    for point in ["draw", "answer", "live-text"] {
        let machine = Machine::new();
        let _bot = machine.start_failing_at(&format!("{point}=panic(by a test)"));
        machine.ada_says("[[sleep: 1200]] [[say: **bold** words]]");
        machine.message_with("bold");
        machine.until_quiet();
        assert_eq!(machine.loud_messages().len(), 1, "{point}");
        machine.ada_says("next");
        machine.message_with("You said: next");
    }
}

#[test]
fn lines_whose_reading_panics_are_passed_over_and_the_run_ends_with_a_reason() {
    let machine = Machine::new();
    let _bot = machine.start_failing_at("stream=panic(by a test)");
    machine.ada_says("[[exit: 0]]");
    machine.message_with("Claude ended without an answer");
}

#[test]
fn an_end_that_cannot_be_told_is_an_end_all_the_same() {
    let machine = Machine::new();
    let _bot = machine.start_failing_at("conclude=1*panic(by a test)");
    machine.ada_says("[[exit: 0]]");
    machine.message_with("its record could not be read to the end");
    machine.ada_says("next");
    machine.message_with("You said: next");
}

#[test]
fn a_line_that_is_cut_short_is_passed_over() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[tool: Bash x]] [[torn]] [[die]]");
    machine.message_with("it was killed (signal 9)");
    machine.ada_says("next");
    machine.message_with("You said: next");
}

#[test]
fn a_word_of_how_a_run_ended_that_is_cut_short_counts_as_none() {
    let machine = Machine::new();
    let bot = machine.start();
    machine.ada_says("[[bash: sleep 31001]]");
    machine.until("it runs", || processes::with_word("31001").first().copied());
    bot.kill();
    let keeper = processes::keepers_of(machine.folder.path())[0];
    processes::signal(keeper, Signal::KILL);
    assert!(processes::wait_until_gone(keeper, Duration::from_secs(10)));
    let run = std::fs::read_dir(machine.data().join("runs"))
        .expect("the runs")
        .next()
        .expect("one")
        .expect("its name");
    std::fs::write(run.path().join("exit.json"), "{\"code\": 0, \"sig").expect("a file");
    let _bot = machine.start();
    machine.message_with("The run was lost");
    assert_eq!(processes::with_word("31001"), [0; 0], "nobody is left");
}

#[test]
fn a_prompt_is_as_old_as_telegrams_clock_says_whatever_this_machine_thinks() {
    let machine = Machine::new();
    let behind = SignedDuration::from_hours(-30);
    machine.api.set_clock_ahead(behind);
    let _bot = machine.start();
    machine.ada_says("/help");
    machine.message_with("goes unchanged to claude");
    let sent = (Timestamp::now() + behind).as_second();
    machine
        .api
        .deliver_message(CHAT, ADA, json!({"text": "hello", "date": sent}));
    machine.message_with("You said: hello");
}

#[test]
fn when_memory_runs_out_claude_goes_before_the_bot_and_the_keeper() {
    let machine = Machine::new();
    let bot = machine.start();
    machine.ada_says("[[bash: sleep 31002]]");
    let command = machine.until("it runs", || processes::with_word("31002").first().copied());
    let score = |process: u32| {
        std::fs::read_to_string(format!("/proc/{process}/oom_score_adj"))
            .expect("it is there")
            .trim()
            .parse::<i32>()
            .expect("a number")
    };
    let keeper = processes::keepers_of(machine.folder.path())[0];
    assert!(score(command) > score(keeper));
    assert!(score(command) > score(bot.process.id()));
}
