//! What the live message says while a run goes on, and the line it shrinks to.

use std::ops::Range;
use std::time::Duration;

use super::holding::warning_clause;
use super::text::{cost_with_dot, duration, tools_clause};
use crate::domain::button::Press;
use crate::domain::event::{ApiProblem, Retry, ToDo, ToDoState};
use crate::domain::id::{JobId, RunId, SessionId};
use crate::domain::progress::{Progress, Step, StepState};
use crate::redact::Redactor;
use crate::run::{Ended, Outcome};

/// How long a step's argument may be, in characters.
const ARGUMENT_SHOWN: usize = 60;
/// How much of the newest words is shown, in characters.
const WORDS_SHOWN: usize = 300;
/// How many lines of claude's list are shown.
const TO_DOS_SHOWN: usize = 8;

/// What a live message follows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LiveOf {
    Run(RunId),
    Job(JobId),
    /// A workspace that is being made.
    Setup(SessionId),
}

impl LiveOf {
    /// What its Stop button asks for.
    pub fn stop(&self) -> Press {
        match self {
            LiveOf::Run(run) => Press::Stop(*run),
            LiveOf::Job(job) => Press::StopJob(*job),
            LiveOf::Setup(session) => Press::StopSetup(session.clone()),
        }
    }
}

/// How much the live message of a chat tells. `/verbose`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// That it works, and for how long.
    Quiet,
    /// The list, the last steps, the newest words.
    #[default]
    Normal,
    /// More steps, and what each gave back.
    Detailed,
}

impl Verbosity {
    pub const ALL: [Verbosity; 3] = [Verbosity::Quiet, Verbosity::Normal, Verbosity::Detailed];

    /// As `/verbose` takes it and the store keeps it.
    pub fn number(self) -> u8 {
        self as u8
    }

    pub fn numbered(number: u8) -> Option<Verbosity> {
        Verbosity::ALL.get(usize::from(number)).copied()
    }

    fn steps(self) -> usize {
        match self {
            Verbosity::Quiet => 0,
            Verbosity::Normal => 4,
            Verbosity::Detailed => 10,
        }
    }
}

/// A text of which some is shown as code: commands and paths, which a client would otherwise take for links.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LiveText {
    pub text: String,
    /// In bytes, in their order.
    pub code: Vec<Range<usize>>,
    /// The newest words of the answer, below it; Markdown that may be cut anywhere.
    pub words: String,
}

impl LiveText {
    pub fn plain(text: impl Into<String>) -> LiveText {
        LiveText {
            text: text.into(),
            code: Vec::new(),
            words: String::new(),
        }
    }

    /// The same without the secrets in it; what is shown as code still is.
    pub fn without_secrets(mut self, redactor: &Redactor) -> LiveText {
        redactor.clean(&mut self.words);
        let secrets = redactor.secrets(&self.text);
        if secrets.is_empty() {
            return self;
        }
        let mut shown = String::with_capacity(self.text.len());
        // Where each secret was, and where its stand-in is.
        let mut places: Vec<(Range<usize>, Range<usize>)> = Vec::with_capacity(secrets.len());
        for secret in secrets {
            let from = places.last().map_or(0, |(was, _)| was.end);
            shown.push_str(&self.text[from..secret.range.start]);
            let start = shown.len();
            shown.push_str(&secret.stand_in());
            places.push((secret.range, start..shown.len()));
        }
        let from = places.last().map_or(0, |(was, _)| was.end);
        shown.push_str(&self.text[from..]);
        let mut end_before = 0;
        for range in &mut self.code {
            // Two that share a secret do not share its stand-in.
            let start = moved(range.start, &places, |stand_in| stand_in.start).max(end_before);
            let end = moved(range.end, &places, |stand_in| stand_in.end).max(start);
            *range = start..end;
            end_before = end;
        }
        self.text = shown;
        self
    }

    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    pub(super) fn push_code(&mut self, code: &str) {
        let start = self.text.len();
        self.text.push_str(code);
        if !code.is_empty() {
            self.code.push(start..self.text.len());
        }
    }
}

/// Where a place in a text is when secrets have become stand-ins; one within a secret goes to an edge.
fn moved(
    at: usize,
    places: &[(Range<usize>, Range<usize>)],
    edge: impl Fn(&Range<usize>) -> usize,
) -> usize {
    match places.iter().rev().find(|(was, _)| was.start < at) {
        Some((was, stand_in)) if at < was.end => edge(stand_in),
        Some((was, stand_in)) => at - was.end + stand_in.end,
        None => at,
    }
}

/// What is known of a run that goes on, beside its progress.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Going {
    pub elapsed: Duration,
    pub stopping: bool,
    /// How many prompts wait behind it.
    pub waiting: usize,
    /// How many questions of claude's are open.
    pub asks: usize,
    pub verbosity: Verbosity,
}

/// The state of a run that goes on.
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
    text.words = newest_words(&progress.words);
    text
}

/// The longer a run takes, the more seldom its clock moves: an edit only for the time is no news.
pub(super) fn ticking(elapsed: Duration) -> Duration {
    let step = match elapsed.as_secs() {
        0..60 => 1,
        60..600 => 10,
        600..3_600 => 30,
        _ => 60,
    };
    Duration::from_secs(elapsed.as_secs() / step * step)
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
    let argument = one_line(&step.tool.argument, ARGUMENT_SHOWN);
    if !argument.is_empty() {
        text.push(" ");
        text.push_code(&argument);
    }
    if let Some(edited) = step.edited {
        text.push(&format!(" +{} −{}", edited.added, edited.removed));
    }
    if let Some(subagent) = &step.subagent {
        text.push(&tools_clause(subagent.tool_calls));
        if step.state == StepState::Running {
            text.push(" · ");
            text.push_code(&one_line(&subagent.last, ARGUMENT_SHOWN));
        }
    }
}

fn push_result(text: &mut LiveText, step: &Step) {
    let result = one_line(&step.result, ARGUMENT_SHOWN);
    if !result.is_empty() {
        text.push("\n   ");
        text.push_code(&result);
    }
}

/// claude's list with its ticks; of a long one what is at hand.
fn list(to_dos: &[ToDo]) -> String {
    let done = to_dos
        .iter()
        .filter(|to_do| to_do.state == ToDoState::Completed)
        .count();
    // From the last one that is done, so that what is being done is in sight.
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
