//! How often a chat is called for a live message, in virtual time: the real lines, the real pace, no waiting.

use std::time::Duration;

use telecoder::telegram::live::drawn;

use crate::support::replay::{busy, replay};
use crate::support::{CHAT, TEAM};

#[test]
fn ten_minutes_of_a_busy_run_stay_within_what_telegram_allows() {
    let ten_minutes = Duration::from_secs(600);
    for (chat, pause, most_a_minute) in [(CHAT, 2, 30), (TEAM, 5, 13)] {
        let replay = replay(chat, ten_minutes, busy);
        let times: Vec<Duration> = replay.calls.iter().map(|(at, _)| *at).collect();
        for pair in times.windows(2) {
            let gap = pair[1] - pair[0];
            assert!(gap >= Duration::from_secs(pause), "{gap:?} in {chat:?}");
        }
        for from in &times {
            let minute = *from..*from + Duration::from_secs(60);
            let calls = times.iter().filter(|at| minute.contains(*at)).count();
            assert!(calls <= most_a_minute, "{calls} in a minute in {chat:?}");
        }
        // And it is a live message all the same.
        assert!(times.len() > 60, "{} calls in {chat:?}", times.len());
    }
}

#[test]
fn a_run_that_says_nothing_for_an_hour_is_called_for_more_and_more_seldom() {
    let replay = replay(CHAT, Duration::from_secs(3_600), |_| None);
    assert!(
        (60..=200).contains(&replay.calls.len()),
        "{}",
        replay.calls.len()
    );
}

#[test]
fn only_what_changed_is_shown() {
    let replay = replay(CHAT, Duration::from_secs(600), busy);
    for pair in replay.calls.windows(2) {
        assert_ne!(drawn(&pair[0].1), drawn(&pair[1].1));
    }
}
