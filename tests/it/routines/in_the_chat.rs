//! Work that begins without a message: once, again and again, exactly once each time.

use serde_json::json;
use telecoder::demo::bot_api::Posted;

use crate::support::{ADA, CHAT, GRACE, Machine, TEAM};

/// Ada makes a routine and keeps it.
pub fn kept(machine: &Machine, text: &str) -> Posted {
    let kept_before = count(machine, "Kept");
    let before = cards(machine).len();
    machine.ada_says(text);
    let card = machine.until("a card", || cards(machine).get(before).cloned());
    machine.ada_presses(&card);
    machine.nth_message_with("Kept", kept_before + 1);
    card
}

fn cards(machine: &Machine) -> Vec<Posted> {
    let messages = machine.bot_messages().into_iter();
    messages
        .filter(|message| message.text.contains("Nothing begins unless you keep it"))
        .collect()
}

pub fn begun(machine: &Machine) -> usize {
    count(machine, "Routine, ") + count(machine, "As planned")
}

/// How many messages of the bot's begin so.
fn count(machine: &Machine, beginning: &str) -> usize {
    let messages = machine.bot_messages().into_iter();
    messages
        .filter(|message| message.text.starts_with(beginning))
        .count()
}

/// Lets the routine's moment be now.
pub fn come(machine: &Machine, moment: i64) {
    machine
        .database()
        .execute(
            "UPDATE routines SET planned_at = ?1, due_at = ?1 WHERE state = 'kept'",
            [moment],
        )
        .expect("SQL");
}

/// The next moment of the only routine.
pub fn planned(machine: &Machine) -> Option<i64> {
    machine
        .database()
        .query_row("SELECT planned_at FROM routines", [], |row| row.get(0))
        .expect("a routine")
}

fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

#[test]
fn a_card_is_kept_and_the_prompt_comes_at_its_time_to_the_byte() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("/in 1s  what  is\n\n  *new*? ");
    let card = machine.message_with("Nothing begins unless you keep it");
    assert!(card.text.contains("what  is\n\n  *new*?"), "{}", card.text);
    let labels: Vec<&str> = card
        .buttons
        .iter()
        .map(|(label, _)| label.as_str())
        .collect();
    assert_eq!(labels, ["Keep", "Cancel"]);
    assert_eq!(begun(&machine), 0);

    kept(&machine, "/in 2s  what  is\n\n  *new*? ");
    machine.message_with("As planned:");
    machine.message_with("You said:");
    machine.until_quiet();
    let asked: Vec<String> = machine.times_run().into_keys().collect();
    assert_eq!(asked, ["what  is\n\n  *new*? "]);
    machine.ada_says("/routines");
    machine.message_with("There is no routine in this chat");
}

#[test]
fn what_is_not_kept_never_begins_and_a_moment_that_has_passed_cannot_be_kept() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("/in 1s cancelled");
    let card = machine.message_with("cancelled");
    machine.api.press(ADA, &card, &card.buttons[1].1);
    machine.until_toast("Nothing was made.");
    machine.ada_says("/in 1s too late");
    let card = machine.message_with("too late");
    machine
        .database()
        .execute("UPDATE routines SET moment = '{\"once\":1000}'", [])
        .expect("SQL");
    machine.ada_presses(&card);
    machine.until_toast("Its moment has passed; make it anew.");
    machine.until_quiet();
    assert_eq!((begun(&machine), machine.times_run().len()), (0, 0));
}

#[test]
fn what_is_no_form_is_answered_with_the_forms_and_nothing_is_guessed() {
    let machine = Machine::new();
    let _bot = machine.start();
    let wrong = [
        "/at noon do it",
        "/in a while do it",
        "/every now and then do it",
        "/every weekday 9:00",
        "/every \"0 9 * *\" do it",
        "/every Europe/Nowhere day 9:00 do it",
        "/at",
        "/at 2001-01-01 9:00 do it",
    ];
    for (number, text) in wrong.into_iter().enumerate() {
        machine.ada_says(text);
        machine.nth_message_with("Nothing was made: ", number + 1);
    }
    machine.until_quiet();
    assert!(cards(&machine).is_empty() && machine.times_run().is_empty());
}

#[test]
fn a_routine_is_listed_shown_run_now_paused_and_deleted() {
    let machine = Machine::new();
    let _bot = machine.start();
    let card = kept(
        &machine,
        "/every fresh Europe/Berlin weekday 9:00 look around",
    );
    assert!(card.text.contains("Europe/Berlin"), "{}", card.text);
    machine.ada_says("/routines");
    let list = machine.message_with("Routines of this chat");
    assert!(list.text.contains("look around"), "{}", list.text);
    machine.ada_presses(&list);
    let shown = machine.message_with("The prompt:");
    let press = |label: &str| {
        let shown = machine.until("the newest card", || {
            let mut messages = machine.bot_messages().into_iter();
            messages.rfind(|message| message.buttons.iter().any(|(found, _)| found == label))
        });
        let (_, data) = shown
            .buttons
            .iter()
            .find(|(found, _)| found == label)
            .expect("it");
        machine.api.press(ADA, &shown, data);
    };
    assert!(
        shown.text.contains("each time in a new session"),
        "{}",
        shown.text
    );
    press("Run now");
    machine.message_with("You said: look around");
    machine.until_quiet();
    press("Pause");
    machine.until_toast("Paused.");
    machine.ada_says("/routines");
    let list = machine.nth_message_with("Routines of this chat", 2);
    assert!(list.text.contains(", paused"), "{}", list.text);
    machine.api.press(ADA, &list, &list.buttons[0].1);
    let shown = machine.message_with("It is paused.");
    assert!(shown.text.contains(": done"), "{}", shown.text);
    press("Go on");
    machine.nth_message_with("Kept: ", 2);
    machine.ada_says("/routines");
    let list = machine.nth_message_with("Routines of this chat", 3);
    machine.api.press(ADA, &list, &list.buttons[0].1);
    machine.until("it is shown", || {
        let all = machine.bot_messages();
        (all.iter()
            .filter(|message| message.text.contains("The prompt:"))
            .count()
            >= 4)
            .then_some(())
    });
    press("Delete");
    machine.until_toast("Deleted.");
    machine.ada_says("/routines");
    machine.message_with("There is no routine in this chat");
}

#[test]
fn a_fresh_routine_leaves_the_chat_in_its_own_session() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("hello");
    machine.message_with("You said: hello");
    kept(&machine, "/every fresh day 9:00 look around");
    come(&machine, now());
    machine.message_with("You said: look around");
    let begun = machine.message_with("Routine, every day at 9:00");
    assert!(begun.text.contains(", in session "), "{}", begun.text);
    machine.ada_says("and now?");
    machine.message_with("You said: and now?");
    machine.until_quiet();
    assert_eq!(
        machine.rows("SELECT count(DISTINCT session_id) FROM runs"),
        [2]
    );
    let of_ada = "SELECT count(*) FROM runs r JOIN chats c ON c.session_id = r.session_id";
    assert_eq!(machine.rows(of_ada), [2]);
}

#[test]
fn a_routine_s_prompt_is_a_run_of_its_own_and_no_word_to_a_claude_at_work() {
    let machine = Machine::new();
    let _bot = machine.start();
    kept(&machine, "/every day 9:00 look around");
    let go = machine.folder.path().join("go");
    let wait = format!("while [ ! -e {} ]; do sleep 0.05; done", go.display());
    machine.ada_says(&format!("[[bash: {wait}]] work"));
    machine.until("it works", || {
        (machine.rows("SELECT count(*) FROM runs WHERE state = 'running'") == [1]).then_some(())
    });
    come(&machine, now());
    machine.message_with("Routine, every day at 9:00");
    std::fs::write(go, "").expect("a file");
    machine.message_with("You said: look around");
    machine.until_quiet();
    assert_eq!(machine.rows("SELECT count(*) FROM runs"), [2]);
}

#[test]
fn moments_that_passed_are_made_up_for_as_it_is_wanted_and_told() {
    let machine = Machine::new();
    let day = 24 * 60 * 60 * 1000;
    for (option, begins, told) in [
        ("", 1, "3 moments before passed meanwhile"),
        ("all ", 4, "planned for"),
        ("skip ", 0, "4 moments up to"),
    ] {
        let bot = machine.start();
        kept(&machine, &format!("/every {option}1d look around"));
        let runs = machine.rows("SELECT count(*) FROM runs")[0];
        bot.terminate();
        let from = now() - 4 * day - day / 2;
        let moment = json!({"every": {"from": from, "pause": day}}).to_string();
        machine
            .database()
            .execute(
                "UPDATE routines SET moment = ?1, planned_at = ?2, due_at = ?2 WHERE state = 'kept'",
                rusqlite::params![moment, from + day],
            )
            .expect("SQL");
        let bot = machine.start();
        machine.message_with(told);
        machine.until("all is done", || {
            let more = machine.rows("SELECT count(*) FROM runs")[0] - runs;
            (more == begins && machine.is_quiet()).then_some(())
        });
        machine
            .database()
            .execute("DELETE FROM routines", [])
            .expect("SQL");
        bot.terminate();
    }
}

#[test]
fn three_failures_in_a_row_pause_a_routine_and_the_phone_rings() {
    let machine = Machine::cold();
    let _bot = machine.start();
    kept(&machine, "/every day 9:00 [[exit: 3]]");
    for number in 1..=3 {
        come(&machine, now() + number);
        machine.until("the run has ended", || {
            (machine.rows("SELECT count(*) FROM runs WHERE state = 'ended'") == [number])
                .then_some(())
        });
    }
    let told = machine.message_with("three runs in a row failed");
    assert!(!told.silent);
    assert_eq!(
        machine.rows("SELECT count(*) FROM routines WHERE state = 'paused'"),
        [1]
    );
    // Whoever lets it go on gives it three more.
    machine.ada_presses(&told);
    machine.nth_message_with("Kept: ", 2);
    come(&machine, now() + 10);
    machine.until("the run has ended", || {
        (machine.rows("SELECT count(*) FROM runs WHERE state = 'ended'") == [4]).then_some(())
    });
    machine.until_quiet();
    assert_eq!(
        machine.rows("SELECT count(*) FROM routines WHERE state = 'kept'"),
        [1]
    );
}

#[test]
fn the_routines_of_somebody_who_was_removed_stop() {
    let machine = Machine::new().with("TELECODER_TG_ALLOWED_USERS", "7,8");
    let bot = machine.start();
    machine.api.say(TEAM, GRACE, "/every day 9:00 look around");
    let card = machine.message_with("Nothing begins unless you keep it");
    machine.api.press(GRACE, &card, &card.buttons[0].1);
    machine.message_with("Kept: ");
    bot.terminate();
    come(&machine, now());
    let machine = machine.with("TELECODER_TG_ALLOWED_USERS", "7");
    let _bot = machine.start();
    let told = machine.message_with("may not use me here any more, so it is paused");
    machine.until_quiet();
    assert_eq!(machine.rows("SELECT count(*) FROM runs"), [0]);
    // Ada answers for it from now on.
    machine.api.press(ADA, &told, &told.buttons[0].1);
    machine.nth_message_with("Kept: ", 2);
    come(&machine, now());
    machine.message_with("You said: look around");
}

#[test]
fn routines_of_one_minute_are_spread_over_it() {
    let machine = Machine::new();
    let _bot = machine.start();
    for number in 0..4 {
        kept(&machine, &format!("/every day 9:00 number {number}"));
    }
    let places = machine.rows("SELECT (due_at - planned_at) / 1000 FROM routines ORDER BY due_at");
    assert_eq!(places, [0, 14, 37, 51]);
}

#[test]
fn killed_between_any_two_steps_each_moment_begins_exactly_once() {
    for point in ["routine-queued", "routine-begun"] {
        let machine = Machine::new();
        let bot = machine.start();
        kept(&machine, "/every day 9:00 look around");
        bot.terminate();
        come(&machine, now());
        let mut bot = machine.start_failing_at(&format!("{point}=1*return"));
        machine.until("it is killed", || bot.process.try_wait().expect("a child"));
        let _bot = machine.start();
        machine.message_with("You said: look around");
        machine.until_quiet();
        assert_eq!(
            machine.times_run().into_values().sum::<usize>(),
            1,
            "{point}"
        );
        assert_eq!(begun(&machine), 1, "{point}");
    }
}

#[test]
fn a_shell_on_the_machine_makes_lists_and_deletes_routines() {
    let machine = Machine::new();
    let _bot = machine.start();
    let run = |arguments: &[&str]| {
        let output = machine.telecoder(arguments).output().expect("telecoder");
        let (out, err) = (output.stdout, output.stderr);
        let said = [out, err].concat();
        (
            output.status.code(),
            String::from_utf8_lossy(&said).into_owned(),
        )
    };
    let (code, said) = run(&["routine", "add", "every", "weekday 9:00", "look around"]);
    assert_eq!(code, Some(0), "{said}");
    let name = said.split(' ').next().expect("a name").to_owned();
    machine.message_with("A routine was made in the shell, every weekday at 9:00");
    let (_, listed) = run(&["routine", "list", "--json"]);
    let listed: serde_json::Value = serde_json::from_str(&listed).expect("JSON");
    assert_eq!(listed[0]["routine"], name.as_str());
    assert_eq!(
        (&listed[0]["chat"], &listed[0]["state"]),
        (&json!(CHAT.0), &json!("kept"))
    );
    let (code, said) = run(&["routine", "run", &name]);
    assert_eq!(code, Some(0), "{said}");
    machine.message_with("You said: look around");
    machine.until_quiet();
    assert_eq!(run(&["routine", "pause", &name]).0, Some(0));
    machine.message_with("it was paused in the shell");
    assert_eq!(run(&["routine", "resume", &name]).0, Some(0));
    machine.message_with("Kept: ");
    assert_eq!(run(&["routine", "delete", &name]).0, Some(0));
    machine.message_with("it was deleted in the shell");
    assert_eq!(run(&["routine", "run", &name]).0, Some(2));
    let (code, said) = run(&["routine", "add", "at", "noon", "look around"]);
    assert_eq!(code, Some(2), "{said}");
}
