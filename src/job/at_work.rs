//! The handles a job works with, and the ways it can be cut short.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::Handles;
use crate::domain::id::ChatThread;
use crate::domain::job::Job;
use crate::domain::live::{LiveOf, LiveText};
use crate::domain::outgoing::Outgoing;
use crate::domain::session::Session;
use crate::git::repository::Repository;
use crate::store::{Store, StoreError, jobs, outbox};

/// The pace of the live message; a shorter job shows none.
const TICK: Duration = Duration::from_secs(1);
/// How often to look for a stop without being woken.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// Telegram shows "typing" for five seconds.
const TYPING_EVERY: u32 = 4;

/// A job that is being done.
pub struct AtWork<'a> {
    pub handles: &'a Handles,
    pub job: &'a Job,
    pub session: &'a Session,
    pub signals: &'a Signals,
    pub quit: &'a CancellationToken,
    /// Wakes the chat's worker for what may begin after the job.
    pub wake: &'a (dyn Fn(ChatThread) + Sync),
}

/// Signals to a busy worker. A row says what each is about.
#[derive(Debug, Default)]
pub struct Signals {
    /// Its work may have been stopped.
    pub stop: Notify,
    /// Something new waits in the chat.
    pub more: Notify,
}

/// The result of a job.
#[derive(Debug, PartialEq, Eq)]
pub enum Finished {
    Done,
    /// The bot stops; the job is done again after the restart.
    BotStops,
}

/// The newest line of a running program.
#[derive(Default)]
pub struct Heard(Mutex<String>);

impl Heard {
    pub fn set(&self, line: &str) {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        line.clone_into(&mut heard);
    }

    pub fn get(&self) -> String {
        let heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        heard.clone()
    }
}

impl AtWork<'_> {
    /// The session's workspace.
    pub fn repository(&self) -> Repository<'_> {
        Repository::new(&self.handles.git, &self.session.workspace)
    }

    pub fn store(&self) -> &Store {
        &self.handles.store
    }

    /// Returns when somebody has asked for the job to be stopped.
    pub async fn stopped(&self) {
        let id = self.job.id;
        loop {
            let asked = self
                .store()
                .transaction(move |db| jobs::stop_requested(db, id))
                .await;
            if matches!(asked, Ok(true)) {
                return;
            }
            tokio::select! {
                () = self.signals.stop.notified() => {}
                () = tokio::time::sleep(LOOK_AGAIN) => {}
            }
        }
    }

    /// Shows `text` of the job's time for as long as this is awaited; never returns.
    pub async fn show(&self, text: impl Fn(Duration) -> LiveText) {
        let begun = Instant::now();
        let outbox = &self.handles.outbox;
        let mut ticks = 0;
        loop {
            tokio::time::sleep(TICK).await;
            if ticks % TYPING_EVERY == 0 {
                outbox.typing(self.job.at);
            }
            ticks += 1;
            let of = LiveOf::Job(self.job.id);
            outbox.show_live(self.job.at, of, text(begun.elapsed()));
        }
    }

    /// Ends the job with a message, in one transaction.
    pub async fn say(&self, message: Outgoing) -> Result<Finished, StoreError> {
        let message = message.replying_to(self.job.asked_by);
        self.end(move |db, at| outbox::insert(db, at, &message))
            .await
    }

    /// Ends the job with an effect, in one transaction. A job that had ended before has no effect.
    pub async fn end<F>(&self, effect: F) -> Result<Finished, StoreError>
    where
        F: FnOnce(&rusqlite::Connection, ChatThread) -> rusqlite::Result<()> + Send + 'static,
    {
        let id = self.job.id;
        let at = self
            .store()
            .transaction(move |db| {
                let at = jobs::place(db, id)?;
                if jobs::end(db, id)? {
                    effect(db, at)?;
                }
                Ok(at)
            })
            .await?;
        self.is_over(at);
        Ok(Finished::Done)
    }

    /// After the job's end is stored: delivers its messages and removes its live message.
    pub fn is_over(&self, at: ChatThread) {
        self.handles.outbox.deliver(at.chat);
        let live = LiveOf::Job(self.job.id);
        self.handles.outbox.remove_live(at, live);
    }
}
