//! The objects that programs get, from `telecoder session … --json` and from the API (`web::api`), with types of their
//! own: what is stored can change without them.
//!
//! A field keeps its name and its meaning; new ones may be added. A field is always there: what is not known is `null`.
//! Times are RFC 3339 in UTC. `docs/json.md` has the same for people.

mod changes;
mod evidence;
mod routine;

pub use evidence::Evidence;
pub use routine::Routine;

use jiff::Timestamp;
use rusqlite::Connection;
use serde::Serialize;

use crate::domain::id::{ChatId, RunId, SessionId};
use crate::domain::run::RunEnd;
use crate::domain::session::{self, SessionState};
use crate::domain::shown::without_password;
use crate::store::runs::{self, RunState};
use crate::store::{prompts, verifications};

/// A session: one of `session list`.
#[derive(Clone, Debug, Serialize)]
pub struct Session {
    /// Its name.
    pub session: String,
    /// The chat that it belongs to; 0 if it was made in the shell and no chat has it.
    pub chat: i64,
    /// The topic, in a forum; else `None`.
    pub topic: Option<i32>,
    /// A URL, a path, or `-` for none. Without the password.
    pub repository: String,
    /// `None` until its workspace is made.
    pub branch: Option<String>,
    /// The path of its folder.
    pub workspace: String,
    /// `new`, `ready` or `failed`.
    pub state: &'static str,
    /// The session's own command; `None`: the general one; empty: none.
    pub setup_cmd: Option<String>,
    /// The same for the tests.
    pub test_cmd: Option<String>,
    /// The same for the linter.
    pub lint_cmd: Option<String>,
    /// Whether failing checks go back to claude automatically.
    pub autofix: bool,
    /// How many runs have ended.
    pub runs: u64,
    /// Of all its runs, in US dollars.
    pub cost_usd: f64,
}

impl Session {
    /// With what its runs came to.
    pub fn read(db: &Connection, session: &session::Session) -> rusqlite::Result<Session> {
        let (cost_usd, runs) = runs::session_totals(db, &session.id)?;
        Ok(Session::new(session, runs, cost_usd))
    }

    pub fn new(session: &session::Session, runs: u64, cost_usd: f64) -> Session {
        let is_in_shell = session.at.chat == ChatId::SHELL;
        let topic = session.at.thread.filter(|_| !is_in_shell);
        Session {
            session: session.id.0.clone(),
            chat: session.at.chat.0,
            topic: topic.map(|topic| topic.0),
            repository: without_password(&session.source.name()),
            branch: session.branch.clone(),
            workspace: session.workspace.display().to_string(),
            state: match session.state {
                SessionState::New => "new",
                SessionState::Ready => "ready",
                SessionState::Failed => "failed",
            },
            setup_cmd: session.checks.setup.as_deref().map(without_password),
            test_cmd: session.checks.test.as_deref().map(without_password),
            lint_cmd: session.checks.lint.as_deref().map(without_password),
            autofix: session.autofix,
            runs,
            cost_usd,
        }
    }
}

/// `session inspect`.
#[derive(Clone, Debug, Serialize)]
pub struct Inspected {
    #[serde(flatten)]
    pub session: Session,
    /// The newest first; empty if nothing has run.
    pub last_runs: Vec<LastRun>,
    /// The newest first; empty if nothing was measured.
    pub verifications: Vec<Verification>,
}

/// One of the last runs of a session.
#[derive(Clone, Debug, Serialize)]
pub struct LastRun {
    /// Its id, the name of its folder in `runs/`.
    pub run: String,
    /// `waiting`, `running` or `ended`.
    pub state: &'static str,
    /// What was asked, in the order of writing; empty if claude began by itself.
    pub prompts: Vec<String>,
    /// As in [`Run`]; `None` while it has not ended.
    pub outcome: Option<String>,
    pub reason: Option<String>,
    pub started_at: Option<String>,
    pub ended_at: Option<String>,
    pub cost_usd: Option<f64>,
}

impl LastRun {
    /// The state of a run that has ended.
    pub const ENDED: &str = "ended";

    /// A run as it is now; `None` if there is none any more.
    pub fn read(db: &Connection, id: RunId) -> rusqlite::Result<Option<LastRun>> {
        let Some(state) = runs::state_of(db, id)? else {
            return Ok(None);
        };
        let prompts = prompts::of_run(db, id)?.into_iter();
        let words = prompts.map(|prompt| prompt.content.shown());
        Ok(Some(LastRun::new(id, &state, words.collect())))
    }

    /// The newest runs of a session, the newest first.
    pub fn newest(
        db: &Connection,
        session: &SessionId,
        most: u32,
    ) -> rusqlite::Result<Vec<LastRun>> {
        let ids = runs::newest(db, session, most)?.into_iter();
        // One may have been deleted just now.
        ids.filter_map(|id| LastRun::read(db, id).transpose())
            .collect()
    }

    pub fn new(id: RunId, state: &RunState, prompts: Vec<String>) -> LastRun {
        let ended = match state {
            RunState::Ended(ended) => Some(ended),
            RunState::Waiting | RunState::Running => None,
        };
        LastRun {
            run: id.to_string(),
            state: match state {
                RunState::Waiting => "waiting",
                RunState::Running => "running",
                RunState::Ended(_) => LastRun::ENDED,
            },
            prompts,
            outcome: ended.map(|ended| ended.outcome.clone()),
            reason: ended.and_then(|ended| ended.reason.clone()),
            started_at: ended.and_then(|ended| ended.started_at).map(time),
            ended_at: ended.map(|ended| time(ended.ended_at)),
            cost_usd: ended.map(|ended| ended.cost_usd),
        }
    }
}

/// What was measured, and when.
#[derive(Clone, Debug, Serialize)]
pub struct Verification {
    /// When it was stored: RFC 3339, in UTC.
    pub at: String,
    /// The run that it is about; `None` if nothing had run.
    pub run: Option<String>,
    /// Whether somebody asked for it, by `/verify` or `session verify`.
    pub by_hand: bool,
    pub evidence: Evidence,
}

impl From<&verifications::Verification> for Verification {
    fn from(stored: &verifications::Verification) -> Verification {
        Verification {
            at: time(stored.at),
            run: stored.run.clone(),
            by_hand: stored.by_hand,
            evidence: Evidence::from(&stored.evidence),
        }
    }
}

/// `session create`.
#[derive(Clone, Debug, Serialize)]
pub struct Created {
    /// Its name.
    pub session: String,
    /// The path of its folder.
    pub workspace: String,
    /// `None` until its workspace is made.
    pub branch: Option<String>,
}

impl From<&session::Session> for Created {
    fn from(session: &session::Session) -> Created {
        Created {
            session: session.id.0.clone(),
            workspace: session.workspace.display().to_string(),
            branch: session.branch.clone(),
        }
    }
}

/// `session run` that does not wait for the run's end, or cannot.
#[derive(Clone, Debug, Serialize)]
pub struct Saved {
    /// The session's name.
    pub session: String,
    /// The run's id, the name of its folder in `runs/`.
    pub run: String,
}

impl Saved {
    pub fn new(session: &session::Session, run: RunId) -> Saved {
        Saved {
            session: session.id.0.clone(),
            run: run.to_string(),
        }
    }
}

/// `session run`, when the run has ended.
#[derive(Clone, Debug, Serialize)]
pub struct Run {
    #[serde(flatten)]
    pub saved: Saved,
    /// `completed`, `failed`, `stopped`, `timed_out` or `lost`.
    pub outcome: String,
    /// Why, if the outcome does not say all; else `None`.
    pub reason: Option<String>,
    /// RFC 3339, in UTC; `None` if it never began.
    pub started_at: Option<String>,
    /// RFC 3339, in UTC.
    pub ended_at: String,
    /// US dollars.
    pub cost_usd: f64,
    /// The last text of each turn.
    pub answers: Vec<String>,
    /// `None` if nothing was measured.
    pub evidence: Option<Evidence>,
}

impl Run {
    pub fn new(
        saved: Saved,
        ended: &RunEnd,
        answers: Vec<String>,
        evidence: Option<Evidence>,
    ) -> Run {
        Run {
            saved,
            outcome: ended.outcome.clone(),
            reason: ended.reason.clone(),
            started_at: ended.started_at.map(time),
            ended_at: time(ended.ended_at),
            cost_usd: ended.cost_usd,
            answers,
            evidence,
        }
    }
}

/// Unix milliseconds as RFC 3339, in UTC.
pub fn time(unix_ms: i64) -> String {
    Timestamp::from_millisecond(unix_ms)
        .unwrap_or_default()
        .to_string()
}
