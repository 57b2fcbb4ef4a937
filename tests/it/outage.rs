//! Telegram cannot be reached for a while: everything comes as soon as it can be.
//!
//! `TELECODER_TEST_OUTAGE_S=600 cargo test --test it outage::` for one of ten minutes.

use std::time::{Duration, Instant};

use crate::support::watching::Said;
use crate::support::{Fault, Machine};

/// How soon after an outage everything has to be there.
const SOON: Duration = Duration::from_secs(10);

fn length_of_outage() -> Duration {
    let seconds = std::env::var("TELECODER_TEST_OUTAGE_S").ok();
    let seconds = seconds.map(|seconds| seconds.parse().expect("a number of seconds"));
    Duration::from_secs(seconds.unwrap_or(60))
}

/// The Bot API is out of reach for so long; returns when it was back.
fn outage(machine: &Machine, length: Duration, meanwhile: impl FnOnce()) -> Instant {
    let begun = Instant::now();
    machine.api.go_down();
    meanwhile();
    machine.until_within(length + Duration::from_secs(60), "it lasts", || {
        (begun.elapsed() >= length).then_some(())
    });
    machine.api.come_back();
    Instant::now()
}

#[test]
fn after_an_outage_everything_that_was_due_and_what_is_asked_then_comes_at_once() {
    let people = 101..=106;
    let machine = Machine::new()
        .with_people(people.clone())
        .with("TELECODER_MAX_RUNS", "6");
    let _bot = machine.start();
    let prompt = "[[sleep: 6000]] [[say: due since long]]";
    let said: Vec<Said> = people
        .map(|person| machine.writes(person, prompt))
        .collect();
    machine.until("all of them run", || {
        (machine.stoppable().len() == said.len()).then_some(())
    });
    let back = outage(&machine, length_of_outage(), || {
        machine.until("all of them have ended", || {
            let due = "SELECT count(*) FROM outbox WHERE message LIKE '%due since long%'";
            (machine.rows(due) == [6]).then_some(())
        });
    });
    let afterwards = machine.writes(101, "/help");
    let helped = machine.until_sent(afterwards.chat, "What you write here");
    for said in &said {
        let waited = machine.until_sent(said.chat, "due since long") - back;
        assert!(waited <= SOON, "after {waited:?} in {said:?}");
    }
    assert!(helped - back <= SOON, "/help after {:?}", helped - back);
    machine.until("no live message is left", || {
        machine.stoppable().is_empty().then_some(())
    });
}

#[test]
fn a_pause_that_telegram_asked_for_is_kept_through_an_outage() {
    let pause = Duration::from_secs(25);
    let machine = Machine::new().with_people(101..=102);
    let _bot = machine.start();
    let flood = Fault::Flood(pause.as_secs());
    machine.api.plan("sendMessage", Some(101), 1, flood);
    machine.writes(101, "/help");
    let requests = || {
        let all = machine.api.requests("sendMessage");
        let of_chat = all.into_iter().filter(|request| request.chat == Some(101));
        of_chat.map(|request| request.at).collect::<Vec<Instant>>()
    };
    let told = machine.until("it is told to wait", || requests().first().copied());
    outage(&machine, Duration::from_secs(5), || {
        machine.writes(102, "/help");
    });
    machine.until_sent(machine.writes(102, "/status").chat, "What you write here");
    let helped = machine.until_sent(machine.writes(101, "/verbose").chat, "What you write here");
    assert!(helped - told >= pause, "after {:?}", helped - told);
    let within = requests().into_iter().skip(1).find(|at| *at < told + pause);
    assert_eq!(within, None, "a call within the pause");
}
