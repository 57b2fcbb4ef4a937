//! A run: one `claude` process from prompt to outcome.

use crate::domain::evidence::Deeds;
use crate::domain::id::ChatThread;
use crate::domain::id::MessageId;
use crate::domain::id::RunId;
use crate::domain::id::SessionId;

/// A run as the store keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    pub id: RunId,
    pub session: SessionId,
    pub at: ChatThread,
    /// The run that began the process in which this one takes place; mostly itself. Its folder has the record.
    pub process: RunId,
    /// The events of earlier runs in the process end at this byte.
    pub events_from: u64,
    /// What earlier runs in the process have cost, in US dollars.
    pub cost_before: f64,
    /// The message that the answer replies to.
    pub asked_by: Option<MessageId>,
    /// Unix milliseconds.
    pub queued_at: i64,
    /// Unix milliseconds; `None` while it waits.
    pub started_at: Option<i64>,
    /// The bot has handled `events.jsonl` up to this byte.
    pub acted_offset: u64,
    pub live_message: Option<MessageId>,
    pub before: Before,
}

/// What there is of the workspace as it was just before a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Before {
    /// A snapshot.
    Kept,
    /// It had neither a file nor a commit, on this branch.
    Empty { branch: String },
    /// Nothing, for this reason.
    Missing { why: String },
}

impl Before {
    /// As the store has it: the branch of an empty workspace, and why there is no snapshot.
    pub fn of(empty_on: Option<String>, no_snapshot: Option<String>) -> Before {
        match (empty_on, no_snapshot) {
            (Some(branch), _) => Before::Empty { branch },
            (None, Some(why)) => Before::Missing { why },
            (None, None) => Before::Kept,
        }
    }

    pub fn is_empty(&self) -> bool {
        matches!(self, Before::Empty { .. })
    }
}

/// How a run ended. The first ending is final.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Completed,
    Failed(String),
    /// A person stopped it.
    Stopped,
    /// It ran longer than `TELECODER_RUN_TIMEOUT`.
    TimedOut,
    /// The keeper is gone without a record of the run's end.
    Lost,
}

impl Outcome {
    /// Every outcome's name.
    pub const NAMES: [&str; 5] = ["completed", "failed", "stopped", "timed_out", "lost"];

    /// The outcome's word in the store and the log.
    pub fn name(&self) -> &'static str {
        match self {
            Outcome::Completed => "completed",
            Outcome::Failed(_) => "failed",
            Outcome::Stopped => "stopped",
            Outcome::TimedOut => "timed_out",
            Outcome::Lost => "lost",
        }
    }

    /// The reason, if the name does not say all.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Outcome::Failed(reason) => Some(reason),
            _ => None,
        }
    }
}

/// The end of a session's last run, for `/status`.
#[derive(Clone, Debug, PartialEq)]
pub struct RunEnd {
    /// [`Outcome::name`].
    pub outcome: String,
    pub reason: Option<String>,
    /// Unix milliseconds.
    pub started_at: Option<i64>,
    pub ended_at: i64,
    pub cost_usd: f64,
}

/// The facts about a run that its evidence needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// The outbox row of its answer.
    pub answer_row: Option<i64>,
    /// `None` for a run of an earlier telecoder.
    pub deeds: Option<Deeds>,
    /// The round of automatic fixing; 0 outside of it.
    pub fix_round: u32,
    /// It is to fix failing checks.
    pub is_fix: bool,
    pub before: Before,
    pub cost_usd: f64,
    /// Unix milliseconds.
    pub started_at: i64,
    pub ended_at: Option<i64>,
    pub asked_by: Option<MessageId>,
}
