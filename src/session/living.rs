//! A claude that lives on after its run: watched until a run takes it over, it begins a turn by itself, or it is to
//! end.

use std::time::Duration;

use rusqlite::Connection;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info};

use super::worker::{LOOK_AGAIN, Step, Worker};
use crate::chat::text;
use crate::claude::folder::RunFolder;
use crate::claude::host::{End, Host};
use crate::domain::event::Event;
use crate::domain::id::RunId;
use crate::domain::outgoing::Outgoing;
use crate::domain::process::Process;
use crate::domain::progress::Progress;
use crate::domain::session::Reported;
use crate::job::Signals;
use crate::process::pressure;
use crate::process::sweep::{self, Seen};
use crate::store::{StoreError, now, outbox, processes, questions, records, sessions, settings};

/// How long claude may take to leave before it is stopped.
const LEAVING_TIME: Duration = Duration::from_secs(10);
/// How long a claude with nothing left in the background may take to begin a turn about that.
const MOMENT: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(100);

/// Why a claude ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// It is not needed any more, or does not fit the next run.
    Unneeded,
    /// A person wants it.
    Asked,
    /// By itself.
    Died,
}

impl Worker {
    /// Watches one while its chat has nothing else to do.
    pub(super) async fn watch(
        &self,
        id: RunId,
        signals: &Signals,
        quit: &CancellationToken,
    ) -> anyhow::Result<Step> {
        let _claim = tokio::select! {
            claim = self.claims.take(id) => claim,
            // In a group that has moved, the worker of the former chat may be the one that watches.
            () = signals.more.notified() => return Ok(Step::Done),
            () = quit.cancelled() => return Ok(Step::Quit),
        };
        let store = &self.runner.handles.store;
        let Some(mut process) = store.transaction(move |db| processes::get(db, id)).await? else {
            return Ok(Step::Done);
        };
        let folder = self.folder_of(&process);
        let watched = self.runner.watch.folder(folder.path());
        let mut host = match Host::open(folder) {
            Ok(host) => host,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                debug!(run.id = %id, %error, "the record of a claude that lives is gone");
                self.end_what_is_left(&process, &End::Lost).await?;
                self.forget(&process, Why::Died).await?;
                return Ok(Step::Done);
            }
            Err(error) => return Err(error.into()),
        };
        self.tell_choices(&process).await?;
        let mut progress = Progress::default();
        loop {
            if self.read(&mut host, &mut progress, &process).await? {
                return Ok(Step::Done);
            }
            if let Some(end) = host.end()? {
                self.end_what_is_left(&process, &end).await?;
                self.forget(&process, Why::Died).await?;
                return Ok(Step::Done);
            }
            if store
                .transaction(move |db| processes::stop_requested(db, id))
                .await?
            {
                self.end_process(&process, Why::Asked).await?;
                return Ok(Step::Done);
            }
            self.note_what_goes_on(&mut process, &progress).await?;
            if process
                .until
                .is_some_and(|until| until <= now() || pressure::is_short_of_memory())
            {
                self.end_process(&process, Why::Unneeded).await?;
                return Ok(Step::Done);
            }
            tokio::select! {
                () = watched.changed() => {}
                () = signals.stop.notified() => {}
                () = signals.more.notified() => return Ok(Step::Done),
                () = tokio::time::sleep(LOOK_AGAIN) => {}
                () = quit.cancelled() => return Ok(Step::Quit),
            }
        }
    }

    /// Reads what is new; if claude has begun a turn by itself, that is a run, and this returns true.
    async fn read(
        &self,
        host: &mut Host,
        progress: &mut Progress,
        process: &Process,
    ) -> anyhow::Result<bool> {
        loop {
            let (events, more) = host.events()?;
            for (end, event) in events {
                let is_new = end > process.read_to;
                let begins = matches!(
                    event,
                    Event::Busy | Event::TurnStarted { .. } | Event::TakenUp(_) | Event::Asks(_)
                );
                if is_new && begins {
                    self.begins_by_itself(process).await?;
                    return Ok(true);
                }
                if let (true, Event::Mode(mode)) = (is_new, &event) {
                    self.note_mode(process, mode.clone()).await?;
                }
                progress.apply(&event);
            }
            if !more {
                return Ok(false);
            }
        }
    }

    /// What the chat has chosen holds for what claude begins by itself, too.
    async fn tell_choices(&self, process: &Process) -> anyhow::Result<()> {
        let (at, session) = (process.at, process.session.clone());
        let read = move |db: &Connection| {
            let session = sessions::get(db, &session)?;
            let grants = match &session {
                Some(session) => questions::grants(db, &session.id)?,
                None => Vec::new(),
            };
            Ok((session, settings::choices(db, at.chat)?, grants))
        };
        let (session, choices, grants) = self.runner.handles.store.transaction(read).await?;
        if let Some(session) = session {
            self.runner.tell(process, &session, &choices, &grants)?;
        }
        Ok(())
    }

    async fn note_mode(&self, process: &Process, mode: String) -> Result<(), StoreError> {
        let session = process.session.clone();
        let note = move |db: &Connection| {
            if let Some(reported) = sessions::reported(db, &session)? {
                sessions::set_reported(db, &session, &Reported { mode, ..reported })?;
            }
            Ok(())
        };
        self.runner.handles.store.transaction(note).await
    }

    async fn begins_by_itself(&self, process: &Process) -> Result<(), StoreError> {
        let (id, run) = (process.id, RunId::new());
        info!(run.id = %run, chat = %process.at, "claude begins a run by itself");
        self.runner
            .handles
            .store
            .transaction(move |db| {
                // As it is now: its chat may be another one.
                if let Some(process) = processes::get(db, id)? {
                    processes::take(db, id)?;
                    records::insert_begun(db, run, &process)?;
                }
                Ok(())
            })
            .await
    }

    /// When nothing is left in the background, claude is kept as long as a warm one, or not at all.
    async fn note_what_goes_on(
        &self,
        process: &mut Process,
        progress: &Progress,
    ) -> Result<(), StoreError> {
        let background: Vec<String> = progress.background.values().cloned().collect();
        if background == process.background {
            return Ok(());
        }
        if background.is_empty() {
            // claude begins its turn about the end a moment after the end.
            let soon = now() + i64::try_from(MOMENT.as_millis()).unwrap_or(0);
            process.until = Some(self.runner.warm_until().unwrap_or(soon));
        } else {
            process.until = None;
        }
        process.background = background;
        let noted = process.clone();
        self.runner
            .handles
            .store
            .transaction(move |db| {
                processes::set_rest(db, noted.id, noted.until, &noted.background)
            })
            .await
    }

    /// Ends a claude that lives. Nothing that it started is left.
    pub(super) async fn end_process(&self, process: &Process, why: Why) -> anyhow::Result<()> {
        // Without a record there is nobody.
        let host = match Host::open(self.folder_of(process)) {
            Ok(host) => Some(host),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(error.into()),
        };
        if let Some(host) = host {
            host.end_session()?;
            let mut asked = Instant::now();
            let end = loop {
                if let Some(end) = host.end()? {
                    break end;
                }
                if asked.elapsed() > LEAVING_TIME {
                    asked = Instant::now();
                    host.ask_to_stop()?;
                }
                tokio::time::sleep(PAUSE).await;
            };
            self.end_what_is_left(process, &end).await?;
        }
        Ok(self.forget(process, why).await?)
    }

    /// A keeper that is killed cannot end what it kept.
    async fn end_what_is_left(&self, process: &Process, end: &End) -> anyhow::Result<()> {
        if *end == End::Lost {
            let id = process.id;
            let sweep = move || sweep::end_left_behind(id, &Seen::default());
            tokio::task::spawn_blocking(sweep).await??;
        }
        Ok(())
    }

    async fn forget(&self, process: &Process, why: Why) -> Result<(), StoreError> {
        let told = told(process, why);
        let id = process.id;
        let at = self
            .runner
            .handles
            .store
            .transaction(move |db| {
                let now = processes::get(db, id)?;
                if let (true, Some(now), Some(told)) = (processes::take(db, id)?, &now, told) {
                    outbox::insert(db, now.at, &told)?;
                }
                Ok(now.map(|now| now.at))
            })
            .await?;
        if let Some(at) = at {
            self.runner.handles.outbox.deliver(at.chat);
        }
        Ok(())
    }

    pub(super) fn folder_of(&self, process: &Process) -> RunFolder {
        RunFolder::new(self.runner.folder.join(process.id.to_string()))
    }
}

/// What the chat is told of an end; nothing of a claude that only waited for the next prompt.
fn told(process: &Process, why: Why) -> Option<Outgoing> {
    if process.background.is_empty() {
        return None;
    }
    Some(match why {
        Why::Asked => text::background_stopped(&process.background),
        Why::Unneeded => text::background_ended(&process.background),
        Why::Died => text::background_lost(&process.background),
    })
}
