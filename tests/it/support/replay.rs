//! A run's lines against the pace of its live message, in virtual time: for the tests and for a benchmark.

use std::time::Duration;

use telecoder::chat::live::{self, Going};
use telecoder::claude::stream;
use telecoder::domain::choices::Verbosity;
use telecoder::domain::id::ChatId;
use telecoder::domain::live::LiveText;
use telecoder::domain::progress::Progress;
use telecoder::telegram::budget::{Budget, Rank, edit_pause};
use telecoder::telegram::pace::Pace;
use tokio::time::Instant;

const TICK: Duration = Duration::from_millis(100);

/// What a chat was shown, and when.
pub struct Replay {
    pub calls: Vec<(Duration, LiveText)>,
}

/// A run of this length, with `line` as the line that claude prints at each tick.
pub fn replay(chat: ChatId, length: Duration, line: impl Fn(u64) -> Option<String>) -> Replay {
    let start = Instant::now();
    let (mut budget, mut pace) = (Budget::new(chat, start), Pace::new(start));
    let mut progress = Progress::default();
    let mut calls = Vec::new();
    let ticks = u64::try_from(length.as_millis() / TICK.as_millis()).expect("not so many");
    let mut call = |budget: &mut Budget, pace: &mut Pace, now: Instant| {
        let is_due = pace.due_at().is_some_and(|due| due <= now);
        if is_due
            && budget.ready_at(Rank::Edit, now) <= now
            && let Some(text) = pace.take()
        {
            budget.begin(Rank::Edit);
            budget.end(Rank::Edit, now);
            pace.shown(text.clone(), now, edit_pause(chat));
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
    Replay { calls }
}

/// A line of a busy run: words, tool calls, their results.
pub fn busy(tick: u64) -> Option<String> {
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
