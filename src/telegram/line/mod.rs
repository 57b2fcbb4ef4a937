//! One chat's line: one call at a time, messages that must arrive first, then live states.
//!
//! Secrets are taken out here: everything that a chat is shown passes here, with its source text still whole. After
//! drawing, entities have offsets into the text, which would no longer fit, and a cut between parts could split a
//! secret.
//!
//! A chat that is slow, blocked or told to pause delays only itself. `settle` handles every outcome of a send; none of
//! them is a loop. `beside` shows live messages, reactions and typing.

mod beside;
mod settle;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use fail::fail_point;
use jiff::Zoned;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::api::{Api, ApiError};
use super::budget::{Budget, Purpose};
use super::draw;
use super::live::LiveMessage;
use super::react::Reactions;
use super::send::Sending;
use crate::domain::choices::minute_of_day;
use crate::domain::delivery::Parked;
use crate::domain::id::{ChatId, ChatThread, MessageId};
use crate::domain::live::PromptState;
use crate::domain::live::{LiveOf, LiveText};
use crate::metrics::Metrics;
use crate::redact::Redactor;
use crate::store::{Store, outbox, pauses, settings};
use settle::Unrecorded;

/// A request to a line.
pub enum Ask {
    Deliver,
    Live {
        at: ChatThread,
        of: LiveOf,
        text: LiveText,
    },
    LiveKnown {
        at: ChatThread,
        of: LiveOf,
        message: MessageId,
    },
    LiveEnd {
        of: LiveOf,
        text: LiveText,
    },
    LiveGone(LiveOf),
    Typing(ChatThread),
    RemoveButtons(MessageId),
    React {
        message: MessageId,
        state: PromptState,
    },
}

/// Pauses between tries of a message that must arrive; the last one is repeated.
const RETRY_PAUSES_S: [u64; 8] = [1, 2, 5, 10, 30, 60, 120, 300];
/// After a failure of the store.
const STORE_PAUSE: Duration = Duration::from_secs(1);
/// How long Telegram may take to answer something harmless.
pub(super) const PROBE_LIMIT: Duration = Duration::from_secs(10);
/// How long the stopping bot still sends due messages.
const FLUSH_LIMIT: Duration = Duration::from_millis(2_500);
/// How long stopping tasks have to write their last rows.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// How often a message is sent if nobody knows whether it arrived: once, and once more.
const MOST_DOUBTS: u32 = 2;

/// The handles that a line works with.
#[derive(Clone)]
pub struct Surroundings {
    pub api: Api,
    pub store: Store,
    pub metrics: Metrics,
    pub redactor: Redactor,
    /// The bot stops.
    pub quit: CancellationToken,
}

/// The channels of a line's requests.
pub struct Asks {
    pub of_this: mpsc::UnboundedReceiver<Ask>,
    /// The other lines, for a chat that has moved.
    pub of_all: mpsc::WeakUnboundedSender<(ChatId, Ask)>,
}

pub struct Line {
    chat: ChatId,
    around: Surroundings,
    asks: Asks,
    budget: Budget,
    due: bool,
    /// A failed message is not tried before this.
    retry_at: Instant,
    /// How often in a row Telegram gave no answer at all.
    silences: usize,
    /// Telegram has answered since the bot was started.
    was_heard: bool,
    /// Outcomes that could not be recorded yet; nothing more is sent until they are.
    unrecorded: VecDeque<Unrecorded>,
    live: BTreeMap<LiveOf, LiveMessage>,
    /// Live messages to remove.
    gone: VecDeque<(LiveOf, MessageId)>,
    /// Messages whose buttons are to be removed.
    old_buttons: VecDeque<MessageId>,
    reactions: Reactions,
}

/// What a line does next.
enum Next {
    Send,
    ShowLive(LiveOf),
    RemoveLive(LiveOf, MessageId),
    RemoveButtons(MessageId),
    React,
    WaitUntil(Instant),
    Wait,
}

impl Line {
    /// `paused_until` is the end of a pause that Telegram asked for before the bot was started.
    pub fn new(
        chat: ChatId,
        around: Surroundings,
        asks: Asks,
        paused_until: Option<Instant>,
    ) -> Line {
        let now = Instant::now();
        let mut budget = Budget::new(chat, now);
        if let Some(until) = paused_until {
            budget.pause(until.saturating_duration_since(now), now);
        }
        Line {
            chat,
            around,
            asks,
            budget,
            due: false,
            retry_at: now,
            silences: 0,
            was_heard: false,
            unrecorded: VecDeque::new(),
            live: BTreeMap::new(),
            gone: VecDeque::new(),
            old_buttons: VecDeque::new(),
            reactions: Reactions::default(),
        }
    }

    /// Ends when the other end of `asks` is dropped, or the bot stops. Unsent messages stay in the store.
    pub async fn run(mut self) {
        loop {
            while let Ok(ask) = self.asks.of_this.try_recv() {
                self.take(ask);
            }
            let wake = match self.next(Instant::now()) {
                Next::Send => {
                    self.send_next().await;
                    continue;
                }
                Next::ShowLive(of) => {
                    self.show_live(&of).await;
                    continue;
                }
                Next::RemoveLive(of, message) => {
                    self.remove_live(of, message).await;
                    continue;
                }
                Next::RemoveButtons(message) => {
                    self.remove_buttons(message).await;
                    continue;
                }
                Next::React => {
                    self.react().await;
                    continue;
                }
                Next::WaitUntil(moment) => Some(moment),
                Next::Wait => None,
            };
            let timer = async {
                match wake {
                    Some(moment) => sleep_until(moment).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                ask = self.asks.of_this.recv() => match ask {
                    Some(ask) => self.take(ask),
                    None => return self.flush().await,
                },
                () = timer => {}
                // A stuck task may still have a handle to the outbox.
                () = stopping(&self.around.quit) => return self.flush().await,
            }
        }
    }

    /// Sends the due messages that may go now; the bot is about to stop.
    async fn flush(mut self) {
        let deadline = Instant::now() + FLUSH_LIMIT;
        while self.due {
            let now = Instant::now();
            let ready = self
                .budget
                .ready_at(Purpose::Message, now)
                .max(self.retry_at);
            if ready >= deadline {
                return;
            }
            sleep_until(ready).await;
            if timeout_at(deadline, self.send_next()).await.is_err() {
                return;
            }
        }
    }

    fn take(&mut self, ask: Ask) {
        match ask {
            Ask::Deliver => self.due = true,
            Ask::Live { at, of, text } => {
                let text = self.around.redactor.without_secrets(text);
                self.live_of(at, of).want(text);
            }
            Ask::LiveKnown { at, of, message } => self.live_of(at, of).is_known_as(message),
            Ask::LiveEnd { of, text } => {
                let text = self.around.redactor.without_secrets(text);
                let now = Instant::now();
                if !self
                    .live
                    .get_mut(&of)
                    .is_some_and(|live| live.end(text, now))
                {
                    self.live.remove(&of);
                }
            }
            Ask::LiveGone(of) => {
                let message = self.live.remove(&of).and_then(|live| live.message());
                self.gone.extend(message.map(|message| (of, message)));
            }
            Ask::Typing(at) => self.type_along(at),
            Ask::React { message, state } => self.reactions.want(message, state),
            Ask::RemoveButtons(message) => self.old_buttons.push_back(message),
        }
    }

    fn live_of(&mut self, at: ChatThread, of: LiveOf) -> &mut LiveMessage {
        self.live
            .entry(of.clone())
            .or_insert_with(|| LiveMessage::new(at, of, Instant::now()))
    }

    fn next(&mut self, now: Instant) -> Next {
        let mut earliest: Option<Instant> = None;
        let mut consider = |moment: Instant| {
            earliest = Some(earliest.map_or(moment, |other| other.min(moment)));
        };
        if self.due {
            let ready = self
                .budget
                .ready_at(Purpose::Message, now)
                .max(self.retry_at);
            if ready <= now {
                return Next::Send;
            }
            consider(ready);
        }
        let live_ready = self.budget.ready_at(Purpose::Live, now);
        for (of, live) in &self.live {
            let Some(due) = live.due_at() else {
                continue;
            };
            let ready = live_ready.max(due);
            if ready <= now {
                return Next::ShowLive(of.clone());
            }
            consider(ready);
        }
        if let Some((of, message)) = self.gone.front() {
            if live_ready <= now {
                return Next::RemoveLive(of.clone(), *message);
            }
            consider(live_ready);
        }
        if let Some(message) = self.old_buttons.front() {
            if live_ready <= now {
                return Next::RemoveButtons(*message);
            }
            consider(live_ready);
        }
        if self.reactions.is_due() {
            if live_ready <= now {
                return Next::React;
            }
            consider(live_ready);
        }
        earliest.map_or(Next::Wait, Next::WaitUntil)
    }

    /// Sends the next part of the chat's next message.
    async fn send_next(&mut self) {
        if !self.write_down().await || (self.silences > 0 && !self.is_heard().await) {
            return;
        }
        let chat = self.chat;
        let taken = self
            .around
            .store
            .transaction(move |db| {
                let due = outbox::take_next(db, chat)?;
                due.map(|due| Ok((due, settings::get(db, chat)?)))
                    .transpose()
            })
            .await;
        let (mut due, settings) = match taken {
            Ok(Some(found)) => found,
            Ok(None) => {
                self.due = false;
                return;
            }
            Err(error) => {
                debug!(chat.id = chat.0, %error, "the outbox cannot be read; trying again");
                self.retry_at = Instant::now() + STORE_PAUSE;
                return;
            }
        };
        fail_point!("outbox-taken", |_| std::process::abort());
        if due.doubts >= MOST_DOUBTS {
            let failure = "the bot ended twice while it was being sent";
            return self.park(&due, Parked::Unconfirmed, failure).await;
        }
        if due.doubts > 0 && !self.was_heard && !self.is_heard().await {
            // It was not sent this time.
            return self
                .record(move |db| outbox::mark_due(db, due.id, "Telegram is silent"))
                .await;
        }
        self.around.redactor.clean_message(&mut due.message);
        let mut drawn = draw::draw(&mut due.message);
        drawn.take_secrets_out(&self.around.redactor);
        let Some(part) = drawn.parts.get(due.parts_sent) else {
            let id = due.id;
            return self.record(move |db| outbox::mark_whole(db, id)).await;
        };
        let is_last = due.parts_sent + 1 == drawn.parts.len();
        let delivery = Sending {
            api: &self.around.api,
            budget: &mut self.budget,
            due: &due,
            part,
            is_last,
            rings: settings.ring.rings_at(minute_of_day(&Zoned::now())),
            commands: &drawn.commands,
        }
        .send()
        .await;
        fail_point!("outbox-sent", |_| std::process::abort());
        self.settle(due, delivery, is_last).await;
    }

    /// Whether Telegram answers again after a silence. Asks with a harmless call, so that no message is sent twice.
    async fn is_heard(&mut self) -> bool {
        let arguments = json!({"chat_id": self.chat.0, "action": "typing"});
        let answer: Result<bool, _> = self
            .around
            .api
            .call_within(PROBE_LIMIT, "sendChatAction", &arguments)
            .await;
        match answer {
            Err(ApiError::Flood(pause)) => {
                self.silences = 0;
                self.pause(pause).await;
                false
            }
            Err(error) if error.is_passing() => {
                self.retry_at = Instant::now() + pause_before(self.silences);
                self.silences += 1;
                false
            }
            _ => {
                self.silences = 0;
                self.was_heard = true;
                true
            }
        }
    }

    /// Telegram asked for a pause of the whole chat.
    async fn pause(&mut self, pause: Duration) {
        self.budget.pause(pause, Instant::now());
        let chat = self.chat;
        self.record(move |db| pauses::set(db, chat, pause)).await;
    }
}

/// Returns a moment after the bot was told to stop: other tasks have written their last rows by then.
async fn stopping(quit: &CancellationToken) {
    quit.cancelled().await;
    tokio::time::sleep(LAST_WORDS).await;
}

fn pause_before(attempt: usize) -> Duration {
    Duration::from_secs(RETRY_PAUSES_S[attempt.min(RETRY_PAUSES_S.len() - 1)])
}
