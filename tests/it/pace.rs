//! How often a chat is called for a live message, in virtual time: the real lines, the real pace, no waiting.

use std::time::Duration;

use telecoder::chat::live::{self, Going, LiveText, Verbosity};
use telecoder::claude::stream;
use telecoder::id::ChatId;
use telecoder::progress::Progress;
use telecoder::telegram::budget::{Budget, Purpose};
use telecoder::telegram::live::drawn;
use telecoder::telegram::pace::Pace;
use tokio::time::Instant;

use crate::support::{CHAT, TEAM};

const TICK: Duration = Duration::from_millis(100);

/// What a chat was shown, and when.
struct Replay {
    calls: Vec<(Duration, LiveText)>,
    last: LiveText,
}

/// A run of so long, with `line` as the line that claude prints at each tick.
fn replay(chat: ChatId, length: Duration, line: impl Fn(u64) -> Option<String>) -> Replay {
    let start = Instant::now();
    let (mut budget, mut pace) = (Budget::new(chat, start), Pace::new(start));
    let mut progress = Progress::default();
    let mut calls = Vec::new();
    let ticks = u64::try_from(length.as_millis() / TICK.as_millis()).expect("not so many");
    let mut call = |budget: &mut Budget, pace: &mut Pace, now: Instant| {
        let is_due = pace.due_at().is_some_and(|due| due <= now);
        if is_due
            && budget.ready_at(Purpose::Live, now) <= now
            && let Some(text) = pace.take()
        {
            budget.spend(now);
            pace.shown(text.clone(), now, budget.edit_pause());
            calls.push((now - start, text));
        }
    };
    for tick in 0..ticks {
        let elapsed = TICK * u32::try_from(tick).expect("not so many");
        if let Some(line) = line(tick) {
            stream::events(line.as_bytes(), &mut |event| progress.apply(&event));
        }
        // The bot looks once a second.
        if tick % 10 == 0 {
            let going = Going {
                elapsed,
                verbosity: Verbosity::Detailed,
                ..Going::default()
            };
            pace.want(live::live(&progress, going));
        }
        call(&mut budget, &mut pace, start + elapsed);
    }
    let last = LiveText::plain("Done · 10 min 00 s");
    pace.end(last.clone(), start + length);
    for tick in 0..600 {
        call(&mut budget, &mut pace, start + length + TICK * tick);
    }
    Replay { calls, last }
}

fn busy(tick: u64) -> Option<String> {
    let line = match tick % 7 {
        0 => serde_json::json!({"type": "assistant", "message": {"content": [{"type": "tool_use",
            "id": format!("t{tick}"), "name": "Bash", "input": {"command": format!("echo {tick}")}}]}}),
        3 => serde_json::json!({"type": "user", "message": {"content": [{"type": "tool_result",
            "tool_use_id": format!("t{}", tick - 3), "content": "ok"}]}}),
        _ => {
            serde_json::json!({"type": "stream_event", "event": {"delta": {"text": format!("word{tick} ")}}})
        }
    };
    Some(line.to_string())
}

#[test]
fn ten_minutes_of_a_busy_run_stay_within_what_telegram_allows_and_show_the_last_state() {
    let ten_minutes = Duration::from_secs(600);
    for (chat, pause, most_a_minute) in [(CHAT, 2, 30), (TEAM, 5, 20)] {
        let replay = replay(chat, ten_minutes, busy);
        let times: Vec<Duration> = replay.calls.iter().map(|(at, _)| *at).collect();
        let (end, before) = times.split_last().expect("it was shown");
        for pair in before.windows(2) {
            let gap = pair[1] - pair[0];
            assert!(gap >= Duration::from_secs(pause), "{gap:?} in {chat:?}");
        }
        for from in &times {
            let minute = *from..*from + Duration::from_secs(60);
            let calls = times.iter().filter(|at| minute.contains(at)).count();
            assert!(
                calls <= most_a_minute + 1,
                "{calls} in a minute in {chat:?}"
            );
        }
        assert_eq!(
            replay.calls.last().map(|(_, text)| text),
            Some(&replay.last)
        );
        assert!(*end < ten_minutes + Duration::from_secs(30), "{end:?}");
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
