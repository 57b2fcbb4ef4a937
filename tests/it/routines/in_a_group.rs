//! Routines of a group: who presses what, and what becomes of them when people and groups change.

use telecoder::demo::bot_api::Posted;

use super::in_the_chat::{come, kept};
use crate::support::api::Fault;
use crate::support::{ADA, GRACE, Machine, TEAM};

fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

fn press(machine: &Machine, card: &Posted, label: &str) {
    let (_, data) = card
        .buttons
        .iter()
        .find(|(found, _)| found == label)
        .unwrap_or_else(|| panic!("no {label}: {card:?}"));
    machine.api.press(ADA, card, data);
}

#[test]
fn a_routine_that_is_over_is_not_paused_by_an_old_button() {
    let machine = Machine::new();
    let _bot = machine.start();
    kept(&machine, "/in 1h look around");
    machine.ada_says("/routines");
    let list = machine.message_with("Routines of this chat");
    machine.ada_presses(&list);
    let shown = machine.message_with("\n\nThe prompt:");
    let passes = format!("UPDATE routines SET moment = '{{\"once\":{}}}'", now());
    machine.database().execute(&passes, []).expect("SQL");
    come(&machine, now());
    machine.message_with("You said: look around");
    machine.until_quiet();
    press(&machine, &shown, "Pause");
    machine.until_toast("Its moment has passed; make it anew.");
    machine.ada_says("/routines");
    machine.message_with("There is no routine in this chat");
}

#[test]
fn whoever_lets_a_routine_run_now_is_the_one_who_asks() {
    let machine = Machine::new().with("TELECODER_TG_ALLOWED_USERS", "7,8");
    let _bot = machine.start();
    machine.api.say(TEAM, GRACE, "/every day 9:00 look around");
    let card = machine.message_with("Nothing begins unless you keep it");
    machine.api.press(GRACE, &card, &card.buttons[0].1);
    machine.message_with("Kept: ");
    machine.api.say(TEAM, ADA, "/routines");
    let list = machine.message_with("Routines of this chat");
    machine.api.press(ADA, &list, &list.buttons[0].1);
    let shown = machine.message_with("\n\nThe prompt:");
    press(&machine, &shown, "Run now");
    machine.message_with("You said: look around");
    machine.until_quiet();
    assert_eq!(machine.rows("SELECT user_id FROM prompts"), [7]);
    assert_eq!(machine.rows("SELECT user_id FROM routines"), [8]);
}

#[test]
fn a_routine_and_its_buttons_go_along_when_a_group_becomes_a_supergroup() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.api.say(TEAM, ADA, "/every day 9:00 look around");
    let card = machine.message_with("Nothing begins unless you keep it");
    machine.api.press(ADA, &card, &card.buttons[0].1);
    machine.message_with("Kept: ");
    let new = telecoder::domain::id::ChatId(-1_000_000_000_077);
    machine
        .api
        .plan("sendMessage", Some(TEAM.0), 1, Fault::MovesTo(new.0));
    machine.api.say(TEAM, ADA, "/routines");
    machine.until("it has moved", || {
        (machine.rows("SELECT chat_id FROM routines") == [new.0]).then_some(())
    });
    come(&machine, now());
    machine.message_with("You said: look around");
    machine.until_quiet();
    assert_eq!(machine.rows("SELECT chat_id FROM runs"), [new.0]);
}

#[test]
fn a_name_from_the_shell_is_one_that_the_list_shows() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("/every day 9:00 look around");
    machine.message_with("Nothing begins unless you keep it");
    let id: String = machine
        .database()
        .query_row("SELECT id FROM routines", [], |row| row.get(0))
        .expect("it");
    for verb in ["resume", "pause", "run"] {
        let (code, said) = machine.run_to_its_end(&["routine", verb, &id]);
        assert_eq!(code, Some(2), "{said}");
    }
    machine.until_quiet();
    assert_eq!(machine.rows("SELECT count(*) FROM runs"), [0]);
    assert_eq!(
        machine.rows("SELECT count(*) FROM routines WHERE state = 'offered'"),
        [1]
    );
}

#[test]
fn long_prompts_and_many_routines_fit_into_messages_with_their_buttons() {
    let machine = Machine::new();
    let _bot = machine.start();
    let long = "wörd 🦀 \n".repeat(480);
    machine.ada_says(&format!("/every day 9:00 {long}"));
    let card = machine.until("the card", || {
        let mut all = machine.bot_messages().into_iter();
        all.find(|message| message.buttons.len() == 2)
    });
    press(&machine, &card, "Keep");
    machine.message_with("Kept: ");
    for number in 0..45 {
        let insert = format!(
            "INSERT INTO routines (id, chat_id, thread_id, user_id, moment, zone, prompt, fresh, missed, filter, state, made_at)
             SELECT 'x{number}', chat_id, thread_id, user_id, moment, zone, prompt, fresh, missed, filter, state, made_at
             FROM routines WHERE id NOT LIKE 'x%'"
        );
        machine.database().execute(&insert, []).expect("SQL");
    }
    machine.ada_says("/routines");
    let list = machine.until("the list", || {
        let mut all = machine.bot_messages().into_iter();
        all.find(|message| message.buttons.len() == 40)
    });
    machine.ada_presses(&list);
    let shown = machine.until("the routine", || {
        let mut all = machine.bot_messages().into_iter();
        all.find(|message| message.buttons.len() == 3)
    });
    press(&machine, &shown, "Delete");
    machine.until_toast("Deleted.");
}

#[test]
fn a_paused_routine_of_somebody_who_was_removed_is_answered_for_by_the_shell_that_lets_it_go_on() {
    let machine = Machine::new().with("TELECODER_TG_ALLOWED_USERS", "7,8");
    let bot = machine.start();
    machine.api.say(TEAM, GRACE, "/every day 9:00 look around");
    let card = machine.message_with("Nothing begins unless you keep it");
    machine.api.press(GRACE, &card, &card.buttons[0].1);
    machine.message_with("Kept: ");
    let id: String = machine
        .database()
        .query_row("SELECT id FROM routines", [], |row| row.get(0))
        .expect("it");
    let (code, said) = machine.run_to_its_end(&["routine", "pause", &id]);
    assert_eq!(code, Some(0), "{said}");
    bot.terminate();
    let machine = machine.with("TELECODER_TG_ALLOWED_USERS", "7");
    let _bot = machine.start();
    let (code, said) = machine.run_to_its_end(&["routine", "resume", &id]);
    assert_eq!(code, Some(0), "{said}");
    come(&machine, now());
    machine.message_with("You said: look around");
}

#[test]
fn a_moment_of_another_year_is_told_with_its_year() {
    let machine = Machine::new();
    let _bot = machine.start();
    let year = jiff::Zoned::now().year();
    let card = kept(&machine, "/in 366d look around");
    let said = format!(" {}, ", year + 1);
    assert!(card.text.contains(&said), "{}", card.text);
    let told = machine.message_with("Kept for ");
    assert!(told.text.contains(&said), "{}", told.text);
    machine.ada_says("/routines");
    let list = machine.message_with("Routines of this chat");
    assert!(list.text.contains(&said), "{}", list.text);
    let near = kept(&machine, "/in 1s look around");
    assert!(!near.text.contains(&format!(" {year}, ")), "{}", near.text);
}
