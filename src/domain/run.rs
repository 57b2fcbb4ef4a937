//! A run: one `claude` process from prompt to outcome.

use crate::domain::evidence::Claims;
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
    /// The message that the answer replies to.
    pub asked_by: Option<MessageId>,
    /// Unix milliseconds.
    pub queued_at: i64,
    /// Unix milliseconds; none while it waits.
    pub started_at: Option<i64>,
    /// The byte of `events.jsonl` up to which everything was acted on.
    pub acted_offset: u64,
    pub live_message: Option<MessageId>,
    /// The branch of its workspace, where that had no file and no commit before.
    pub was_empty: Option<String>,
}

/// How a run ended. The first ending stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Completed,
    Failed(String),
    /// A person asked for it.
    Stopped,
    /// It ran longer than `TELECODER_RUN_TIMEOUT`.
    TimedOut,
    /// The keeper is gone and left no word of how the run ended.
    Lost,
}

impl Outcome {
    /// Every name that one can have.
    pub const NAMES: [&str; 5] = ["completed", "failed", "stopped", "timed_out", "lost"];

    /// One word, as the store and the log name it.
    pub fn name(&self) -> &'static str {
        match self {
            Outcome::Completed => "completed",
            Outcome::Failed(_) => "failed",
            Outcome::Stopped => "stopped",
            Outcome::TimedOut => "timed_out",
            Outcome::Lost => "lost",
        }
    }

    /// Why, where there is more to say than the name.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Outcome::Failed(reason) => Some(reason),
            _ => None,
        }
    }
}

/// How a session's last run ended, as `/status` tells it.
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

/// What is known of a run that evidence is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// The outbox row of its answer.
    pub answer_row: Option<i64>,
    /// What the answer says of its own work.
    pub claims: Claims,
    /// Which round of fixing by itself it was; 0: none.
    pub fix_round: u32,
    /// It is to fix what failed in checks.
    pub is_fix: bool,
    /// The branch of its workspace, where that had no file and no commit before.
    pub was_empty: Option<String>,
    /// Why there is no snapshot of what was before it.
    pub no_snapshot: Option<String>,
    pub cost_usd: f64,
    /// Unix milliseconds.
    pub started_at: i64,
    pub ended_at: Option<i64>,
    pub asked_by: Option<MessageId>,
}
