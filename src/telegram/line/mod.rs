//! One chat's line: what is due goes in the order of its rank, messages that must arrive first, then live states.
//!
//! Secrets are taken out here: everything that a chat is shown passes here, with its source text still whole. After
//! drawing, entities have offsets into the text, which would no longer fit, and a cut between parts could split a
//! secret.
//!
//! One call at a time, but for files: those go up beside it, one at a time, and nothing waits for them. A chat that is
//! slow, blocked or told to pause delays only itself. `due` sends what must arrive, and `settle` handles every
//! outcome of a send; none of them is a loop. `beside` shows live messages, reactions and typing.

mod beside;
mod due;
mod settle;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;

use super::api::Api;
use super::budget::Rank;
use super::leaving::Leaving;
use super::live::LiveMessage;
use super::react::Reactions;
use super::turns::{Turn, Turns};
use crate::domain::id::{ChatId, ChatThread, MessageId};
use crate::domain::live::PromptState;
use crate::domain::live::{LiveOf, LiveText};
use crate::metrics::Metrics;
use crate::redact::Redactor;
use crate::store::{Store, pauses};
use beside::SlowMode;
use due::{DueRow, Uploads};
use settle::{Failing, Unrecorded};

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
        at: ChatThread,
        of: LiveOf,
        text: LiveText,
    },
    LiveGone {
        at: ChatThread,
        of: LiveOf,
    },
    /// The Stop button of this message was pressed.
    LivePressed {
        at: ChatThread,
        of: LiveOf,
        message: MessageId,
    },
    Typing(ChatThread),
    RemoveButtons(MessageId),
    React {
        message: MessageId,
        state: PromptState,
    },
}

/// Pauses between tries of a message that must arrive; the last one is repeated.
const RETRY_PAUSES_S: [u64; 5] = [1, 2, 5, 10, 30];
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
/// Telegram has been silent if no call of any chat was answered for so long.
const SILENCE: Duration = Duration::from_secs(1);

/// The handles that a line works with.
#[derive(Clone)]
pub struct Surroundings {
    pub api: Api,
    pub turns: Turns,
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
    /// When Telegram last answered any call.
    heard: watch::Receiver<std::time::Instant>,
    due: Option<DueRow>,
    retry: Retry,
    /// How often in a row Telegram gave no answer at all, and since when.
    silences: usize,
    silent_since: std::time::Instant,
    /// The message that Telegram's server fails at again and again.
    failing: Option<Failing>,
    /// Telegram has answered since the bot was started.
    was_heard: bool,
    /// Outcomes that could not be recorded yet; nothing more is sent until they are.
    unrecorded: VecDeque<Unrecorded>,
    uploads: Uploads,
    live: BTreeMap<LiveOf, LiveMessage>,
    leaving: Vec<Leaving>,
    reactions: Reactions,
    /// When each topic was last shown as typing.
    typed: HashMap<ChatThread, Instant>,
    slow_mode: SlowMode,
}

/// When messages are tried again.
#[derive(Clone, Copy)]
struct Retry {
    at: Instant,
    /// The time is a guess: any sign of life from Telegram is better.
    ends_with_sign: bool,
}

/// Something that may be called for when it is due.
struct Candidate {
    rank: Rank,
    since: Instant,
    what: Call,
}

enum Call {
    Send,
    ShowLive(LiveOf),
    /// An index.
    Leave(usize),
    React,
}

impl Line {
    pub fn new(chat: ChatId, around: Surroundings, asks: Asks) -> Line {
        Line {
            chat,
            heard: around.api.heard(),
            around,
            asks,
            due: None,
            retry: Retry {
                at: Instant::now(),
                ends_with_sign: false,
            },
            silences: 0,
            silent_since: std::time::Instant::now(),
            failing: None,
            was_heard: false,
            unrecorded: VecDeque::new(),
            uploads: Uploads::default(),
            live: BTreeMap::new(),
            leaving: Vec::new(),
            reactions: Reactions::default(),
            typed: HashMap::new(),
            slow_mode: SlowMode::default(),
        }
    }

    /// Ends when the other end of `asks` is dropped, or the bot stops. Unsent messages stay in the store.
    pub async fn run(mut self) {
        loop {
            while let Ok(ask) = self.asks.of_this.try_recv() {
                self.take(ask);
            }
            self.look_at_due().await;
            let next = self.next();
            let (turns, chat) = (self.around.turns.clone(), self.chat);
            let turn = async {
                match &next {
                    Some(next) => {
                        sleep_until(next.since).await;
                        turns.take(chat, next.rank, next.since).await
                    }
                    None => std::future::pending().await,
                }
            };
            let is_guess = self.retry.ends_with_sign && self.due.is_some();
            tokio::select! {
                ask = self.asks.of_this.recv() => match ask {
                    Some(ask) => self.take(ask),
                    None => return self.flush().await,
                },
                Some(done) = self.uploads.running.join_next() => self.uploaded(done).await,
                _ = self.heard.changed(), if is_guess => {
                    self.retry = Retry { at: Instant::now(), ends_with_sign: false };
                }
                // A stuck task may still have a handle to the outbox.
                () = stopping(&self.around.quit) => return self.flush().await,
                turn = turn => if let Some(next) = next {
                    self.call(next.what, turn).await;
                },
            }
        }
    }

    /// Sends the due messages that may go now; the bot is about to stop.
    async fn flush(mut self) {
        let deadline = Instant::now() + FLUSH_LIMIT;
        loop {
            self.look_at_due().await;
            if self.due.is_none() {
                break;
            }
            let rank = Rank::Answer;
            let ready = self.around.turns.ready_at(self.chat, rank, Instant::now());
            let ready = ready.max(self.retry.at);
            if ready >= deadline {
                break;
            }
            sleep_until(ready).await;
            let sent = async {
                let turn = self.around.turns.take(self.chat, rank, ready).await;
                self.send_next(turn).await;
            };
            if timeout_at(deadline, sent).await.is_err() {
                break;
            }
        }
        while let Ok(Some(done)) = timeout_at(deadline, self.uploads.running.join_next()).await {
            self.uploaded(done).await;
        }
    }

    fn take(&mut self, ask: Ask) {
        let now = Instant::now();
        match ask {
            Ask::Deliver => self.is_due(),
            Ask::Live { at, of, text } => {
                let text = self.around.redactor.without_secrets(text);
                self.live_of(at, of).want(text);
            }
            Ask::LiveKnown { at, of, message } => self.live_of(at, of).is_known_as(message),
            Ask::LiveEnd { at, of, text } => {
                let text = self.around.redactor.without_secrets(text).text;
                let live = self.live.remove(&of);
                if let Some(message) = live.and_then(|live| live.message()) {
                    self.leaving
                        .push(Leaving::with_last_text(at, of, message, text));
                }
            }
            Ask::LiveGone { at, of } => {
                let live = self.live.remove(&of);
                if let Some(message) = live.and_then(|live| live.message()) {
                    self.leaving.push(Leaving::deleted(at, of, message));
                }
            }
            Ask::LivePressed { at, of, message } => self.pressed(at, &of, message),
            Ask::Typing(at) => self.type_along(at),
            Ask::React { message, state } => self.reactions.want(message, state, now),
            Ask::RemoveButtons(message) => {
                let at = ChatThread {
                    chat: self.chat,
                    thread: None,
                };
                self.leaving.push(Leaving::without_buttons(at, message));
            }
        }
    }

    fn live_of(&mut self, at: ChatThread, of: LiveOf) -> &mut LiveMessage {
        self.live
            .entry(of.clone())
            .or_insert_with(|| LiveMessage::new(at, of, Instant::now()))
    }

    /// What is due now, or the first that will be: by rank, and of equal rank what has been due longest.
    fn next(&self) -> Option<Candidate> {
        let now = Instant::now();
        self.candidates().into_iter().min_by_key(|candidate| {
            let is_due = candidate.since <= now;
            let rank = is_due.then_some(candidate.rank);
            (!is_due, rank, candidate.since)
        })
    }

    fn candidates(&self) -> Vec<Candidate> {
        let due = self.due.map(|due| Candidate {
            rank: due.rank(),
            since: due.since.max(self.retry.at),
            what: Call::Send,
        });
        let live = self.live.iter().filter_map(|(of, live)| {
            let is_held_back = self.slow_mode.is_on() && live.rank() == Rank::Live;
            let since = live.due_at().filter(|_| !is_held_back)?;
            Some(Candidate {
                rank: live.rank(),
                since,
                what: Call::ShowLive(of.clone()),
            })
        });
        let leaving = self.leaving.iter().enumerate();
        let leaving = leaving.map(|(index, leaving)| Candidate {
            rank: leaving.rank(),
            since: leaving.due_at(),
            what: Call::Leave(index),
        });
        let reaction = self.reactions.due_at().map(|since| Candidate {
            rank: Rank::Reaction,
            since,
            what: Call::React,
        });
        due.into_iter()
            .chain(live)
            .chain(leaving)
            .chain(reaction)
            .collect()
    }

    async fn call(&mut self, call: Call, turn: Turn) {
        match call {
            Call::Send => return self.send_next(turn).await,
            Call::ShowLive(of) => self.show_live(&of).await,
            Call::Leave(index) => self.leave(index).await,
            Call::React => self.react().await,
        }
        drop(turn);
    }

    /// Messages wait; not for long if Telegram was silent and is heard again.
    fn retry_after(&mut self, pause: Duration) {
        let was_silent = self.heard.borrow_and_update().elapsed() > SILENCE;
        self.retry = Retry {
            at: Instant::now() + pause,
            ends_with_sign: was_silent,
        };
    }

    /// Telegram asked for a pause of the whole chat.
    async fn pause(&mut self, pause: Duration) {
        self.around.turns.pause(self.chat, pause);
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
