//! Records the outcome of a send, and does what follows from it.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use tracing::{debug, error, info, warn};

use super::{Ask, Line, MOST_DOUBTS, STORE_PAUSE, pause_before};
use crate::chat::delivery;
use crate::domain::delivery::Parked;
use crate::domain::id::{ChatId, ChatThread};
use crate::metrics::Retry;
use crate::store::sending::Due;
use crate::store::{self, migrated, outbox, parked, pauses, sending, topics};
use crate::telegram::send::Delivery;

/// A message that fails for so long while others get through is set aside.
const SET_ASIDE_AFTER: Duration = Duration::from_secs(45);

/// A change to the store that can be tried again.
type Change = Arc<dyn Fn(&Connection) -> rusqlite::Result<()> + Send + Sync>;

/// A change to record.
#[derive(Clone)]
pub(super) struct Unrecorded {
    change: Change,
    /// The chat that then has something due.
    then_deliver: Option<ChatId>,
}

/// A message that Telegram's server fails at while it answers other calls.
pub(super) struct Failing {
    row: i64,
    since: std::time::Instant,
    last: std::time::Instant,
}

impl Line {
    /// Records what became of a message, and does what follows.
    pub(super) async fn settle(&mut self, due: Due, delivery: Delivery, is_last: bool) {
        let chat = self.chat;
        let id = due.id;
        match delivery {
            Delivery::Arrived(message) if is_last => {
                self.was_heard = true;
                self.count_arrived(&due, true);
                self.record(move |db| sending::mark_sent(db, &due, message))
                    .await;
            }
            Delivery::Arrived(message) => {
                self.count_arrived(&due, false);
                self.record(move |db| sending::part_sent(db, &due, message))
                    .await;
            }
            Delivery::Flood(pause) => {
                info!(
                    chat.id = chat.0,
                    pause_s = pause.as_secs(),
                    "Telegram asks for a pause"
                );
                self.around.metrics.message_retried(Retry::Flood);
                self.around.turns.pause(chat, pause);
                self.record(move |db| {
                    pauses::set(db, chat, pause)?;
                    sending::mark_due(db, id, "Telegram asked for a pause")
                })
                .await;
            }
            Delivery::Later(failure) => self.try_later(&due, failure).await,
            // The same edit twice is one edit.
            Delivery::Doubtful(failure) if due.edits.is_some() => {
                self.try_later(&due, failure).await;
            }
            Delivery::Doubtful(failure) => {
                self.falls_silent();
                if due.doubts + 1 >= MOST_DOUBTS {
                    return self.park(&due, Parked::Unconfirmed, &failure).await;
                }
                warn!(
                    chat.id = chat.0,
                    failure,
                    "nobody knows whether a message arrived; it is sent once more when Telegram answers"
                );
                self.around.metrics.message_retried(Retry::Unanswered);
                self.record(move |db| sending::mark_doubtful(db, id, &failure))
                    .await;
            }
            Delivery::Migrated(new) => self.migrate(Some(id), new).await,
            Delivery::TopicShut { is_gone, failure } => {
                warn!(chat = %due.at, failure, "a topic is shut; what was due there goes to the chat itself");
                self.record(move |db| {
                    topics::leave(db, due.at, |asked| delivery::topic_is_shut(is_gone, asked))
                })
                .await;
            }
            Delivery::GeneralShut(failure) => self.park_general(due, failure).await,
            Delivery::Unreachable(failure) => {
                error!(
                    chat.id = chat.0,
                    failure,
                    "this chat cannot be reached; its messages are kept until it can, or somebody writes there"
                );
                let metrics = self.around.metrics.clone();
                self.record(move |db| {
                    let count = parked::park_chat(db, chat, &failure)?;
                    metrics.messages_parked(Parked::Unreachable, count);
                    Ok(())
                })
                .await;
            }
            Delivery::NoSuchFile(instead) => {
                warn!(
                    chat.id = chat.0,
                    "a file could not be sent; the chat is told so"
                );
                self.record(move |db| sending::say_instead(db, id, &instead))
                    .await;
            }
            Delivery::Refused(failure) => self.park(&due, Parked::Refused, &failure).await,
        }
    }

    /// A message did not arrive, and may later. One that Telegram's server fails at, while it answers other calls, holds
    /// up all behind it: it is set aside after a while.
    async fn try_later(&mut self, due: &Due, failure: String) {
        let now = std::time::Instant::now();
        let heard = *self.heard.borrow();
        let failing = match self.failing.take() {
            // Nothing else got through either.
            Some(before) if before.row == due.id && before.last < heard => before,
            _ => Failing {
                row: due.id,
                since: now,
                last: now,
            },
        };
        if now.duration_since(failing.since) > SET_ASIDE_AFTER {
            return self.park(due, Parked::Refused, &failure).await;
        }
        self.failing = Some(Failing {
            last: now,
            ..failing
        });
        let pause = pause_before(usize::try_from(due.attempts).unwrap_or(usize::MAX));
        warn!(
            chat.id = self.chat.0,
            pause_s = pause.as_secs(),
            failure,
            "a message did not get through; trying again"
        );
        self.around.metrics.message_retried(Retry::NotSent);
        if due.attempts > 0 {
            // The next try asks first whether it is this message alone.
            self.falls_silent();
        }
        self.retry_after(pause);
        let id = due.id;
        self.record(move |db| sending::mark_due(db, id, &failure))
            .await;
    }

    /// Nothing is sent before Telegram has answered something.
    fn falls_silent(&mut self) {
        self.silences = 1;
        self.silent_since = std::time::Instant::now();
    }

    /// The group's General topic is closed: what was for it is kept, and who asked is told in private.
    async fn park_general(&mut self, due: Due, failure: String) {
        let chat = self.chat;
        error!(
            chat.id = chat.0,
            failure,
            "the group's General topic is closed; what was for it is kept until somebody writes there"
        );
        let metrics = self.around.metrics.clone();
        let store = self.around.store.clone();
        let (row, asker) = (
            due.id,
            store.transaction(move |db| topics::asker(db, &due)).await,
        );
        let private = asker
            .ok()
            .flatten()
            .and_then(|asker| i64::try_from(asker.0).ok())
            .map(ChatId);
        self.unrecorded.push_back(Unrecorded {
            change: Arc::new(move |db| {
                let count = parked::park_general(db, chat, &failure)?;
                metrics.messages_parked(Parked::Unreachable, count);
                match private {
                    Some(chat) if !parked::is_told(db, row)? => {
                        let at = ChatThread { chat, thread: None };
                        outbox::insert_telling(db, at, &delivery::general_is_closed(), Some(row))
                    }
                    _ => Ok(()),
                }
            }),
            then_deliver: private,
        });
        self.write_down().await;
    }

    /// Parks a message, and tells the chat so.
    pub(super) async fn park(&mut self, due: &Due, why: Parked, failure: &str) {
        error!(
            chat.id = self.chat.0,
            failure, "a message is parked; /status in the chat says so and can send it again"
        );
        self.around.metrics.messages_parked(why, 1);
        let (id, at, is_telling) = (due.id, due.at, due.is_telling);
        let failure = failure.to_owned();
        self.record(move |db| {
            if why == Parked::Unconfirmed {
                sending::mark_doubtful(db, id, &failure)?;
            }
            parked::park(db, id, why, &failure)?;
            if is_telling {
                return Ok(());
            }
            let message = match why {
                Parked::Unconfirmed => delivery::perhaps_not_delivered(),
                _ => delivery::not_delivered(&failure),
            };
            outbox::insert_telling(db, at, &message, Some(id))
        })
        .await;
    }

    fn count_arrived(&self, due: &Due, is_whole: bool) {
        if due.doubts > 0 {
            self.around.metrics.message_repeated();
        }
        if is_whole {
            let waited = store::now().saturating_sub(due.created_at);
            let waited = Duration::from_millis(u64::try_from(waited).unwrap_or(0));
            self.around.metrics.message_sent(waited);
        }
    }

    /// The group has another id now: what belongs to it moves there, due messages too.
    pub(super) async fn migrate(&mut self, sending: Option<i64>, new: ChatId) {
        let old = self.chat;
        info!(
            chat.id = old.0,
            new.id = new.0,
            "a group has become a supergroup; its session moves along"
        );
        self.live.clear();
        self.leaving.clear();
        self.unrecorded.push_back(Unrecorded {
            change: Arc::new(move |db| {
                // A row that is being sent may be moved only by its sender.
                if let Some(id) = sending {
                    sending::mark_due(db, id, "the group has moved")?;
                }
                migrated::move_chat(db, old, new)
            }),
            then_deliver: Some(new),
        });
        self.write_down().await;
    }

    /// Records a change, now or as soon as the store takes it.
    pub(super) async fn record<F>(&mut self, change: F)
    where
        F: Fn(&Connection) -> rusqlite::Result<()> + Send + Sync + 'static,
    {
        self.unrecorded.push_back(Unrecorded {
            change: Arc::new(change),
            then_deliver: None,
        });
        self.write_down().await;
    }

    /// Records all open changes; returns whether none is left. So no arrived message is sent again because the disk was
    /// full.
    pub(super) async fn write_down(&mut self) -> bool {
        while let Some(unrecorded) = self.unrecorded.front().cloned() {
            let change = unrecorded.change;
            let written = self.around.store.transaction(move |db| change(db)).await;
            match written {
                Err(error) if error.is_passing() => {
                    // The store has logged it once.
                    debug!(chat.id = self.chat.0, %error, "the outcome of a message cannot be recorded; trying again");
                    self.retry_after(STORE_PAUSE);
                    self.is_due();
                    return false;
                }
                Err(error) => {
                    error!(chat.id = self.chat.0, %error, "the outcome of a message cannot be recorded");
                }
                Ok(()) => {
                    let asks = self.asks.of_all.upgrade();
                    if let (Some(chat), Some(asks)) = (unrecorded.then_deliver, asks) {
                        let _ = asks.send((chat, Ask::Deliver));
                    }
                }
            }
            self.unrecorded.pop_front();
        }
        true
    }
}
