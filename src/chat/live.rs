//! The live message's text during a run, and the line it shrinks to.

use crate::domain::choices::Verbosity;
use crate::domain::live::LiveText;
use crate::domain::shown::visible;
use std::time::Duration;

use super::text::{cost_with_dot, duration, tools_clause};
use crate::chat::hold::warning_clause;
use crate::domain::event::{ApiProblem, Retry, ToDo, ToDoState};
use crate::domain::progress::{Progress, Step, StepState};
use crate::domain::run::{Outcome, RunEnd};
use crate::redact::short::{newest_words, one_line};

/// How long a step's argument may be, in characters.
const ARGUMENT_SHOWN: usize = 60;
/// How much of the newest words is shown, in characters.
const WORDS_SHOWN: usize = 300;
/// How much of the names of work in the background is shown, in characters.
const BACKGROUND_SHOWN: usize = 120;
/// How many lines of claude's to-do list are shown.
const TO_DOS_SHOWN: usize = 8;

/// The facts about a current run that its progress does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Going {
    pub elapsed: Duration,
    pub stopping: bool,
    /// How many prompts wait behind it.
    pub waiting: usize,
    /// How many of claude's questions are open.
    pub asks: usize,
    pub verbosity: Verbosity,
}

/// The state of a current run.
pub fn live(progress: &Progress, going: Going) -> LiveText {
    let mut text = LiveText::plain(format!(
        "{} · {}",
        match (going.stopping, going.asks) {
            (true, _) => "Stopping",
            (false, 0) => "Working",
            (false, 1) => "Waiting for your answer",
            (false, _) => "Waiting for your answers",
        },
        duration(ticking(going.elapsed))
    ));
    match going.waiting {
        0 => {}
        1 => text.push(" · 1 prompt waits"),
        many => text.push(&format!(" · {many} prompts wait")),
    }
    text.push(&warning_clause(progress.limit.as_ref()));
    if let Some(retry) = &progress.retry {
        text.push("\n\n");
        text.push(&retrying(retry));
    }
    if going.verbosity == Verbosity::Quiet {
        return text;
    }
    if !progress.to_dos.is_empty() {
        text.push("\n\n");
        text.push(&list(&progress.to_dos));
    }
    let hidden = progress.steps.len().saturating_sub(going.verbosity.steps());
    for (number, step) in progress.steps.iter().skip(hidden).enumerate() {
        text.push(if number == 0 { "\n\n" } else { "\n" });
        push_step(&mut text, step);
        if going.verbosity == Verbosity::Detailed {
            push_result(&mut text, step);
        }
    }
    let tasks: Vec<&str> = progress.in_background().collect();
    if !tasks.is_empty() {
        text.push("\n\nIn the background: ");
        text.push(&visible(&one_line(&tasks.join(", "), BACKGROUND_SHOWN)));
    }
    text.words = newest_words(&progress.words, WORDS_SHOWN);
    text
}

/// Rounds the time shown, more the longer a run takes, so that fewer edits only move the clock.
pub(super) fn ticking(elapsed: Duration) -> Duration {
    let step = match elapsed.as_secs() {
        0..60 => 1,
        60..600 => 10,
        600..3_600 => 30,
        _ => 60,
    };
    Duration::from_secs(elapsed.as_secs() / step * step)
}

/// The one line that stays after the run's end.
pub fn record(outcome: &Outcome, elapsed: Duration, progress: &Progress) -> String {
    let how = match outcome {
        Outcome::Completed => "Done",
        Outcome::Failed(_) => "Failed",
        Outcome::Stopped => "Stopped",
        Outcome::TimedOut => "Stopped at the time limit",
        Outcome::Lost => "Lost",
    };
    format!(
        "{how} · {}{}{}",
        duration(elapsed),
        tools_clause(progress.tool_calls),
        cost_with_dot(progress.cost_usd())
    )
}

/// The same line for a run that ended before the bot could show it.
pub fn record_of(ended: &RunEnd) -> String {
    let how = match ended.outcome.as_str() {
        "completed" => "Done",
        "stopped" => "Stopped",
        "timed_out" => "Stopped at the time limit",
        "lost" => "Lost",
        _ => "Failed",
    };
    let started_at = ended.started_at.unwrap_or(ended.ended_at);
    let took = u64::try_from(ended.ended_at - started_at).unwrap_or(0);
    format!(
        "{how} · {}{}",
        duration(Duration::from_millis(took)),
        cost_with_dot(ended.cost_usd)
    )
}

/// The last steps, a line each, of a lost run.
pub fn last_steps(progress: &Progress) -> String {
    const SHOWN: usize = 6;
    let hidden = progress.steps.len().saturating_sub(SHOWN);
    let mut text = LiveText::default();
    for (number, step) in progress.steps.iter().skip(hidden).enumerate() {
        if number > 0 {
            text.push("\n");
        }
        push_step(&mut text, step);
    }
    text.text
}

fn push_step(text: &mut LiveText, step: &Step) {
    text.push(match step.state {
        StepState::Running => "▸ ",
        StepState::Done => "✓ ",
        StepState::Failed => "✗ ",
    });
    text.push(&one_line(&step.tool.name, ARGUMENT_SHOWN));
    let argument = visible(&one_line(&step.tool.argument, ARGUMENT_SHOWN));
    if !argument.is_empty() {
        text.push(" ");
        text.push_code(&argument);
    }
    if let Some(edited) = step.edited {
        text.push(&format!(" +{} −{}", edited.added, edited.removed));
    }
    if step.state == StepState::Running && step.seconds > 0 {
        text.push(&format!(
            " · {}",
            duration(Duration::from_secs(step.seconds))
        ));
    }
    if let Some(subagent) = &step.subagent {
        text.push(&tools_clause(subagent.tool_calls));
        if step.state == StepState::Running {
            text.push(" · ");
            text.push_code(&visible(&one_line(&subagent.last, ARGUMENT_SHOWN)));
        }
    }
}

fn push_result(text: &mut LiveText, step: &Step) {
    let result = visible(&one_line(&step.result, ARGUMENT_SHOWN));
    if !result.is_empty() {
        text.push("\n   ");
        text.push_code(&result);
    }
}

/// claude's to-do list; of a long one, the current part.
fn list(to_dos: &[ToDo]) -> String {
    let done = to_dos
        .iter()
        .filter(|to_do| to_do.state == ToDoState::Completed)
        .count();
    // Begins at the last completed line, so that the current one is in sight.
    let first = match to_dos.len() <= TO_DOS_SHOWN {
        true => 0,
        false => done.saturating_sub(1).min(to_dos.len() - TO_DOS_SHOWN),
    };
    let mut lines: Vec<String> = to_dos[first..]
        .iter()
        .take(TO_DOS_SHOWN)
        .map(|to_do| {
            let sign = match to_do.state {
                ToDoState::Completed => "☑",
                ToDoState::InProgress => "▸",
                ToDoState::Pending | ToDoState::Deleted => "☐",
            };
            format!("{sign} {}", one_line(&to_do.subject, ARGUMENT_SHOWN))
        })
        .collect();
    if to_dos.len() > TO_DOS_SHOWN {
        lines.push(format!("{done} of {} done", to_dos.len()));
    }
    lines.join("\n")
}

fn retrying(retry: &Retry) -> String {
    let what = match &retry.problem {
        ApiProblem::NotLoggedIn => "The API does not accept the login",
        ApiProblem::RateLimited => "The API says that a limit is reached",
        ApiProblem::Overloaded => "The API is overloaded",
        ApiProblem::ServerError => "The API has an internal error",
        ApiProblem::UnknownModel | ApiProblem::Refused => "The API refuses the request",
        ApiProblem::Other(_) => "The API cannot be reached",
    };
    format!(
        "{what}; claude asks again in {:.0} s (attempt {} of {}).",
        retry.pause.max(1.0),
        retry.attempt,
        retry.attempts
    )
}
