//! `session stop`: as `/stop` in a chat, for one session.

use std::time::{Duration, Instant};

use anyhow::bail;

use super::LOOK_AGAIN;
use super::beside::{Beside, NoBot};
use crate::domain::job::Task;
use crate::domain::session::Session;
use crate::inbox::shell::{self, Stopped};
use crate::store::{jobs, runs};

/// More than it takes to stop what resists.
const STOPPING_TIME: Duration = Duration::from_secs(60);

/// Returns when it has ended.
pub(super) fn stop(beside: &mut Beside, name: &str) -> anyhow::Result<()> {
    let session = beside.session(name)?;
    match beside.write(|db| Ok(shell::stop(db, &session)?))? {
        Stopped::Run => {
            let is_over = |beside: &Beside, session: &Session| {
                Ok(runs::running_of_session(&beside.db, &session.id)?.is_none())
            };
            wait(
                beside,
                &session,
                is_over,
                "the run is stopped when telecoder runs",
            )?;
            print_line!("Stopped. What it changed so far is kept.");
        }
        Stopped::Jobs(tasks) => {
            let is_over = |beside: &Beside, session: &Session| {
                Ok(jobs::due_in(&beside.db, &session.id)?.is_empty())
            };
            wait(
                beside,
                &session,
                is_over,
                "it is stopped when telecoder runs",
            )?;
            let stopped: Vec<&str> = tasks.iter().map(|task| doing(task)).collect();
            print_line!("Stopped: {}", stopped.join(", "));
        }
        Stopped::Setup(dropped) => {
            print_line!("The workspace of session {name} is not made.");
            told_dropped(dropped);
        }
        Stopped::Background(tasks) => {
            print_line!("Ending in the background: {}.", tasks.join(", "));
        }
        Stopped::Waiting(0) => {
            print_line!("Nothing is running in session {name}, and nothing waits.");
        }
        Stopped::Waiting(dropped) => told_dropped(dropped),
    }
    Ok(())
}

fn told_dropped(dropped: usize) {
    match dropped {
        0 => {}
        1 => print_line!("The prompt that waited was dropped."),
        many => print_line!("The {many} prompts that waited were dropped."),
    }
}

fn doing(task: &Task) -> &'static str {
    match task {
        Task::Verify { .. } | Task::Check => "the checks",
        Task::Setup => "the setup",
        Task::Diff | Task::AskUndo { .. } => "the look at what changed",
        Task::Push | Task::PushIn { .. } => "the push",
        Task::Fetch { .. } => "the fetching of a file",
        Task::Undo { .. } | Task::Redo { .. } => "the undo",
        Task::SendFiles | Task::SendSecrets { .. } | Task::Get { .. } => "the sending of files",
    }
}

fn wait(
    beside: &Beside,
    session: &Session,
    is_over: impl Fn(&Beside, &Session) -> rusqlite::Result<bool>,
    without_a_bot: &'static str,
) -> anyhow::Result<()> {
    let deadline = Instant::now() + STOPPING_TIME;
    while !is_over(beside, session)? {
        if !beside.has_bot() {
            bail!(NoBot(without_a_bot));
        }
        if Instant::now() > deadline {
            bail!("it does not end; the bot has been told, and keeps trying");
        }
        std::thread::sleep(LOOK_AGAIN);
    }
    Ok(())
}
