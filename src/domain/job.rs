//! A job: work in a session's workspace other than a run.

use crate::domain::id::ChatThread;
use crate::domain::id::JobId;
use crate::domain::id::MessageId;
use crate::domain::id::RunId;
use crate::domain::id::SessionId;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    pub id: JobId,
    pub session: SessionId,
    pub at: ChatThread,
    pub task: Task,
    /// The message that asked for it; the result replies to it.
    pub asked_by: Option<MessageId>,
    pub live_message: Option<MessageId>,
    pub is_ended: bool,
    /// Unix milliseconds; `None` until it begins.
    pub begun_at: Option<i64>,
}

/// The work of a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Measure a run's changes; run the checks too if the run ended well.
    Verify { run: RunId, with_checks: bool },
    /// Run the checks on request: `/verify`.
    Check,
    /// Run the command that sets the workspace up.
    Setup,
    /// Send the last run's changes.
    Diff,
    /// Push the repository that has something to push; ask which, if there are several.
    Push,
    /// Push the one in this folder of the workspace.
    PushIn { folder: String },
    /// Fetch the files that this run's prompt waits for.
    Fetch { run: RunId },
    /// List what an undo of this run would remove, and ask.
    AskUndo { run: RunId },
    /// Take the workspace back to what it was before this run.
    Undo { run: RunId },
    /// Take the undo of this run back.
    Redo { run: RunId },
    /// Send the files in claude's outbox.
    SendFiles,
    /// Send the files of an earlier job whose names suggest secrets.
    SendSecrets { of: JobId },
    /// Send a file or a folder of the workspace.
    Get {
        path: String,
        /// The job that asked whether to send it although its name suggests a secret.
        asked_by: Option<JobId>,
    },
}

/// Jobs of one lane run in turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// In turn with the chat's runs: nothing else works in the workspace meanwhile.
    Workspace,
    /// Files from the chat. This and the following go on beside runs and each other.
    Fetching,
    /// Files to the chat.
    Sending,
    /// Looks at what changed.
    Looking,
    Pushing,
}

impl Lane {
    pub const ALL: [Lane; 5] = [
        Lane::Workspace,
        Lane::Fetching,
        Lane::Sending,
        Lane::Looking,
        Lane::Pushing,
    ];

    pub fn is_beside_runs(self) -> bool {
        self != Lane::Workspace
    }
}

impl Task {
    /// Every kind.
    pub const KINDS: [&str; 12] = [
        "verify",
        "check",
        "setup",
        "diff",
        "push",
        "ask_undo",
        "undo",
        "redo",
        "send_files",
        "send_secrets",
        "get",
        "fetch",
    ];

    /// The task in one word.
    pub fn kind(&self) -> &'static str {
        match self {
            Task::Verify { .. } => "verify",
            Task::Check => "check",
            Task::Setup => "setup",
            Task::Diff => "diff",
            Task::Push | Task::PushIn { .. } => "push",
            Task::Fetch { .. } => "fetch",
            Task::AskUndo { .. } => "ask_undo",
            Task::Undo { .. } => "undo",
            Task::Redo { .. } => "redo",
            Task::SendFiles => "send_files",
            Task::SendSecrets { .. } => "send_secrets",
            Task::Get { .. } => "get",
        }
    }

    pub fn lane(&self) -> Lane {
        match self {
            // Files of the next run must not mix with those being sent.
            Task::Verify { .. }
            | Task::Check
            | Task::Setup
            | Task::Undo { .. }
            | Task::Redo { .. }
            | Task::SendFiles => Lane::Workspace,
            Task::Fetch { .. } => Lane::Fetching,
            Task::SendSecrets { .. } | Task::Get { .. } => Lane::Sending,
            Task::Diff | Task::AskUndo { .. } => Lane::Looking,
            Task::Push | Task::PushIn { .. } => Lane::Pushing,
        }
    }
}
