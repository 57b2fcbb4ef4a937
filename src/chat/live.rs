//! What the live message says while a run goes on, and the line it shrinks to.

use std::time::Duration;

use super::text::{cost_with_dot, duration, tools_clause};
use crate::event::{ApiProblem, Retry};
use crate::progress::{Progress, Step, StepState};
use crate::run::{Ended, Outcome};

/// How many of the newest steps are shown.
const STEPS_SHOWN: usize = 4;
/// How long a step's argument may be, in characters.
const ARGUMENT_SHOWN: usize = 60;
/// How much of the newest words is shown, in characters.
const WORDS_SHOWN: usize = 300;

/// The state of a run that goes on.
pub fn live(progress: &Progress, elapsed: Duration, stopping: bool, waiting: usize) -> String {
    let mut text = format!(
        "{} · {}",
        if stopping { "Stopping" } else { "Working" },
        duration(elapsed)
    );
    match waiting {
        0 => {}
        1 => text.push_str(" · 1 prompt waits"),
        many => text.push_str(&format!(" · {many} prompts wait")),
    }
    if let Some(retry) = &progress.retry {
        text.push_str("\n\n");
        text.push_str(&retrying(retry));
    }
    let hidden = progress.steps.len().saturating_sub(STEPS_SHOWN);
    let steps: Vec<String> = progress.steps.iter().skip(hidden).map(step).collect();
    if !steps.is_empty() {
        text.push_str("\n\n");
        text.push_str(&steps.join("\n"));
    }
    let words = newest_words(&progress.words);
    if !words.is_empty() {
        text.push_str("\n\n");
        text.push_str(&words);
    }
    text
}

/// The one line that stays when the run has ended.
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
pub fn record_of(ended: &Ended) -> String {
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

/// The last steps, a line each, for a run that cannot say more itself.
pub fn last_steps(progress: &Progress) -> String {
    progress
        .steps
        .iter()
        .map(step)
        .collect::<Vec<_>>()
        .join("\n")
}

fn step(step: &Step) -> String {
    let sign = match step.state {
        StepState::Running => "▸",
        StepState::Done => "✓",
        StepState::Failed => "✗",
    };
    let argument = one_line(&step.tool.argument, ARGUMENT_SHOWN);
    let inset = if step.tool.by_subagent { "  " } else { "" };
    let name = one_line(&step.tool.name, ARGUMENT_SHOWN);
    format!("{inset}{sign} {name} {argument}")
        .trim_end()
        .to_owned()
}

fn retrying(retry: &Retry) -> String {
    let what = match &retry.problem {
        ApiProblem::NotLoggedIn => "The API does not accept the login",
        ApiProblem::RateLimited => "The API says that a limit is reached",
        ApiProblem::Overloaded => "The API is overloaded",
        ApiProblem::ServerError => "The API has an error of its own",
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

fn newest_words(words: &str) -> String {
    let words = words.trim();
    let count = words.chars().count();
    if count <= WORDS_SHOWN {
        return words.to_owned();
    }
    let tail: String = words.chars().skip(count - WORDS_SHOWN).collect();
    // From a word's start, where there is one.
    let from = tail.find(char::is_whitespace).map_or(0, |space| space + 1);
    format!("… {}", &tail[from..])
}

/// The first line, cut to a length.
pub fn one_line(text: &str, characters: usize) -> String {
    let line = text.lines().next().unwrap_or_default().trim();
    let cut = line.chars().count() > characters || text.trim().lines().count() > 1;
    let start: String = line.chars().take(characters).collect();
    if cut { format!("{start}…") } else { start }
}
