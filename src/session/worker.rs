//! A chat's worker: takes the chat's next piece of work until there is none.
//!
//! One at a time per chat and lane, so that at most one process owns a claude session and nothing else works in its
//! workspace. `work` decides which piece is next.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use rusqlite::Connection;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error};
use uuid::Uuid;

use super::claims::Claims;
use super::registry::Registry;
use super::work::{self, Work};
use crate::chat::{changes as words, fetched};
use crate::domain::id::{ChatThread, JobId, RunId, SessionId};
use crate::domain::job::{Lane, Task};
use crate::domain::run::Outcome;
use crate::domain::session::{Session, SessionState};
use crate::job::Signals;
use crate::job::{self, AtWork, Finished};
use crate::run::start::Runner;
use crate::store::{StoreError, jobs, migrated, now, outbox, panic_text, runs, sessions};

/// The pause before work is tried again after a failure.
const PAUSE: Duration = Duration::from_secs(5);

/// How often a task looks for a stop without a signal.
pub(super) const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// How often following an unreadable run, or doing a job, is tried.
const TRIED_AT_MOST: usize = 3;

/// What all workers share.
pub struct Worker {
    pub runner: Runner,
    pub registry: Registry,
    /// Who follows which run.
    pub claims: Claims<RunId>,
    /// Who makes which workspace.
    pub preparing: Claims<SessionId>,
    /// Who does which job.
    pub jobs: Claims<JobId>,
    /// How often following each run, or doing each job, has failed.
    pub failures: Mutex<BTreeMap<Uuid, usize>>,
    /// Prompts whose chat has been told that they wait for a place.
    pub told: Mutex<BTreeSet<RunId>>,
    /// `TELECODER_BRANCH_PREFIX`.
    pub branch_prefix: String,
}

pub(super) enum Step {
    Done,
    /// The group has another id now.
    MovedTo(ChatThread),
    Quit,
}

impl Worker {
    /// Returns when the chat has nothing left to do, or when the bot stops.
    pub async fn work(
        &self,
        at: ChatThread,
        lane: Lane,
        signals: &Signals,
        quit: &CancellationToken,
    ) {
        let mut at = at;
        loop {
            let step = AssertUnwindSafe(self.step(at, lane, signals, quit))
                .catch_unwind()
                .await;
            let passing = matches!(&step, Ok(Err(error)) if is_passing(error));
            let failure = match step {
                Ok(Ok(Some(Step::Done))) => continue,
                Ok(Ok(Some(Step::MovedTo(new)))) => {
                    at = new;
                    continue;
                }
                Ok(Ok(Some(Step::Quit) | None)) => return,
                Ok(Err(failure)) => format!("{failure:#}"),
                Err(panic) => panic_text(panic.as_ref()),
            };
            if passing {
                // The store has logged it once.
                debug!(chat = %at, failure, "a chat's work waits for the store");
            } else {
                error!(chat = %at, failure, "a chat's work failed; trying it again");
            }
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = quit.cancelled() => return,
            }
        }
    }

    async fn step(
        &self,
        at: ChatThread,
        lane: Lane,
        signals: &Signals,
        quit: &CancellationToken,
    ) -> anyhow::Result<Option<Step>> {
        let (work, moved_to) = self
            .runner
            .handles
            .store
            .transaction(move |db| {
                Ok((work::next(db, at, lane)?, migrated::moved_to(db, at.chat)?))
            })
            .await?;
        let Some(work) = work else {
            return Ok(moved_to.map(|chat| Step::MovedTo(ChatThread { chat, ..at })));
        };
        let step = match work {
            Work::Prepare(session) => {
                let _claim = tokio::select! {
                    claim = self.preparing.take(session.clone()) => claim,
                    () = quit.cancelled() => return Ok(Some(Step::Quit)),
                };
                match self.session(&session).await? {
                    Some(session) if session.state == SessionState::New => {
                        self.prepare(&session, signals, quit).await?
                    }
                    // The other worker has made it, or said why not.
                    _ => Step::Done,
                }
            }
            Work::Follow(run) => {
                let _claim = tokio::select! {
                    claim = self.claims.take(run) => claim,
                    () = quit.cancelled() => return Ok(Some(Step::Quit)),
                };
                self.follow(run, signals, quit).await?
            }
            Work::Start(run) => {
                let _claim = tokio::select! {
                    claim = self.claims.take(run) => claim,
                    () = quit.cancelled() => return Ok(Some(Step::Quit)),
                };
                tokio::select! {
                    place = self.runner.handles.places.take(run.0, at) => {
                        self.start(run, place, signals, quit).await?
                    }
                    () = self.tell_that_it_waits(run) => Step::Done,
                    // What waits may have been dropped; look again.
                    () = signals.stop.notified() => Step::Done,
                    () = self.job_comes_first(at, signals) => Step::Done,
                    () = quit.cancelled() => Step::Quit,
                }
            }
            Work::Watch(process) => self.watch(process, signals, quit).await?,
            Work::Do(job) => self.do_job(job, signals, quit).await?,
            Work::Wait(until) => {
                let left = u64::try_from(until.saturating_sub(now())).unwrap_or(0);
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_millis(left)) => Step::Done,
                    () = signals.more.notified() => Step::Done,
                    () = signals.stop.notified() => Step::Done,
                    () = quit.cancelled() => Step::Quit,
                }
            }
        };
        Ok(Some(step))
    }

    /// Returns when there is a job for the workspace, which comes before the next run.
    async fn job_comes_first(&self, at: ChatThread, signals: &Signals) {
        loop {
            signals.more.notified().await;
            let next = self
                .runner
                .handles
                .store
                .transaction(move |db| jobs::next(db, at, Lane::Workspace))
                .await;
            if matches!(next, Ok(Some(_))) {
                return;
            }
        }
    }

    /// In a group that moves, two workers may find the same job. A job that keeps failing is given up: later work must
    /// not wait for ever.
    async fn do_job(
        &self,
        id: JobId,
        signals: &Signals,
        quit: &CancellationToken,
    ) -> anyhow::Result<Step> {
        let _claim = tokio::select! {
            claim = self.jobs.take(id) => claim,
            () = quit.cancelled() => return Ok(Step::Quit),
        };
        let begin = move |db: &Connection| {
            // As it is before this try: `begun_at` says whether an earlier one was cut off.
            let Some(job) = jobs::due_under(db, id)? else {
                return Ok(None);
            };
            if jobs::begin(db, id)?.is_none() {
                return Ok(None);
            }
            let session = sessions::get(db, &job.session)?;
            Ok(session.map(|session| (job, session)))
        };
        let Some((job, session)) = self.runner.handles.store.transaction(begin).await? else {
            return Ok(Step::Done);
        };
        let work = AtWork {
            handles: &self.runner.handles,
            job: &job,
            session: &session,
            signals,
            quit,
            wake: &|at| self.registry.wake(at),
        };
        let done = AssertUnwindSafe(job::work(&work)).catch_unwind().await;
        let failure = match done {
            Ok(Ok(Finished::Done)) => {
                self.runner.handles.metrics.job_ended(&job.task, false);
                return Ok(Step::Done);
            }
            Ok(Ok(Finished::BotStops)) => return Ok(Step::Quit),
            Ok(Err(error)) if is_passing(&error) => return Err(error),
            Ok(Err(error)) => format!("{error:#}"),
            Err(panic) => panic_text(panic.as_ref()),
        };
        if !self.is_enough(job.id.0) {
            anyhow::bail!(failure);
        }
        error!(job.id = %job.id, chat = %job.at, failure, "a job was given up");
        let waits_for_it = match job.task {
            Task::Fetch { run } => Some(run),
            _ => None,
        };
        let told = match waits_for_it {
            Some(_) => fetched::given_up(),
            None => words::job_given_up(),
        }
        .replying_to(job.asked_by);
        work.end(move |db, at| {
            // The run, and what was written later, would wait for ever.
            if let Some(run) = waits_for_it {
                let reason = "its files could not be fetched".to_owned();
                runs::end(db, run, &Outcome::Failed(reason))?;
            }
            outbox::insert(db, at, &told)
        })
        .await?;
        self.registry.wake(job.at);
        self.runner.handles.metrics.job_ended(&job.task, true);
        Ok(Step::Done)
    }

    /// Counts a failure to follow a run or do a job; at the limit returns true and forgets it.
    pub(super) fn is_enough(&self, of: Uuid) -> bool {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let count = failures.entry(of).or_default();
        *count += 1;
        let is_enough = *count >= TRIED_AT_MOST;
        if is_enough {
            failures.remove(&of);
        }
        is_enough
    }

    pub(super) async fn session(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        let id = id.clone();
        self.runner
            .handles
            .store
            .transaction(move |db| sessions::get(db, &id))
            .await
    }
}

/// The disk is full, or the store takes nothing: there is nothing wrong with the run.
pub(super) fn is_passing(error: &anyhow::Error) -> bool {
    use std::io::ErrorKind::{QuotaExceeded, StorageFull};
    let disk_is_full = error
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| matches!(error.kind(), StorageFull | QuotaExceeded));
    disk_is_full
        || error
            .downcast_ref::<StoreError>()
            .is_some_and(StoreError::is_passing)
}
