//! How moments, places and states are said on the page.

use std::time::Duration;

use jiff::Timestamp;
use maud::{Markup, html};

use crate::chat::text::duration;
use crate::domain::id::{ChatId, ChatThread};
use crate::domain::session::Source;
use crate::domain::shown::without_password;
use crate::store::page::{RunLine, age_ms};
use crate::store::runs::RunState;

/// A moment, as how long ago it was; the moment itself stands behind it. In Unix milliseconds.
pub(super) fn ago(moment: i64) -> Markup {
    let at =
        Timestamp::from_millisecond(moment).map_or_else(|_| String::new(), |at| at.to_string());
    let age = Duration::from_millis(age_ms(moment));
    html! { time datetime=(at) title=(at) { (duration(age)) " ago" } }
}

/// A chat, as the reader would call it.
pub(super) fn chat(at: ChatThread, own: ChatId) -> String {
    let chat = match at.chat {
        ChatId::SHELL => return "the shell".to_owned(),
        chat if chat == own => "your chat".to_owned(),
        chat if chat.is_group() => format!("group {}", chat.0),
        chat => format!("chat {}", chat.0),
    };
    match at.thread {
        Some(thread) => format!("{chat}, topic {}", thread.0),
        None => chat,
    }
}

pub(super) fn repository(source: &Source) -> String {
    match source.short_name() {
        Some(name) => without_password(&name),
        None => "an empty workspace".to_owned(),
    }
}

/// The word for a state, and the class that colors it.
pub(super) fn state(run: &RunLine) -> (&'static str, &'static str) {
    match &run.state {
        RunState::Waiting => ("waits", "waits"),
        RunState::Running => ("works", "works"),
        RunState::Ended(_) if run.was_undone => ("undone", "undone"),
        RunState::Ended(end) => match end.outcome.as_str() {
            "completed" => ("done", "done"),
            "stopped" => ("stopped", "stopped"),
            "timed_out" => ("out of time", "failed"),
            "lost" => ("lost", "failed"),
            _ => ("failed", "failed"),
        },
    }
}

/// The state as a mark, which is read as well as seen.
pub(super) fn mark(run: &RunLine) -> Markup {
    let (word, class) = state(run);
    html! { span class={ "state " (class) } { (word) } }
}

/// When a run was, how long it took and what it cost.
pub(super) fn when(run: &RunLine) -> Markup {
    let begun = run.started_at.unwrap_or(run.queued_at);
    html! {
        (ago(begun))
        @if let RunState::Ended(end) = &run.state {
            @if let Some(took) = run.started_at.and_then(|at| u64::try_from(end.ended_at - at).ok()) {
                ", took " (duration(Duration::from_millis(took)))
            }
            @if end.cost_usd > 0.0 { ", " (crate::chat::text::cost(end.cost_usd)) }
        }
    }
}
