//! The health of the whole bot, for `/status` and the service manager.
//!
//! Kept in memory: a fault shows itself again after a restart.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::store::StoreError;

/// How late the poller may be on a machine that is busy with other things.
const SLACK: Duration = Duration::from_secs(60);

/// How long a stored update may wait for its effect while the store takes changes.
const HANDLED_WITHIN: Duration = Duration::from_secs(60);

/// Cheap to clone; all clones share the state.
#[derive(Clone, Debug)]
pub struct Health {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    /// The poller must report again before this.
    poll_due: Instant,
    /// Another program polls with the same token.
    other_poller_since: Option<Instant>,
    webhook: Option<SeenWebhook>,
}

/// A webhook that takes the bot's messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenWebhook {
    pub since: Instant,
    /// Where it is; `None` if Telegram does not say.
    pub host: Option<String>,
}

/// Whether the bot does its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vitals {
    /// The poller asks for updates in time.
    pub is_polling: bool,
    /// A store that refuses (its disk is full) answers; one that is silent, or whose thread has died, does not.
    pub store_answers: bool,
    /// No stored update has waited too long for its effect while the store takes changes. Only the page for monitors
    /// looks at it: after a restart the same update would be handled again.
    pub handles_updates: bool,
    /// Reported, but no failure of this bot.
    pub other_poller_for: Option<Duration>,
    /// How long a webhook has been taking the messages. Reported, but no failure of this bot.
    pub webhook_for: Option<Duration>,
}

impl Vitals {
    /// With how long the oldest stored update has waited for its effect.
    pub fn with_oldest_update(self, waits_for: Duration, takes_changes: bool) -> Vitals {
        Vitals {
            handles_updates: waits_for <= HANDLED_WITHIN || !takes_changes,
            ..self
        }
    }

    pub fn is_alive(&self) -> bool {
        self.is_polling && self.store_answers && self.handles_updates
    }
}

impl Health {
    pub fn new(now: Instant) -> Health {
        Health {
            state: Arc::new(Mutex::new(State {
                poll_due: now + SLACK,
                other_poller_since: None,
                webhook: None,
            })),
        }
    }

    /// The poller asked, whatever Telegram said, and asks again within this time.
    pub fn polled(&self, now: Instant, again_within: Duration) {
        self.with(|state| state.poll_due = now + again_within + SLACK);
    }

    /// Whether the poller asks in time.
    pub fn is_polling(&self, now: Instant) -> bool {
        self.with(|state| now < state.poll_due)
    }

    /// Bot API: 409. Returns whether that is news.
    pub fn met_other_poller(&self, now: Instant) -> bool {
        self.with(|state| {
            let is_news = state.other_poller_since.is_none();
            state.other_poller_since.get_or_insert(now);
            is_news
        })
    }

    /// Nobody else polls any more.
    pub fn is_only_poller(&self) {
        self.with(|state| state.other_poller_since = None);
    }

    /// Since when another program has been polling with the same token.
    pub fn other_poller_since(&self) -> Option<Instant> {
        self.with(|state| state.other_poller_since)
    }

    /// Bot API: 409 with a webhook as its reason. Returns whether that is news.
    pub fn met_webhook(&self, now: Instant, host: Option<String>) -> bool {
        self.with(|state| {
            let since = state.webhook.as_ref().map_or(now, |seen| seen.since);
            let before = state.webhook.replace(SeenWebhook { since, host });
            before.is_none()
        })
    }

    /// Updates can be asked for. Returns whether that is news.
    pub fn webhook_is_gone(&self) -> bool {
        self.with(|state| state.webhook.take().is_some())
    }

    pub fn webhook(&self) -> Option<SeenWebhook> {
        self.with(|state| state.webhook.clone())
    }

    /// The vitals for the service manager, `/healthz` and `/metrics`, and the result of a query to the store, which is
    /// given up after `limit`.
    pub async fn look<T>(
        &self,
        limit: Duration,
        at_store: impl Future<Output = Result<T, StoreError>>,
    ) -> (Vitals, Option<T>) {
        let answer = tokio::time::timeout(limit, at_store).await;
        let store_answers =
            matches!(&answer, Ok(looked) if !matches!(looked, Err(StoreError::Closed)));
        let vitals = Vitals {
            is_polling: self.is_polling(Instant::now()),
            store_answers,
            handles_updates: true,
            other_poller_for: self.other_poller_since().map(|since| since.elapsed()),
            webhook_for: self.webhook().map(|seen| seen.since.elapsed()),
        };
        (vitals, answer.ok().and_then(Result::ok))
    }

    fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        // Nothing in here panics while it holds the lock.
        look(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
