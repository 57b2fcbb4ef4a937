//! Makes a session's workspace, shows its progress, or says why it cannot be made.

use std::time::{Duration, Instant};

use fail::fail_point;
use rusqlite::Connection;
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::worker::{LOOK_AGAIN, Step, Worker};
use crate::chat::workspace as words;
use crate::domain::check::Commands;
use crate::domain::id::{ChatThread, SessionId};
use crate::domain::job::Task;
use crate::domain::live::LiveOf;
use crate::domain::run::Outcome;
use crate::domain::session::{Session, SessionState};
use crate::domain::workspace::Remark;
use crate::git::remarks;
use crate::git::workspace::{self, Made, Workshop};
use crate::git::{GitError, Listener};
use crate::job::Heard;
use crate::job::Signals;
use crate::store::{StoreError, chats, jobs, late, outbox, repositories, sessions, waiting};
use crate::verify::commands;

/// A shorter setup shows no live message.
const LIVE_AFTER: Duration = Duration::from_secs(2);
const TICK: Duration = Duration::from_secs(1);

impl Worker {
    /// Makes a session's workspace, or says why it cannot be made.
    pub(super) async fn prepare(
        &self,
        session: &Session,
        signals: &Signals,
        quit: &CancellationToken,
    ) -> anyhow::Result<Step> {
        self.take_up_live(session).await?;
        let heard = Heard::default();
        let hear = |line: &str| heard.set(line);
        let stop = CancellationToken::new();
        let shop = Workshop {
            git: &self.runner.handles.git,
            mirrors: &self.runner.mirrors,
            branch_prefix: &self.branch_prefix,
            listener: Listener {
                heard: &hear,
                stop: &stop,
                marker: None,
            },
        };
        let given_up = async {
            self.given_up(session, signals).await;
            stop.cancel();
            // `make` returns first.
            std::future::pending().await
        };
        let made = tokio::select! {
            made = workspace::make(&shop, session) => made,
            () = given_up => Err(GitError::Stopped),
            () = self.show_progress(session, &heard) => Err(GitError::Stopped),
            // It begins anew after the restart.
            () = quit.cancelled() => return Ok(Step::Quit),
        };
        fail_point!("workspace-made", |_| std::process::abort());
        match made {
            Ok(made) => self.workspace_is_ready(session, made).await?,
            Err(failure) => {
                workspace::remove(&self.runner.handles.git, session, &self.branch_prefix).await;
                if !matches!(failure, GitError::Stopped) {
                    self.workspace_failed(session, &failure).await?;
                }
            }
        }
        let live = LiveOf::Setup(session.id.clone());
        self.runner.handles.outbox.remove_live(session.at, live);
        Ok(Step::Done)
    }

    /// At a start: removes workspaces of given-up sessions that the bot could not remove before it ended.
    pub async fn clear_given_up(&self) -> Result<(), StoreError> {
        for session in self
            .runner
            .handles
            .store
            .transaction(sessions::given_up)
            .await?
        {
            if session.workspace.exists() {
                workspace::remove(&self.runner.handles.git, &session, &self.branch_prefix).await;
                info!(session = %session.id, "what was left of a session that was given up is removed");
            }
        }
        Ok(())
    }

    /// Resumes the live message of a try cut off by a restart.
    async fn take_up_live(&self, session: &Session) -> Result<(), StoreError> {
        let id = session.id.clone();
        let message = self
            .runner
            .handles
            .store
            .transaction(move |db| sessions::live_message(db, &id))
            .await?;
        if let Some(message) = message {
            let live = LiveOf::Setup(session.id.clone());
            self.runner
                .handles
                .outbox
                .resume_live(session.at, live, message);
        }
        Ok(())
    }

    /// Shows git's output while this is awaited; never returns.
    async fn show_progress(&self, session: &Session, heard: &Heard) {
        let begun = Instant::now();
        loop {
            tokio::time::sleep(TICK).await;
            if begun.elapsed() < LIVE_AFTER {
                continue;
            }
            let text = words::setting_up(&session.source, begun.elapsed(), &heard.get());
            let live = LiveOf::Setup(session.id.clone());
            self.runner.handles.outbox.show_live(session.at, live, text);
        }
    }

    /// Returns when `/stop` has given the session up.
    async fn given_up(&self, session: &Session, signals: &Signals) {
        loop {
            tokio::select! {
                () = signals.stop.notified() => {}
                // After a group has moved, no signal comes here.
                () = tokio::time::sleep(LOOK_AGAIN) => {}
            }
            let now = self.session(&session.id).await;
            if matches!(now, Ok(Some(session)) if session.state == SessionState::Failed) {
                return;
            }
        }
    }

    async fn workspace_is_ready(&self, session: &Session, made: Made) -> Result<(), StoreError> {
        let Made {
            branch,
            mut remarks,
        } = made;
        remarks.extend(self.remarks(session).await);
        let (id, source) = (session.id.clone(), session.source.clone());
        let checking = &self.runner.handles.checking;
        let file = match checking.trusts_repository {
            true => commands::look(session.workspace.clone()).await.file,
            false => None,
        };
        let defaults = checking.defaults.clone();
        let (ready, at) = self
            .runner
            .handles
            .store
            .transaction(move |db| {
                let at = sessions::place(db, &id)?;
                let ready = sessions::mark_ready(db, &id, &branch)?;
                if !ready {
                    return Ok((ready, at));
                }
                repositories::remember(db, &source)?;
                let setup = set_up(db, &id, at, &defaults, file.as_deref())?;
                // A waiting prompt wants its answer, not talk about folders.
                let message = match waiting::queued_count(db, at)? + late::count(db, at)? {
                    0 => Some(words::workspace_ready(
                        &source,
                        &branch,
                        &remarks,
                        setup.as_deref(),
                    )),
                    _ => words::remarks(&remarks),
                };
                if let Some(message) = message {
                    outbox::insert(db, at, &message)?;
                }
                Ok((ready, at))
            })
            .await?;
        if !ready {
            // A stop came first.
            workspace::remove(&self.runner.handles.git, session, &self.branch_prefix).await;
        }
        self.runner.handles.outbox.deliver(at.chat);
        Ok(())
    }

    /// Remarks on what a workspace lacks; if the look fails, the workspace is used all the same.
    async fn remarks(&self, session: &Session) -> Vec<Remark> {
        let looked = remarks::look(&self.runner.handles.git, &session.workspace).await;
        looked.unwrap_or_else(|error| {
            info!(session = %session.id, %error, "the look at what a workspace lacks failed");
            Vec::new()
        })
    }

    async fn workspace_failed(
        &self,
        session: &Session,
        failure: &GitError,
    ) -> Result<(), StoreError> {
        let mut session = session.clone();
        let (reason, words) = (failure.reason(), failure.words().to_owned());
        info!(chat = %session.at, session = %session.id, reason, "a workspace could not be made");
        let at = self
            .runner
            .handles
            .store
            .transaction(move |db| {
                // The group may have become another one meanwhile.
                let at = sessions::place(db, &session.id)?;
                session.at = at;
                if !sessions::give_up(db, &session.id)? {
                    return Ok(at);
                }
                let outcome = Outcome::Failed(format!("no workspace: {reason}"));
                let dropped = waiting::end_queued(db, at, Some(&session.id), &outcome)?;
                let back = chats::return_from(db, &session)?;
                let message =
                    words::workspace_failed(&session.source, &reason, &words, back, dropped);
                outbox::insert(db, at, &message)?;
                Ok(at)
            })
            .await?;
        self.runner.handles.outbox.deliver(at.chat);
        Ok(())
    }
}

/// Queues the command that sets the workspace up, and returns it. It comes before the prompts that wait.
fn set_up(
    db: &Connection,
    id: &SessionId,
    at: ChatThread,
    defaults: &Commands,
    file: Option<&str>,
) -> rusqlite::Result<Option<String>> {
    // As it is now: somebody may have set one while the workspace was made.
    let session = sessions::get(db, id)?;
    let setup = session.and_then(|session| commands::setup(&session, defaults, file));
    if setup.is_some() {
        jobs::insert(db, id, at, &Task::Setup, None)?;
    }
    Ok(setup.map(|(check, _)| check.command))
}
