//! Many chats and topics at once: everybody sees soon that something happens, and Telegram never has to say "slower".

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::support::limits::{Limits, Why};
use crate::support::watching::{Said, slowest};
use crate::support::{ADA, Machine, TEAM};

/// How soon the first sign of life has to be there, on a machine that has nothing else to do.
const SOON: Duration = Duration::from_secs(3);

/// Forty agents at work are enough for one machine.
fn alone() -> MutexGuard<'static, ()> {
    static BUSY: Mutex<()> = Mutex::new(());
    BUSY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// [`SOON`], or more if this machine has more to do than it can. proc(5): `/proc/loadavg`
fn soon() -> Duration {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load: f64 = load
        .split(' ')
        .next()
        .and_then(|load| load.parse().ok())
        .unwrap_or(1.0);
    let cores = std::thread::available_parallelism().map_or(1.0, |cores| cores.get() as f64);
    SOON.mul_f64((load / cores).max(1.0))
}

fn busy_machine(people: impl Iterator<Item = u64>) -> Machine {
    let machine = Machine::new()
        .with_people(people.chain([ADA.0]))
        .with("TELECODER_MAX_RUNS", "40");
    machine.api.set_limits(Limits::telegram());
    machine
}

fn first_signs(machine: &Machine, said: &[Said]) -> Duration {
    machine.until("everybody sees that something happens", || {
        let waits = said.iter().map(|said| said.first_sign_after(machine));
        slowest(waits).filter(|slowest| *slowest < Duration::MAX)
    })
}

#[test]
fn eleven_busy_chats_all_see_at_once_that_something_happens_and_get_everything() {
    let _alone = alone();
    let people = 101..=111;
    let machine = busy_machine(people.clone());
    let _bot = machine.start();
    let mut said = Vec::new();
    for person in people.clone() {
        for command in ["/help", "/status", "/verbose"] {
            said.push(machine.writes(person, command));
        }
        said.push(machine.writes(person, "[[sleep: 2000]] [[say: all of it is done]]"));
    }
    let slowest = first_signs(&machine, &said);
    assert!(slowest <= soon(), "somebody waited for {slowest:?}");
    for said in &said {
        for part in [
            "What you write here",
            "Running: ",
            "shows",
            "all of it is done",
        ] {
            machine.until_sent(said.chat, part);
        }
    }
    machine.until_quiet();
    machine.assert_never_told_to_wait();
}

#[test]
fn forty_topics_of_a_group_all_see_at_once_that_something_happens_and_get_twenty_messages_a_minute()
{
    let alone = alone();
    let machine = busy_machine([].into_iter());
    let _bot = machine.start();
    let begun = Instant::now();
    let said: Vec<Said> = (11..51)
        .map(|topic| {
            let prompt = format!("[[sleep: 3000]] [[say: topic {topic} is done]]");
            machine.writes_in(TEAM, Some(topic), ADA, &prompt)
        })
        .collect();
    let slowest = first_signs(&machine, &said);
    // From here on it waits for Telegram's minute.
    drop(alone);
    let answers = || {
        let mut sent = machine.sendings(TEAM, " is done");
        sent.sort();
        sent
    };
    let fifteenth = machine.until_within(Duration::from_secs(75), "fifteen answers", || {
        answers().get(14).copied()
    });
    machine.assert_never_told_to_wait();
    assert!(slowest <= soon(), "somebody waited for {slowest:?}");
    // The minute, and the three seconds that the runs themselves take.
    let within = fifteenth - begun;
    assert!(within <= Duration::from_secs(67), "{within:?}");
}

#[test]
fn forty_runs_that_end_at_the_same_moment_are_all_answered_at_once() {
    let _alone = alone();
    let people = 101..=140;
    let machine = busy_machine(people.clone());
    let _bot = machine.start();
    let go = machine.folder.path().join("go");
    let prompt = format!(
        "[[bash: until test -e {}; do sleep 0.2; done]] [[say: at last]]",
        go.display()
    );
    let said: Vec<Said> = people
        .map(|person| machine.writes(person, &prompt))
        .collect();
    machine.until("all of them run", || {
        let live = machine.stoppable();
        (live.len() == said.len()).then_some(())
    });
    std::fs::write(&go, "").expect("a file");
    let arrived: Vec<Instant> = said
        .iter()
        .map(|said| machine.until_sent(said.chat, "at last"))
        .collect();
    machine.assert_never_told_to_wait();
    // Forty looks at forty workspaces take this machine a while: what counts is how long a ready answer waits.
    for (said, arrived) in said.iter().zip(arrived) {
        let waited = arrived.saturating_duration_since(machine.written_at(said.chat, "at last"));
        assert!(waited <= Duration::from_secs(4), "{waited:?} in {said:?}");
    }
}

#[test]
fn the_newest_of_five_topics_at_work_can_be_stopped_at_once_and_has_its_reaction() {
    let machine = busy_machine([].into_iter());
    let _bot = machine.start();
    let long = "[[tool: Bash make]] [[words: 400 200]] [[say: over]]";
    let ask = |topic: i64| machine.writes_in(TEAM, Some(topic), ADA, long);
    for topic in 11..15 {
        let said = ask(topic);
        machine.until("a live message", || said.stop_button_after(&machine));
    }
    // The others have used up what Telegram takes by then.
    let used = Duration::from_secs(20);
    let since = Instant::now();
    machine.until("the others are at work", || {
        (since.elapsed() >= used).then_some(())
    });
    let newest = ask(15);
    let stop = machine.until("the live message with Stop", || {
        newest.stop_button_after(&machine)
    });
    let reaction = machine.until("the reaction", || newest.reaction_after(&machine));
    machine.assert_never_told_to_wait();
    assert!(stop <= Duration::from_secs(6), "Stop after {stop:?}");
    assert!(
        reaction <= Duration::from_secs(6),
        "a reaction after {reaction:?}"
    );
}

#[test]
fn where_telegram_takes_less_than_expected_all_chats_wait_a_moment_and_everything_comes() {
    let _alone = alone();
    let people = 101..=111;
    let machine = busy_machine(people.clone());
    machine.api.set_limits(Limits {
        calls_a_second: 10,
        ..Limits::telegram()
    });
    let _bot = machine.start();
    for person in people.clone() {
        for command in ["/help", "/status", "/verbose"] {
            machine.writes(person, command);
        }
    }
    for person in people {
        let chat = machine.writes(person, "hello").chat;
        for part in [
            "What you write here",
            "Running: ",
            "shows",
            "You said: hello",
        ] {
            machine.until_sent(chat, part);
        }
    }
    let told = machine.api.flooded();
    let within = told.iter().filter(|told| told.why == Why::WithinPause);
    let within = within.count();
    assert!(within <= 3, "{within} calls within a pause made it longer");
    assert!(told.len() <= 30, "{} times 429", told.len());
}
