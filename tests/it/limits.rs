//! A usage limit of claude's account: waiting prompts are kept, and run by themselves.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};
use proptest::prelude::*;
use serde_json::json;
use telecoder::claude::limit::Limit;
use telecoder::demo::bot_api::{Posted, Version};

use crate::support::{ADA, BOT, CHAT, Machine, TEAM};

/// Words that claude uses for one that goes in some hours.
const LIMIT: &str = "You've hit your session limit · resets in 3h";
const HELD: &str = "A usage limit of claude's account is reached";

fn answers(machine: &Machine) -> Vec<String> {
    machine
        .bot_messages()
        .into_iter()
        .filter_map(|message| message.text.lines().next().map(str::to_owned))
        .filter(|line| line.starts_with("You said: "))
        .collect()
}

/// As if the time that claude named were over.
fn time_passes(machine: &Machine) {
    let moved = machine
        .database()
        .execute("UPDATE holds SET until = 1", [])
        .expect("it can be written");
    assert!(moved > 0, "something is held");
}

fn until_held(machine: &Machine) {
    machine.until("the run that hit the limit is over", || {
        let running = machine.rows("SELECT count(*) FROM runs WHERE state = 'running'");
        let held = machine.rows("SELECT count(*) FROM holds");
        (running == [0] && held != [0]).then_some(())
    });
}

/// The words of a message that its reader sees as a moment, and how.
fn moments(message: &Posted) -> Vec<(String, String)> {
    let units: Vec<u16> = message.text.encode_utf16().collect();
    let times = message.entities.iter();
    times
        .filter(|entity| entity["type"] == "date_time")
        .map(|entity| {
            let number = |name: &str| entity[name].as_u64().expect("a number") as usize;
            let (from, length) = (number("offset"), number("length"));
            let words = String::from_utf16_lossy(&units[from..from + length]);
            let format = entity["date_time_format"].as_str().expect("a format");
            (words, format.to_owned())
        })
        .collect()
}

#[test]
fn the_end_of_a_limit_is_a_moment_in_the_readers_own_time_zone() {
    let machine = Machine::new();
    machine.hit_limit(LIMIT);
    let _bot = machine.start();
    machine.ada_says("first");
    let told = machine.message_with(HELD);
    let (until, _) = told.text.split_once(" (in ").expect("a time");
    let (_, words) = until.rsplit_once("until ").expect("a time");
    let shown = moments(&told);
    assert_eq!(shown.len(), 1, "{:?}", told.entities);
    assert_eq!(shown[0].0, words);
    assert!(["t", "wt"].contains(&shown[0].1.as_str()), "{shown:?}");
    let time = told
        .entities
        .iter()
        .find_map(|entity| entity["unix_time"].as_i64());
    let left = time.expect("a time") - Timestamp::now().as_second();
    assert!((10_000..=10_800).contains(&left), "{left}");
    until_held(&machine);
    machine.ada_says("/status");
    let status = machine.message_with("Held: by a usage limit, until ");
    assert_eq!(moments(&status), shown);
    machine.ada_says("second");
    let note = machine.message_with("This is kept until the usage limit ends (");
    assert_eq!(moments(&note), shown);
}

#[test]
fn an_older_server_shows_the_end_of_a_limit_as_words() {
    let machine = Machine::new();
    machine.api.set_version(Version::Old);
    machine.hit_limit(LIMIT);
    let _bot = machine.start();
    machine.ada_says("first");
    let told = machine.message_with(HELD);
    assert_eq!(moments(&told), []);
}

#[test]
fn what_hits_a_limit_and_what_waits_behind_it_goes_on_by_itself_in_its_order() {
    let machine = Machine::new();
    machine.hit_limit(LIMIT);
    let _bot = machine.start();
    machine.ada_says("first");
    let told = machine.message_with(HELD);
    assert!(!told.silent);
    assert!(told.text.contains("(in 2 h 59 min)"), "{}", told.text);
    assert!(told.text.contains(LIMIT), "{}", told.text);
    until_held(&machine);
    machine.ada_says("second");
    let note = machine.message_with("This is kept until the usage limit ends (");
    assert!(note.silent);
    machine.ada_says("third");
    machine.until_quiet_but_for_runs();
    machine.ada_says("/status");
    let status = machine.message_with("Held: by a usage limit, until ");
    assert!(
        status.text.contains("Waiting: 3 prompts"),
        "{}",
        status.text
    );

    machine.pass_limit();
    time_passes(&machine);
    machine.message_with("You said: third");
    machine.until_quiet();
    assert_eq!(
        answers(&machine),
        ["You said: first", "You said: second", "You said: third"]
    );
    let said = |part: &str| {
        let messages = machine.bot_messages();
        messages
            .iter()
            .filter(|message| message.text.contains(part))
            .count()
    };
    assert_eq!(said(HELD), 1, "told once");
    assert_eq!(said("This is kept until"), 1, "and once that it waits");
    assert_eq!(said("Failed after"), 0, "nothing failed for the chat");
}

#[test]
fn a_run_that_had_begun_its_work_is_told_to_go_on_when_the_limit_is_over() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[tools: 1]] [[limit: You've hit your weekly limit · resets in 2h 10m]]");
    machine.message_with(HELD);
    until_held(&machine);
    time_passes(&machine);
    machine.message_with("You said: Go on.");
    machine.until_quiet();
    assert_eq!(machine.times_run().len(), 2);
}

#[test]
fn a_limit_that_goes_in_a_second_is_waited_for_by_the_second() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says(
        "[[say: some work]] [[rate-limit: rejected 2]] [[limit: You've hit your session limit · resets 8pm (UTC)]]",
    );
    let told = machine.message_with(HELD);
    assert!(
        ["(in 0 s)", "(in 1 s)", "(in 2 s)"]
            .iter()
            .any(|left| told.text.contains(left)),
        "{}",
        told.text
    );
    machine.message_with("You said: Go on.");
}

#[test]
fn a_limit_outlives_a_restart_and_is_over_while_the_bot_is_away() {
    let machine = Machine::new();
    machine.hit_limit(LIMIT);
    let bot = machine.start();
    machine.ada_says("first");
    machine.message_with(HELD);
    until_held(&machine);
    bot.kill();
    let bot = machine.start();
    machine.ada_says("second");
    machine.message_with("This is kept until");
    machine.until_quiet_but_for_runs();
    assert_eq!(machine.times_run().len(), 1, "nothing is tried");
    bot.kill();
    machine.pass_limit();
    time_passes(&machine);
    let _bot = machine.start();
    machine.message_with("You said: second");
    machine.until_quiet();
    assert_eq!(answers(&machine), ["You said: first", "You said: second"]);
}

#[test]
fn a_bot_that_is_killed_over_a_limit_tells_it_once_and_takes_the_prompt_up_once() {
    let machine = Machine::new();
    machine.hit_limit(LIMIT);
    let mut bot = machine.start_failing_at("run-acted=return");
    machine.ada_says("first");
    bot.wait_for_its_end();
    let _bot = machine.start();
    machine.message_with(HELD);
    until_held(&machine);
    machine.pass_limit();
    time_passes(&machine);
    machine.message_with("You said: first");
    machine.until_quiet();
    assert_eq!(answers(&machine), ["You said: first"]);
    let told = machine
        .bot_messages()
        .into_iter()
        .filter(|message| message.text.contains(HELD))
        .count();
    assert_eq!(told, 1);
    assert_eq!(machine.rows("SELECT count(*) FROM runs"), [2]);
}

#[test]
fn try_now_tries_at_once_and_is_of_no_use_later() {
    let machine = Machine::new();
    machine.hit_limit(LIMIT);
    let _bot = machine.start();
    machine.ada_says("first");
    let told = machine.message_with(HELD);
    assert_eq!(told.buttons[0].0, "Try now");
    until_held(&machine);
    machine.ada_presses(&told);
    let again = machine.nth_message_with(HELD, 2);
    assert!(again.silent, "the chat knows already");
    until_held(&machine);
    machine.pass_limit();
    machine.ada_presses(&again);
    machine.message_with("You said: first");
    machine.ada_presses(&again);
    machine.until_toast("Nothing waits here any more.");
}

#[test]
fn stop_drops_what_waits_for_a_limit_and_the_next_prompt_is_tried_at_once() {
    let machine = Machine::new();
    machine.hit_limit(LIMIT);
    let _bot = machine.start();
    machine.ada_says("first");
    machine.message_with(HELD);
    until_held(&machine);
    machine.ada_says("second");
    machine.message_with("This is kept until");
    machine.ada_says("/stop");
    machine.message_with(
        "The 2 waiting prompts were dropped and did not run. The next prompt here is tried immediately.",
    );
    machine.pass_limit();
    machine.ada_says("third");
    machine.message_with("You said: third");
    assert_eq!(answers(&machine), ["You said: third"]);
}

#[test]
fn a_limit_without_a_time_is_tried_again_after_longer_and_longer_pauses() {
    let machine = Machine::new();
    machine.hit_limit("API Error: Request rejected (429) · this may be a temporary capacity issue");
    let _bot = machine.start();
    machine.ada_says("first");
    let told = machine.message_with("its end is not known");
    assert!(
        ["in 5 min 00 s (", "in 4 min 59 s ("]
            .iter()
            .any(|left| told.text.contains(left)),
        "{}",
        told.text
    );
    until_held(&machine);
    time_passes(&machine);
    let told = machine.nth_message_with("its end is not known", 2);
    assert!(
        ["in 10 min 00 s (", "in 9 min 59 s ("]
            .iter()
            .any(|left| told.text.contains(left)),
        "{}",
        told.text
    );
    assert!(told.silent);
}

#[test]
fn each_chat_is_held_when_its_own_run_hits_the_limit() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.hit_limit(LIMIT);
    machine.ada_says("in private");
    machine.message_with(HELD);
    until_held(&machine);
    let text = format!("@{BOT} in the group");
    let mention = json!([{"type": "mention", "offset": 0, "length": BOT.len() + 1}]);
    let fields = json!({"text": text, "entities": mention});
    machine.api.deliver_message(TEAM, ADA, fields);
    let told = machine.nth_message_with(HELD, 2);
    assert_eq!(told.chat, TEAM.0);
    machine.until("both are held", || {
        (machine.rows("SELECT count(*) FROM holds") == [2]).then_some(())
    });
    machine.pass_limit();
    machine.ada_presses(&told);
    machine.message_with("You said: in the group");
    assert_eq!(
        machine.rows("SELECT chat_id FROM holds"),
        [CHAT.0],
        "the other one waits for its time"
    );
}

#[test]
fn a_limit_that_is_near_is_a_clause_below_the_answer_and_holds_nothing_up() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[rate-limit: allowed_warning 3600]] [[say: here you are]]");
    let answer = machine.message_with("here you are");
    assert!(
        answer.text.ends_with("· 90% of a usage limit is used"),
        "{}",
        answer.text
    );
    machine.until_quiet();
    assert_eq!(machine.rows("SELECT count(*) FROM holds"), [0]);
}

fn at(text: &str) -> Zoned {
    text.parse().expect("a moment")
}

#[test]
fn the_words_for_a_limit_are_read_in_every_form_that_claude_has_had() {
    let now = at("2026-11-24T18:00:00+01:00[Europe/Berlin]");
    let words = [
        "You've hit your limit · resets 8pm (Europe/Berlin)",
        "You've hit your limit · resets 2am (Europe/Berlin)",
        "You’ve hit your session limit · resets 3:20am (Asia/Calcutta)",
        "You've hit your session limit · resets 12:50am (America/Los_Angeles)",
        "You've hit your weekly limit · resets Nov 28, 9am (UTC)",
        "You've hit your weekly limit · resets Jan 3, 2027, 9am (UTC)",
        "You've hit your Opus limit · resets Jan 2, 12pm (UTC)",
        "You've hit your limit · resets May 5 at 9pm (America/New_York)",
        "You've hit your limit · resets Nov 30 at 9:30\u{202f}PM (America/New_York)",
        "5-hour limit reached ∙ resets 8pm",
        "5-hour limit reached ∙ resets 5:30pm",
        "5-hour limit reached ∙ resets 5:50pm",
        "Weekly limit reached ∙ resets Nov 26, 1pm",
        "Claude AI usage limit reached|1795600000",
        "Claude AI usage limit reached|1795600000000",
        "Claude usage limit reached. Your limit will reset at 11pm (Not/AZone).",
        "You've reached your usage limit. It resets at 21:30",
        "You've hit your session limit · resets in 3h 20m",
        "You're out of usage credits",
        "You've hit your monthly spend limit · raise it at claude.ai/settings/usage",
        "Your org is out of usage · contact your admin",
        "You've hit your limit · resets 25pm (UTC)",
        "You've hit your limit · resets Foo 3, 9am",
        "Rate limits are explained in the documentation: the limit resets at 8pm",
        "I raised the limit; it resets at 8pm",
        "",
    ];
    let mut read = String::new();
    for words in words {
        let said = match Limit::of_words(words, &now) {
            None => "no limit".to_owned(),
            Some(Limit { until: None }) => "a limit, until nobody knows when".to_owned(),
            Some(Limit { until: Some(until) }) => {
                format!("until {}", until.to_zoned(now.time_zone().clone()))
            }
        };
        read.push_str(&format!("{words}\n    {said}\n"));
    }
    insta::assert_snapshot!(read);
}

proptest! {
    #[test]
    fn a_clock_in_a_limit_is_always_ahead_and_never_more_than_a_day(
        now in 1_700_000_000_i64..1_900_000_000,
        hour in 1_u8..=12,
        minute in 0_u8..60,
        half in prop_oneof!["am", "pm"],
        zone in prop_oneof!["UTC", "Europe/Berlin", "Asia/Kolkata", "America/St_Johns", "Pacific/Apia"],
    ) {
        let now = Timestamp::from_second(now).expect("a moment").to_zoned(TimeZone::UTC);
        let words = format!("You've hit your session limit · resets {hour}:{minute:02}{half} ({zone})");
        let limit = Limit::of_words(&words, &now).expect("a limit");
        if let Some(until) = limit.until {
            prop_assert!(until > now.timestamp());
            prop_assert!(until <= (now.timestamp() + 25.hours()));
            if let Ok(zone) = TimeZone::get(&zone) {
                let shown = until.to_zoned(zone).strftime("%-I:%M%P").to_string();
                // An hour that a change of the clocks leaves out is read as the one behind it.
                let wanted = format!(":{minute:02}{half}");
                prop_assert!(shown.ends_with(&wanted), "{shown} for {words}");
            }
        }
    }

    #[test]
    fn no_words_make_the_reader_stumble(words in ".{0,200}", tail in "(You've hit your limit|Claude AI usage limit reached\\|)[ -~]{0,60}") {
        let now = at("2026-11-24T18:00:00+01:00[Europe/Berlin]");
        let _ = Limit::of_words(&words, &now);
        let limit = Limit::of_words(&tail, &now);
        if let Some(until) = limit.and_then(|limit| limit.until) {
            prop_assert!(until > now.timestamp());
        }
    }
}

#[test]
fn what_an_overloaded_api_refused_is_tried_again_by_itself_and_as_soon_as_another_chat_got_through()
{
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[fail: overloaded API Error: 529 Overloaded]]");
    let told = machine.message_with(
        "The API is overloaded, fails or cannot be reached. I try again by myself in",
    );
    assert!(!told.silent);
    assert!(told.text.contains("529 Overloaded"), "{}", told.text);
    until_held(&machine);
    machine.ada_says("/status");
    machine.message_with("Held: the API does not work; tried again at");
    // After its time.
    time_passes(&machine);
    let again = machine.nth_message_with("The API is overloaded, fails or cannot be reached", 2);
    assert!(again.silent, "a repeat does not ring");
    until_held(&machine);
    // A run of another chat gets through.
    let text = format!("@{BOT} hello");
    let mention = json!([{"type": "mention", "offset": 0, "length": BOT.len() + 1}]);
    machine
        .api
        .deliver_message(TEAM, ADA, json!({"text": text, "entities": mention}));
    machine.message_with("You said: hello");
    machine.nth_message_with("The API is overloaded, fails or cannot be reached", 3);
    until_held(&machine);
    machine.ada_says("/stop");
    machine.message_with("The waiting prompt was dropped and did not run.");
    machine.ada_says("and now");
    machine.message_with("You said: and now");
}

#[test]
fn a_limit_of_something_else_holds_no_chat() {
    let now = "2026-11-26T12:00:00+01:00[Europe/Berlin]"
        .parse()
        .expect("a moment");
    for words in [
        "Tool call limit reached",
        "Context limit reached · /compact or /clear to continue",
        "Disk quota limit reached for /home",
    ] {
        assert_eq!(Limit::of_words(words, &now), None, "{words}");
    }
}
