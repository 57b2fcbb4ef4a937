//! A job: work in a session's workspace that is no run.

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
    /// The message that asked for it, which the reply replies to.
    pub asked_by: Option<MessageId>,
    pub live_message: Option<MessageId>,
    pub is_ended: bool,
    /// Unix milliseconds; none while nobody is at it.
    pub begun_at: Option<i64>,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Measure what a run changed, and run the checks if it ended well.
    Verify {
        run: RunId,
        with_checks: bool,
    },
    /// Run the checks because somebody asked: `/verify`.
    Check,
    /// Send what the last run changed.
    Diff,
    Push,
    /// Get the files that the prompt of this run waits for.
    Fetch {
        run: RunId,
    },
    /// Say what an undo of this run would take away, and ask.
    AskUndo {
        run: RunId,
    },
    /// Take the workspace back to what it was before this run.
    Undo {
        run: RunId,
    },
    /// Take the undo of this run back.
    Redo {
        run: RunId,
    },
    /// Send what claude has put into its outbox.
    SendFiles,
    /// Send those files of an earlier job whose names say that they are secrets.
    SendSecrets {
        of: JobId,
    },
    /// Send a file or a folder of the workspace.
    Get {
        path: String,
        /// The job that has asked whether it is to be sent although its name says that it is a secret.
        asked_by: Option<JobId>,
    },
}

/// Jobs of one lane follow one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// In turn with the runs of the chat: nothing else works in the workspace meanwhile.
    Workspace,
    /// Beside whatever goes on.
    Beside,
}

impl Task {
    /// Every kind that there is.
    pub const KINDS: [&str; 11] = [
        "verify",
        "check",
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

    /// One word for what is done.
    pub fn kind(&self) -> &'static str {
        match self {
            Task::Verify { .. } => "verify",
            Task::Check => "check",
            Task::Diff => "diff",
            Task::Push => "push",
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
            // What the next run hands over must not be mixed with it.
            Task::Verify { .. }
            | Task::Check
            | Task::Undo { .. }
            | Task::Redo { .. }
            | Task::SendFiles => Lane::Workspace,
            Task::Diff
            | Task::Push
            | Task::AskUndo { .. }
            | Task::SendSecrets { .. }
            | Task::Fetch { .. }
            | Task::Get { .. } => Lane::Beside,
        }
    }
}
