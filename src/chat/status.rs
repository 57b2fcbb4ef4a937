//! What `/status` says.

use std::time::Duration;

use super::Outgoing;
use super::text::{cost, duration, without_password};
use crate::run::Ended;
use crate::session::{Session, SessionState, Source};

/// Everything that `/status` tells, gathered in one look at the store.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    pub session: Option<Session>,
    /// How long the current run has been going on.
    pub running_for: Option<Duration>,
    /// The running run belongs to a session that the chat has left.
    pub running_elsewhere: bool,
    pub waiting: usize,
    /// Runs in all chats take all the places that there are.
    pub no_free_place: bool,
    pub last: Option<Ended>,
    /// How long ago the last run ended.
    pub last_ago: Option<Duration>,
    pub cost_usd: f64,
    pub runs: u64,
}

/// One line a fact; what is not so is left out.
pub fn status(facts: &Facts) -> Outgoing {
    let mut lines = Vec::new();
    match &facts.session {
        None => lines.push("No session yet: your first message starts one.".to_owned()),
        Some(session) => lines.extend(session_lines(session)),
    }
    match facts.running_for {
        Some(elapsed) if facts.running_elsewhere => lines.push(format!(
            "Running: for {}, in the session before this one",
            duration(elapsed)
        )),
        Some(elapsed) => lines.push(format!("Running: for {}", duration(elapsed))),
        None if facts.waiting > 0 && facts.no_free_place => lines.push(
            "Running: nothing here; all places for runs are taken (TELECODER_MAX_RUNS)".to_owned(),
        ),
        None => lines.push("Running: nothing".to_owned()),
    }
    if facts.waiting > 0 {
        lines.push(match facts.waiting {
            1 => "Waiting: 1 prompt".to_owned(),
            many => format!("Waiting: {many} prompts"),
        });
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
    Outgoing::note(lines.join("\n"))
}

fn session_lines(session: &Session) -> Vec<String> {
    let mut lines = vec![format!(
        "Session {}{}",
        session.id,
        match session.state {
            SessionState::New => " (being set up)",
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

fn last_line(last: &Ended, ago: Option<Duration>) -> String {
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
        line.push_str(&format!(" ({})", super::live::one_line(reason, 120)));
    }
    line
}
