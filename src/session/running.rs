//! A run, from its place to its end: it waits for one, is started, followed, or given up.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use fail::fail_point;
use rusqlite::Connection;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info};

use super::living::Why;
use super::worker::{LOOK_AGAIN, Step, Worker, is_passing};
use crate::chat::failure::Failure;
use crate::chat::queue;
use crate::domain::id::RunId;
use crate::domain::live::PromptState;
use crate::domain::process::Process;
use crate::domain::progress::Progress;
use crate::domain::run::{Outcome, Run};
use crate::domain::session::Session;
use crate::git::snapshot;
use crate::job::Signals;
use crate::job::places::{Place, WAITS_SILENTLY};
use crate::process::sweep::{self, Seen};
use crate::run::drive::{self, Driven};
use crate::run::ending;
use crate::run::hold;
use crate::store::{
    StoreError, outbox, processes, prompts, questions, records, runs, sessions, settings, waiting,
};

/// How long a start is tried again while the system is short of something.
const START_PATIENCE: Duration = Duration::from_secs(30);

impl Worker {
    /// Tells the chat once, after some seconds, that a prompt waits for a place; never returns.
    pub(super) async fn tell_that_it_waits(&self, run: RunId) {
        tokio::time::sleep(WAITS_SILENTLY).await;
        let is_news = {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            told.insert(run)
        };
        if is_news {
            let taken = self.runner.handles.places.taken_by();
            let telling = self.runner.handles.store.transaction(move |db| {
                let at = runs::place_if_known(db, run)?;
                if let Some(at) = at {
                    let prompts = prompts::of_run(db, run)?;
                    let asked_by = prompts.first().and_then(|prompt| prompt.message);
                    let words = queue::waits_for_place(at, &taken).replying_to(asked_by);
                    outbox::insert(db, at, &words)?;
                }
                Ok(at)
            });
            match telling.await {
                Ok(Some(at)) => self.runner.handles.outbox.deliver(at.chat),
                Ok(None) => {}
                Err(error) => {
                    debug!(run.id = %run, %error, "a chat is not told that it waits for a place");
                }
            }
        }
        std::future::pending().await
    }

    pub(super) async fn start(
        &self,
        id: RunId,
        place: Place<'_>,
        signals: &Signals,
        quit: &CancellationToken,
    ) -> anyhow::Result<Step> {
        let living = self.living_for(id).await?;
        let store = &self.runner.handles.store;
        let started = store
            .transaction(move |db| {
                let Some(workspace) = sessions::workspace_of_run(db, id)? else {
                    return Ok(None);
                };
                // This reads one folder, on the disk where the run's own folder is made a moment later.
                let empty_on = snapshot::unborn_branch(&workspace);
                if !waiting::mark_running(db, id, empty_on.as_deref())? {
                    return Ok(None);
                }
                if let Some(process) =
                    living.filter(|living| matches!(processes::take(db, living.id), Ok(true)))
                {
                    records::go_on_in(db, id, &process)?;
                }
                running(db, id)
            })
            .await?;
        let Some((run, session)) = started else {
            // It was dropped while it waited for a place.
            return Ok(Step::Done);
        };
        // Whatever comes in between: the run has it until its end.
        place.stays();
        info!(run.id = %id, chat = %run.at, session = %session.id, "a run starts");
        if let Some(message) = run.asked_by {
            let outbox = &self.runner.handles.outbox;
            outbox.react(run.at.chat, message, PromptState::Running);
        }
        fail_point!("run-marked", |_| std::process::abort());
        let tried_since = Instant::now();
        while let Err(error) = self.runner.start(&run, &session, signals, quit).await {
            if is_passing(&error) || (run.process == run.id && self.runner.is_kept(&run)) {
                // It is followed as a running one until it can be started.
                return Err(error);
            }
            if !is_short(&error) || tried_since.elapsed() > START_PATIENCE {
                // A keeper that was launched may have begun at this very moment: then it is followed.
                if run.process == run.id && !self.runner.give_up(&run) {
                    return Err(error);
                }
                // Never tried before, so nothing of it has begun and nothing is left to follow.
                self.end_what_it_took_over(&run).await?;
                self.not_started(&run, &format!("{error:#}"), Then::TryAgain)
                    .await?;
                return Ok(Step::Done);
            }
            debug!(run.id = %id, %error, "a run cannot be started yet");
            tokio::select! {
                () = tokio::time::sleep(LOOK_AGAIN) => {}
                () = quit.cancelled() => return Ok(Step::Quit),
            }
        }
        self.drive(run, &session, signals, quit).await
    }

    /// The session's living claude, if it works as a new one would; else it is ended.
    async fn living_for(&self, run: RunId) -> anyhow::Result<Option<Process>> {
        let store = &self.runner.handles.store;
        let found = store
            .transaction(move |db| {
                let Some(session) = sessions::of_run(db, run)? else {
                    return Ok(None);
                };
                let Some(process) = processes::of_session(db, &session.id)? else {
                    return Ok(None);
                };
                let is_wanted = !processes::stop_requested(db, process.id)?;
                let reported = sessions::reported(db, &session.id)?;
                let grants = questions::grants(db, &session.id)?;
                let choices = settings::choices(db, process.at.chat)?;
                let reported = reported.filter(|_| is_wanted);
                Ok(Some((process, session, reported, choices, grants)))
            })
            .await?;
        let Some((process, session, reported, choices, grants)) = found else {
            return Ok(None);
        };
        if let Some(reported) = reported
            && self
                .runner
                .fits(&process, &session, &reported, &choices, &grants)?
        {
            return Ok(Some(process));
        }
        self.end_process(&process, Why::Unneeded).await?;
        Ok(None)
    }

    /// An error here does not end the run: its keeper may still be working. The run is reported as failed only if there
    /// is no keeper and it keeps failing: its chat would wait for ever.
    pub(super) async fn follow(
        &self,
        id: RunId,
        signals: &Signals,
        quit: &CancellationToken,
    ) -> anyhow::Result<Step> {
        let store = &self.runner.handles.store;
        let Some((run, session)) = store.transaction(move |db| running(db, id)).await? else {
            // The other worker has seen its end.
            return Ok(Step::Done);
        };
        // It goes on, whether a place is free or not.
        self.runner.handles.places.keep(id.0, run.at);
        info!(run.id = %id, chat = %run.at, "following a run");
        let followed = match self.runner.start(&run, &session, signals, quit).await {
            Ok(()) => self.drive(run.clone(), &session, signals, quit).await,
            Err(error) => Err(error),
        };
        let Err(error) = followed else {
            return followed;
        };
        let is_own = run.process == run.id;
        if is_passing(&error) || (is_own && self.runner.is_kept(&run)) || !self.is_enough(run.id.0)
        {
            return Err(error);
        }
        self.end_what_it_took_over(&run).await?;
        let process = run.process;
        let sweep = move || sweep::end_left_behind(process, &Seen::default());
        tokio::task::spawn_blocking(sweep).await??;
        let words = format!("its record cannot be read: {error:#}");
        self.not_started(&run, &words, Then::GiveUp).await?;
        Ok(Step::Done)
    }

    /// A claude that a run took over, and in which it cannot begin, is nobody's any more.
    async fn end_what_it_took_over(&self, run: &Run) -> anyhow::Result<()> {
        if run.process == run.id {
            return Ok(());
        }
        let process = Process {
            id: run.process,
            session: run.session.clone(),
            conversation: None,
            at: run.at,
            until: None,
            background: Vec::new(),
            read_to: 0,
            cost_usd: 0.0,
        };
        self.end_process(&process, Why::Unneeded).await
    }

    async fn drive(
        &self,
        run: Run,
        session: &Session,
        signals: &Signals,
        quit: &CancellationToken,
    ) -> anyhow::Result<Step> {
        let id = run.id;
        Ok(
            match drive::drive(&self.runner, run, session, signals, quit).await? {
                Driven::Ended => {
                    self.runner.handles.places.give_back(id.0);
                    Step::Done
                }
                Driven::BotStops => Step::Quit,
            },
        )
    }

    async fn not_started(&self, run: &Run, words: &str, then: Then) -> Result<(), StoreError> {
        error!(run.id = %run.id, chat = %run.at, words, "a run could not be started");
        let failure = Failure::NotStarted(words.to_owned());
        let message = failure
            .message(Duration::ZERO, &Progress::default())
            .replying_to(run.asked_by);
        let id = run.id;
        let outcome = Outcome::Failed(failure.reason());
        let ended = outcome.clone();
        let (ended_run, owner) = (run.clone(), self.runner.owner);
        let (at, is_news, is_held) = self
            .runner
            .handles
            .store
            .transaction(move |db| {
                let at = runs::place(db, id)?;
                let is_news = ending::end(db, at, id, &ended)?;
                let is_held = is_news
                    && then == Then::TryAgain
                    && hold::not_started(db, &ended_run, at, failure, owner)?;
                if is_news && !is_held {
                    ending::pause_routine_that_fails(db, id)?;
                    outbox::insert(db, at, &message)?;
                }
                Ok((at, is_news, is_held))
            })
            .await?;
        if is_news {
            let metrics = &self.runner.handles.metrics;
            metrics.run_ended(&outcome, None);
        }
        self.runner.handles.places.give_back(id.0);
        if let Some(asked_by) = run.asked_by {
            let state = match is_held {
                true => PromptState::Taken,
                false => PromptState::Failed,
            };
            let outbox = &self.runner.handles.outbox;
            outbox.react(at.chat, asked_by, state);
        }
        self.runner.handles.outbox.deliver(at.chat);
        Ok(())
    }
}

/// A run that is running, and its session, as they are now.
fn running(db: &Connection, id: RunId) -> rusqlite::Result<Option<(Run, Session)>> {
    let Some(run) = runs::running_under(db, id)? else {
        return Ok(None);
    };
    let session = sessions::get(db, &run.session)?;
    Ok(session.map(|session| (run, session)))
}

/// What becomes of the prompts of a run that did not start.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    /// Their chat is held until claude can be started.
    TryAgain,
    GiveUp,
}

/// The system is short of something that others may give back: processes, memory, open files.
fn is_short(error: &anyhow::Error) -> bool {
    use rustix::io::Errno;
    let errno = error
        .downcast_ref::<std::io::Error>()
        .and_then(Errno::from_io_error);
    errno.is_some_and(|errno| {
        [
            Errno::AGAIN,
            Errno::NOMEM,
            Errno::MFILE,
            Errno::NFILE,
            Errno::TXTBSY,
        ]
        .contains(&errno)
    })
}
