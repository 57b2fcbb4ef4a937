//! A run's events as lines that a person can read.

use std::collections::VecDeque;

use super::questions;
use crate::domain::event::Event;
use crate::domain::outgoing::{Body, Outgoing};
use crate::redact::short::one_line;

/// How many lines `/logs` shows by default.
pub const LINES: usize = 30;
/// A longer log comes as a file; in UTF-16 units, so that it is one message with room to spare.
const LONGEST_MESSAGE: usize = 3_500;
const LINE_WIDTH: usize = 160;

/// Collects the last lines of a run from its events.
pub struct Lines {
    keep: usize,
    lines: VecDeque<String>,
    left_out: usize,
}

impl Lines {
    pub fn last(keep: usize) -> Lines {
        Lines {
            keep,
            lines: VecDeque::new(),
            left_out: 0,
        }
    }

    pub fn add(&mut self, event: &Event) {
        for line in lines_of(event) {
            if self.lines.len() == self.keep {
                self.lines.pop_front();
                self.left_out += 1;
            }
            self.lines.push_back(line);
        }
    }

    /// The reply to `/logs`: a message if it is short, a file if it is long.
    pub fn message(self, going_on: bool) -> Outgoing {
        if self.lines.is_empty() {
            return Outgoing::note(if going_on {
                "The run has begun and has not said anything yet."
            } else {
                "The run said nothing."
            });
        }
        let shown = self.lines.len();
        let head = match (going_on, self.left_out) {
            (true, 0) => "The run so far:".to_owned(),
            (true, _) => format!("The last {shown} lines of the run so far:"),
            (false, 0) => "The last run:".to_owned(),
            (false, _) => format!("The last {shown} lines of the last run:"),
        };
        let text = self.lines.into_iter().collect::<Vec<_>>().join("\n");
        if text.encode_utf16().count() <= LONGEST_MESSAGE {
            return Outgoing::note(head).quoting(text);
        }
        Outgoing::of(Body::File {
            name: "run.log".to_owned(),
            content: text,
            caption: head,
        })
    }
}

/// `/logs` before the first run.
pub fn none_yet() -> Outgoing {
    Outgoing::note("Nothing has run in this chat yet.")
}

/// `/logs` of a run whose record is gone.
pub fn gone() -> Outgoing {
    Outgoing::note("The record of the last run is gone.")
}

/// `/logs` and `/raw` while the disk with the records hangs.
pub fn disk_does_not_answer() -> Outgoing {
    Outgoing::note(
        "The disk with the records of the runs does not answer. Nothing was changed; ask again later.",
    )
}

/// An event as lines; none if it is of no use to a person.
pub fn lines_of(event: &Event) -> Vec<String> {
    match event {
        Event::TurnStarted { model, .. } => vec![format!("— turn, {model}")],
        Event::Text(text) => text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .map(str::to_owned)
            .collect(),
        Event::ToolUse(tool) => vec![format!(
            "▸ {} {}",
            tool.name,
            one_line(&tool.argument, LINE_WIDTH)
        )],
        Event::ToolResult(result) if result.text.trim().is_empty() => Vec::new(),
        Event::ToolResult(result) => {
            let sign = if result.failed { "✗" } else { " " };
            vec![format!("{sign}   {}", one_line(&result.text, LINE_WIDTH))]
        }
        Event::Asks(request) => vec![format!(
            "? {}",
            one_line(&questions::in_short(request), LINE_WIDTH)
        )],
        Event::AskCancelled(_) => vec!["? no answer is needed any more".to_owned()],
        Event::TaskStarted { what, .. } => vec![format!("+ {what}")],
        Event::Retrying(retry) => vec![format!(
            "! the API is asked again, attempt {} of {}",
            retry.attempt, retry.attempts
        )],
        Event::Compacted { before, after } => {
            vec![format!(
                "— conversation compacted, {before} to {after} tokens"
            )]
        }
        Event::TurnEnded(end) if end.failed => vec![format!(
            "✗ failed: {}",
            if end.text.is_empty() {
                end.errors.join("; ")
            } else {
                end.text.clone()
            }
        )],
        Event::TurnEnded(_) => vec!["— done".to_owned()],
        Event::Garbage => vec!["? a line that cannot be read".to_owned()],
        Event::Words(_)
        | Event::ToDo(_)
        | Event::TaskEnded { .. }
        | Event::StillRunning { .. }
        | Event::InBackground(_)
        | Event::Limit(_)
        | Event::Mode(_)
        | Event::ApiProblem(_)
        | Event::Busy
        | Event::Idle
        | Event::TakenUp(_)
        | Event::CutOff
        | Event::PlanRead { .. }
        | Event::Withdrawn { .. }
        | Event::Other(_) => Vec::new(),
    }
}
