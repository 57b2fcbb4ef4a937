//! Follows a run from its first line to its end: the one loop that everything about a run passes.
//!
//! It can be left at any moment, also by a restart: the next drive reads the events from the start, and acts only on
//! those after the offset that the store has as acted on.

mod asking;
pub(super) mod choosing;
mod finish;
mod leaving;
mod place;
mod steer;
mod turn;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use fail::fail_point;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::error;
use uuid::Uuid;

use super::start::Runner;
use crate::chat::live::{self, Going};
use crate::claude::folder::Exit;
use crate::claude::host::{End, Host};
use crate::domain::choices::ChatSettings;
use crate::domain::event::Event;
use crate::domain::id::{ClaudeSessionId, MessageId, PromptId};
use crate::domain::live::{LiveOf, LiveText};
use crate::domain::outgoing::Outgoing;
use crate::domain::progress::Progress;
use crate::domain::run::Run;
use crate::domain::session::{Reported, Session};
use crate::job::Signals;
use crate::process::sweep::{self, Seen};
use crate::store::settings;
use crate::store::{StoreError, holds, outbox, panic_text, runs, waiting};
use asking::Asking;
use leaving::Phase;
use place::Wait;
use steer::OnItsWay;

/// A run that is over sooner shows no live message: its answer is there before one could be read.
const LIVE_AFTER: Duration = Duration::from_secs(1);
const TICK: Duration = Duration::from_secs(1);
/// Telegram shows "typing" for five seconds.
const TYPING_EVERY: Duration = Duration::from_millis(4_500);
/// Chunks of 64 KiB read before the loop looks at anything else.
const CHUNKS_AT_ONCE: usize = 32;
/// How a drive ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Driven {
    Ended,
    /// The bot stops; the run continues.
    BotStops,
}

/// Follows a run that has been started.
///
/// `signals` say that somebody may have stopped the run, written something or answered claude; the store knows. Errors
/// are the store's and the file system's; the run continues, and may be driven again.
pub async fn drive(
    runner: &Runner,
    run: Run,
    session: &Session,
    signals: &Signals,
    quit: &CancellationToken,
) -> anyhow::Result<Driven> {
    let folder = runner.folder_of(&run);
    let watched = runner.watch.folder(folder.path());
    let mut drive = Drive::new(runner, run, session, Host::open(folder)?);
    drive.await_own().await?;
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);

    loop {
        let wake = tokio::select! {
            biased;
            () = quit.cancelled() => return Ok(Driven::BotStops),
            () = signals.stop.notified() => Wake::Stop,
            () = signals.more.notified() => Wake::More,
            _ = tick.tick() => Wake::Tick,
            // There is more to read; but a stop and the clock come first.
            () = std::future::ready(()), if drive.more => Wake::Grew,
            () = runner.handles.places.moved(), if drive.waits.is_some() => Wake::More,
            () = watched.changed() => Wake::Grew,
        };
        match wake {
            Wake::Stop => drive.look_for_stop().await?,
            Wake::Tick => drive.tick().await?,
            Wake::Grew | Wake::More => {}
        }
        let read_something = drive.read().await?;
        if wake != Wake::Grew {
            drive.steer().await?;
        }
        drive.attend(wake != Wake::Grew).await?;
        drive.let_go_if_finished()?;
        if let Phase::LivingOn = drive.phase {
            // A stop of this moment is for what lives on, too.
            drive.look_for_stop().await?;
        }
        if let Phase::LivingOn = drive.phase {
            drive.finish(End::Exited(Exit::default()), None).await?;
            return Ok(Driven::Ended);
        }
        if wake == Wake::Grew && read_something {
            continue;
        }
        if let Some(end) = drive.end()? {
            // `loss` ends all who could write; then the last lines are read.
            let loss = drive.loss(&end).await?;
            while drive.read().await? {}
            drive.finish(end, loss).await?;
            return Ok(Driven::Ended);
        }
    }
}

/// Everything that wakes the loop, the end of the bot aside.
#[derive(PartialEq, Eq)]
enum Wake {
    Grew,
    Stop,
    /// Something waits in the chat.
    More,
    Tick,
}

struct Drive<'a> {
    runner: &'a Runner,
    run: Run,
    session: &'a Session,
    host: Host,
    progress: Progress,
    asking: Asking,
    /// There is more to read.
    more: bool,
    /// The end of the last line that was read.
    read_to: u64,
    /// The events of earlier runs in the same process have been read.
    has_begun_own: bool,
    begun: Instant,
    last_event: Instant,
    next_typing: Instant,
    waiting: usize,
    on_its_way: OnItsWay,
    /// The prompts with which the run began in a claude that lived.
    own: BTreeSet<Uuid>,
    /// Prompts that claude has begun with after an interrupt.
    begun_late: Vec<PromptId>,
    /// The messages of prompts that claude has taken up, by the prompts' ids.
    asked_in: BTreeMap<Uuid, MessageId>,
    stop_requested: bool,
    phase: Phase,
    /// It waits for a place.
    waits: Option<Wait>,
    /// The keeper's descendants at the last look.
    seen: Seen,
    /// What the chat wants to see and hear.
    settings: ChatSettings,
    /// What claude said of itself, as far as it is stored.
    reported: Option<Reported>,
}

impl<'a> Drive<'a> {
    fn new(runner: &'a Runner, run: Run, session: &'a Session, host: Host) -> Drive<'a> {
        let now = Instant::now();
        if let Some(message) = run.live_message {
            runner
                .handles
                .outbox
                .resume_live(run.at, LiveOf::Run(run.id), message);
        }
        Drive {
            runner,
            run,
            session,
            host,
            progress: Progress::resuming(session.claude_session.clone()),
            asking: Asking::default(),
            more: false,
            read_to: 0,
            has_begun_own: false,
            begun: now,
            last_event: now,
            next_typing: now,
            waiting: 0,
            on_its_way: OnItsWay::default(),
            own: BTreeSet::new(),
            begun_late: Vec::new(),
            asked_in: BTreeMap::new(),
            stop_requested: false,
            phase: Phase::Working,
            waits: None,
            seen: Seen::default(),
            settings: ChatSettings::default(),
            reported: None,
        }
    }

    /// Reads some of the new events and acts on them; returns whether there were any.
    async fn read(&mut self) -> anyhow::Result<bool> {
        let mut read_something = false;
        for _ in 0..CHUNKS_AT_ONCE {
            let (events, more) = self.host.events()?;
            self.more = more;
            for (end, event) in events {
                read_something = true;
                self.read_to = end;
                if end <= self.run.events_from {
                    // An earlier run's, in the same process.
                    self.progress.apply(&event);
                    continue;
                }
                self.begin_own();
                self.asking.hear(&event);
                let progress = &mut self.progress;
                // One bad event is not worth a run.
                let _ = catch_unwind(AssertUnwindSafe(|| progress.apply(&event)));
                if matches!(event, Event::TurnStarted { .. }) {
                    self.phase.turn_begins();
                }
                if let Event::TurnEnded(turn) = &event {
                    self.taken_unsaid(turn).await?;
                    self.settle_late(turn.aborted).await?;
                }
                match event {
                    Event::TurnStarted { model, mode, .. } => {
                        self.report(Reported { model, mode }).await?;
                    }
                    Event::Mode(mode) => {
                        let model = self.progress.model.clone().unwrap_or_default();
                        self.report(Reported { model, mode }).await?;
                    }
                    Event::TurnEnded(turn) if end > self.run.acted_offset => {
                        self.act_on(turn, end).await?;
                    }
                    Event::TakenUp(prompt) => self.taken_up(prompt).await?,
                    Event::Withdrawn {
                        prompt,
                        was_there: true,
                    } => self.given_back(prompt).await?,
                    _ => {}
                }
            }
            if read_something {
                self.last_event = Instant::now();
            }
            if !more {
                self.begin_own();
                return Ok(read_something);
            }
            read_something = true;
            tokio::task::yield_now().await;
        }
        Ok(read_something)
    }

    /// What was read so far was about earlier runs in the same process.
    fn begin_own(&mut self) {
        if self.run.process != self.run.id && !std::mem::replace(&mut self.has_begun_own, true) {
            self.progress.begin_run(self.run.cost_before);
        }
    }

    /// Once a second: typing, the live message, and what may have been missed.
    async fn tick(&mut self) -> anyhow::Result<()> {
        self.look_for_stop().await?;
        if let Some(keeper) = self.host.keeper()? {
            // /proc may take its time.
            self.seen = tokio::task::spawn_blocking(move || sweep::look_below(keeper)).await?;
        }
        let now = Instant::now();
        if let Phase::LetGo { .. } = self.phase {
            return Ok(self.hurry()?);
        }
        let (id, at) = (self.run.id, self.run.at);
        self.tell_of_wait().await?;
        if now >= self.next_typing && self.asking.open() == 0 {
            self.next_typing = now + TYPING_EVERY;
            self.runner.handles.outbox.typing(at);
        }
        let elapsed = self.elapsed();
        if elapsed >= LIVE_AFTER
            && let Some(text) = self.live_text(elapsed)
        {
            self.runner
                .handles
                .outbox
                .show_live(at, LiveOf::Run(id), text);
        }
        Ok(())
    }

    /// A live text that cannot be made is left out; the answer is what counts.
    fn live_text(&self, elapsed: Duration) -> Option<LiveText> {
        let made = catch_unwind(AssertUnwindSafe(|| {
            fail_point!("live-text");
            let going = Going {
                elapsed,
                stopping: matches!(self.phase, Phase::Stopping { .. }),
                waiting: self.waiting,
                asks: self.asking.open(),
                verbosity: self.settings.verbosity,
            };
            live::live(&self.progress, going)
        }));
        made.inspect_err(|panic| {
            let panic = panic_text(panic.as_ref());
            error!(run.id = %self.run.id, panic, "a live text could not be made");
        })
        .ok()
    }

    /// Reads the run's chat and settings from the store, whether the run is to be stopped, and what waits behind it.
    async fn look_for_stop(&mut self) -> anyhow::Result<()> {
        let id = self.run.id;
        let (at, waiting, stop_requested, settings) = self
            .runner
            .handles
            .store
            .transaction(move |db| {
                let at = runs::place(db, id)?;
                Ok((
                    at,
                    match holds::of(db, at)? {
                        // Prompts wait for the hold instead.
                        Some(_) => 0,
                        None => waiting::queued_count(db, at)?,
                    },
                    runs::stop_requested(db, id)?,
                    settings::get(db, at.chat)?,
                ))
            })
            .await?;
        (self.waiting, self.stop_requested) = (waiting, stop_requested);
        self.settings = settings;
        if at != self.run.at {
            // The group has another id, under which the prompt's message has no such number.
            self.run.at = at;
            self.run.asked_by = None;
            self.asked_in.clear();
        }
        if self.stop_requested {
            self.stop()?;
        }
        Ok(())
    }

    async fn say(&self, message: Outgoing) -> Result<(), StoreError> {
        let run = self.run.id;
        let at = self
            .runner
            .handles
            .store
            .transaction(move |db| {
                let at = runs::place(db, run)?;
                outbox::insert(db, at, &message)?;
                Ok(at)
            })
            .await?;
        self.runner.handles.outbox.deliver(at.chat);
        Ok(())
    }

    /// The conversation that the next run resumes, and its model. `None` if claude opened no conversation: then no turn
    /// has begun.
    /// A model that the chat has chosen is left out: a later choice must not lead back to it.
    fn conversation(&self) -> Option<(ClaudeSessionId, Option<String>)> {
        let model = self.progress.model.clone()?;
        let own = Some(model).filter(|_| !self.has_chosen_model());
        Some((self.progress.claude_session.clone()?, own))
    }

    fn elapsed(&self) -> Duration {
        let started = self.run.started_at.unwrap_or(self.run.queued_at);
        Duration::from_millis(u64::try_from(crate::store::now() - started).unwrap_or(0))
    }
}
