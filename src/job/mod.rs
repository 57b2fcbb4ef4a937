//! A job: work in a session's workspace that is no run. Checks and evidence, a diff, a push, an undo, files that are
//! sent.
//!
//! A job is a row before it is begun and ends in the transaction that writes what came of it, so it survives the
//! bot like a run does. One that was cut off is done again from its start.

mod at_work;
mod beneath;
mod checking;
mod diff;
pub mod fetch;
pub mod fixing;
mod get;
mod packing;
pub mod picture;
mod push;
pub mod secret;
pub mod send_files;
mod undo;
mod verify;

use serde::{Deserialize, Serialize};

pub use at_work::{AtWork, Finished, Heard};

use crate::chat::changes as words;
use crate::domain::id::{ChatThread, JobId, MessageId, RunId, SessionId};
use crate::session::SessionState;
use crate::store::measured;
use verify::Order;

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

/// Does a job to its end. Errors are the store's; the job is tried again.
pub async fn work(work: &AtWork<'_>) -> anyhow::Result<Finished> {
    // Files come while the workspace is made.
    let needs_workspace = !matches!(work.job.task, Task::Fetch { .. });
    if needs_workspace && work.session.state != SessionState::Ready {
        return Ok(work.say(words::not_ready()).await?);
    }
    Ok(match work.job.task.clone() {
        Task::Verify { run, with_checks } => {
            let order = Order {
                run: Some(run),
                with_checks,
                by_hand: false,
            };
            verify::verify(work, order).await?
        }
        Task::Check => {
            let session = work.session.id.clone();
            let run = work
                .store()
                .transaction(move |db| measured::newest_not_undone(db, &session))
                .await?;
            let order = Order {
                run,
                with_checks: true,
                by_hand: true,
            };
            verify::verify(work, order).await?
        }
        Task::Diff => diff::send(work).await?,
        Task::Push => push::push(work).await?,
        Task::Fetch { run } => fetch::fetch(work, run).await?,
        Task::AskUndo { run } => undo::ask(work, run).await?,
        Task::Undo { run } => undo::undo(work, run).await?,
        Task::Redo { run } => undo::redo(work, run).await?,
        Task::SendFiles => send_files::send(work).await?,
        Task::SendSecrets { of } => send_files::send_secrets(work, of).await?,
        Task::Get { path, asked_by } => get::get(work, &path, asked_by.is_some()).await?,
    })
}
