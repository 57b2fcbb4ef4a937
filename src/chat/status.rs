//! The reply to `/status`.

use std::time::Duration;

use super::hold::StatusLine;
use super::text::{cost, duration};
use crate::domain::button::Press;
use crate::domain::choices::{Effort, PermissionMode};
use crate::domain::delivery::NotDelivered;
use crate::domain::id::ThreadId;
use crate::domain::job::Task;
use crate::domain::outgoing::Outgoing;
use crate::domain::run::RunEnd;
use crate::domain::session::{Reported, Session, SessionState, Source};
use crate::domain::shown::without_password;
use crate::redact::short::one_line;

/// The facts that `/status` shows, read from the store together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    pub session: Option<Session>,
    /// How claude said that it works.
    pub reported: Option<Reported>,
    /// What the chat has chosen for the next run; claude does not report it.
    pub effort: Option<Effort>,
    /// How long the current run has been running.
    pub running_for: Option<Duration>,
    /// How many of claude's questions are open in it.
    pub asks: usize,
    /// The current run belongs to a session that the chat has left.
    pub running_elsewhere: bool,
    pub waiting: usize,
    /// The session is open in a terminal.
    pub is_at_terminal: bool,
    /// The current job, and how long it has been running.
    pub job: Option<(Task, Duration)>,
    /// How many late prompts wait for a person.
    pub late: usize,
    /// The line about a hold.
    pub hold: Option<StatusLine>,
    /// The topic of the command.
    pub thread: Option<ThreadId>,
    /// The runs of all chats fill every place for runs.
    pub no_free_place: bool,
    pub last: Option<RunEnd>,
    /// How long ago the last run ended.
    pub last_ago: Option<Duration>,
    pub cost_usd: f64,
    pub runs: u64,
    /// What goes on in the background, behind the last run.
    pub in_background: Vec<String>,
    /// Messages of this chat that were not delivered.
    pub not_delivered: NotDelivered,
    /// Messages not delivered in other chats, and in how many chats; for the owner.
    pub not_delivered_elsewhere: (u64, u64),
    /// How long another program has been polling with the same token.
    pub other_poller_for: Option<Duration>,
    /// How long a webhook has been taking the bot's messages, and at which host.
    pub webhook: Option<(Duration, Option<String>)>,
}

/// One line per fact that applies.
pub fn status(facts: &Facts) -> Outgoing {
    let mut lines = Vec::new();
    match &facts.session {
        None => lines.push("No session yet: your first message starts one.".to_owned()),
        Some(session) => lines.extend(session_lines(session)),
    }
    if let Some(reported) = &facts.reported {
        lines.push(claude_line(reported, facts.effort));
    }
    match facts.running_for {
        Some(elapsed) if facts.running_elsewhere => lines.push(format!(
            "Running: for {}, in the session before this one",
            duration(elapsed)
        )),
        Some(elapsed) => lines.push(format!(
            "Running: for {}{}",
            duration(elapsed),
            match facts.asks {
                0 => String::new(),
                1 => "; claude waits for your answer to a question above".to_owned(),
                many => format!("; claude waits for your answers to {many} questions above"),
            }
        )),
        None if facts.is_at_terminal => lines.push(
            "Running: nothing; the session is open in a terminal, and prompts wait until it is handed back".to_owned(),
        ),
        None if facts.waiting > 0 && facts.no_free_place => lines.push(
            "Running: nothing here; all places for runs are taken (TELECODER_MAX_RUNS)".to_owned(),
        ),
        None => lines.push(match &facts.job {
            Some((task, elapsed)) => format!("{}: for {}", doing(task), duration(*elapsed)),
            None => "Running: nothing".to_owned(),
        }),
    }
    if !facts.in_background.is_empty() {
        let tasks = one_line(&facts.in_background.join(", "), 120);
        lines.push(format!("In the background: {tasks}; /stop ends it"));
    }
    if facts.waiting > 0 {
        lines.push(format!("Waiting: {}", prompts(facts.waiting)));
    }
    lines.extend(facts.hold.as_ref().map(|line| line.text.clone()));
    if facts.late > 0 {
        lines.push(format!(
            "Late, waiting for your decision: {}",
            prompts(facts.late)
        ));
    }
    if let Some(last) = &facts.last {
        lines.push(last_line(last, facts.last_ago));
    }
    if facts.runs > 0 {
        lines.push(format!(
            "Session so far: {}, {}",
            match facts.runs {
                1 => "1 run".to_owned(),
                many => format!("{many} runs"),
            },
            cost(facts.cost_usd)
        ));
    }
    lines.extend(trouble_lines(facts));
    let mut message = Outgoing::note(lines.join("\n"));
    if let Some(line) = &facts.hold {
        message = message
            .telling(line.time.clone())
            .with_button("Try now", Press::TryNow(facts.thread));
    }
    if facts.late > 0 {
        message = message.with_button("Run late prompts", Press::RunLate(facts.thread));
    }
    if facts.not_delivered.count > 0 {
        message = message.with_button("Send what did not arrive", Press::SendParked);
    }
    message
}

fn doing(task: &Task) -> &'static str {
    match task {
        Task::Verify { .. } | Task::Check => "Checking",
        Task::Setup => "Setting up",
        Task::Diff | Task::AskUndo { .. } => "Looking at what changed",
        Task::Push | Task::PushIn { .. } => "Pushing",
        Task::Fetch { .. } => "Fetching a file",
        Task::Undo { .. } | Task::Redo { .. } => "Restoring files",
        Task::SendFiles | Task::SendSecrets { .. } | Task::Get { .. } => "Sending files",
    }
}

/// Problems outside the session.
fn trouble_lines(facts: &Facts) -> Vec<String> {
    let mut lines = Vec::new();
    if facts.not_delivered.count > 0 {
        let why = match &facts.not_delivered.reason {
            Some(reason) => format!(" ({})", one_line(reason, 120)),
            None => String::new(),
        };
        lines.push(format!(
            "Not delivered here: {}{why}",
            messages(facts.not_delivered.count)
        ));
    }
    let (elsewhere, chats) = facts.not_delivered_elsewhere;
    if elsewhere > 0 {
        let chats = match chats {
            1 => "1 other chat".to_owned(),
            many => format!("{many} other chats"),
        };
        lines.push(format!(
            "Not delivered in {chats}: {}; the log says why",
            messages(elsewhere)
        ));
    }
    if let Some(since) = facts.other_poller_for {
        lines.push(format!(
            "Another program has been using this bot's token for {}, so each gets only some messages; stop the \
             other one",
            duration(since)
        ));
    }
    if let Some((since, host)) = &facts.webhook {
        lines.push(format!(
            "For {}, Telegram has been sending this bot's messages to a webhook at {} and not here; `telecoder init \
             --delete-webhook` on this machine removes it",
            duration(*since),
            host.as_deref().unwrap_or("an unknown place")
        ));
    }
    lines
}

fn prompts(count: usize) -> String {
    match count {
        1 => "1 prompt".to_owned(),
        many => format!("{many} prompts"),
    }
}

fn messages(count: u64) -> String {
    match count {
        1 => "1 message".to_owned(),
        many => format!("{many} messages"),
    }
}

fn session_lines(session: &Session) -> Vec<String> {
    let mut lines = vec![format!(
        "Session {}{}",
        session.id,
        match session.state {
            SessionState::New => " (preparing its workspace)",
            SessionState::Ready => "",
            SessionState::Failed => " (could not be set up)",
        }
    )];
    match &session.source {
        Source::Empty => lines.push("Repository: none, an empty workspace".to_owned()),
        Source::Clone(url) => lines.push(format!("Repository: {}", without_password(url))),
        Source::Worktree(path) => lines.push(format!("Repository: {}", path.display())),
    }
    if let Some(branch) = session.branch.as_ref().or(session.wanted_branch.as_ref()) {
        lines.push(format!("Branch: {branch}"));
    }
    lines.push(format!("Folder: {}", session.workspace.display()));
    lines
}

/// How claude really works, which may differ from what it was asked for.
fn claude_line(reported: &Reported, effort: Option<Effort>) -> String {
    let mut line = format!("Claude: {}", one_line(&reported.model, 60));
    if !reported.mode.is_empty() {
        let known = PermissionMode::named(&reported.mode).map(PermissionMode::shown);
        let mode = known.map_or_else(|| one_line(&reported.mode, 30), str::to_owned);
        line.push_str(&format!(", mode {mode}"));
    }
    if let Some(effort) = effort {
        line.push_str(&format!(", effort {}", effort.name()));
    }
    line
}

fn last_line(last: &RunEnd, ago: Option<Duration>) -> String {
    let how = match last.outcome.as_str() {
        "completed" => "done",
        "timed_out" => "stopped at the time limit",
        other => other,
    };
    let mut line = format!("Last: {how}");
    if let Some(started) = last.started_at {
        let took = u64::try_from(last.ended_at - started).unwrap_or(0);
        line.push_str(&format!(" after {}", duration(Duration::from_millis(took))));
    }
    if last.cost_usd > 0.0 {
        line.push_str(&format!(", {}", cost(last.cost_usd)));
    }
    if let Some(ago) = ago {
        line.push_str(&format!(", {} ago", duration(ago)));
    }
    if let Some(reason) = &last.reason {
        line.push_str(&format!(" ({})", one_line(reason, 120)));
    }
    line
}
