//! A job: work in a session's workspace that is no run. Its setup, checks and evidence, a diff, a push, an undo, files
//! sent and fetched.
//!
//! A job is stored before it begins and ends in the transaction that stores its result, so it survives the bot like a
//! run does. An interrupted job is done again from its start.

mod at_work;
pub mod beneath;
mod checking;
mod diff;
pub mod fetch;
pub mod fixing;
mod get;
mod handles;
mod packing;
pub mod picture;
pub mod places;
mod push;
pub mod secret;
pub mod send_files;
mod setup;
mod undo;
mod verify;

pub use at_work::{AtWork, Finished, Heard, Signals};
pub use handles::{Checking, Handles};

use crate::chat::changes as words;
use crate::domain::job::Task;
use crate::domain::session::SessionState;
use crate::store::measured;
use verify::Order;

/// Does a job to its end. Errors are the store's; the job is tried again.
pub async fn work(work: &AtWork<'_>) -> anyhow::Result<Finished> {
    // Files are fetched while the workspace is made.
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
        Task::Setup => setup::set_up(work).await?,
        Task::Diff => diff::send(work).await?,
        Task::Push => push::push(work, None).await?,
        Task::PushIn { folder } => push::push(work, Some(&folder)).await?,
        Task::Fetch { run } => fetch::fetch(work, run).await?,
        Task::AskUndo { run } => undo::ask(work, run).await?,
        Task::Undo { run } => undo::undo(work, run).await?,
        Task::Redo { run } => undo::redo(work, run).await?,
        Task::SendFiles => send_files::send(work).await?,
        Task::SendSecrets { of } => send_files::send_secrets(work, of).await?,
        Task::Get { path, asked_by } => get::get(work, &path, asked_by.is_some()).await?,
    })
}
