//! Asks Telegram for updates and keeps them before it asks again.
//!
//! getUpdates confirms everything below `offset`, so the batch and the next offset are committed first, in one
//! transaction: an update is on disk before Telegram may forget it. A batch that cannot be stored is not confirmed:
//! Telegram sends it again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use fail::fail_point;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use super::api::{Api, ApiError, TIMEOUT};
use super::ask;
use super::error::About;
use super::outbox::Outbox;
use crate::chat::delivery;
use crate::domain::id::{ChatThread, UpdateId};
use crate::health::Health;
use crate::metrics::Metrics;
use crate::store::{Store, StoreError, alive, offset, updates};

/// Bot API: `timeout` of getUpdates is capped at 50 s.
const LONG_POLL: Duration = Duration::from_secs(50);
/// The longest that a call and its storing take: the call's limit, and a busy database.
const ROUND: Duration = Duration::from_secs(50 + 30 + 30);
/// Everything that is due waits for the first sign of life.
const RETRY_PAUSES_S: [u64; 3] = [1, 2, 5];
/// How often the store notes that the bot is alive.
const ALIVE_EVERY: Duration = Duration::from_secs(30);
/// What the log says after a 409, and when it is over; the doctor reads it there.
pub const OTHER_POLLER: &str = "another program polls with the same bot token";
pub const NO_OTHER_POLLER: &str = "no other program polls with this bot token any more";
/// Pause after a 409: the other poller gets it too.
const CONFLICT_PAUSE: Duration = Duration::from_secs(30);
/// Pause after a 409 because of a webhook, which troubles nobody else.
const WEBHOOK_PAUSE: Duration = Duration::from_secs(10);
/// Two pollers succeed in turns: the other one is gone only after so long without a 409.
const CONFLICT_OVER: Duration = Duration::from_secs(120);
/// The pause after a failure to store. Bot API: the same offset within 3 s waits for 3 s.
const STORE_PAUSE: Duration = Duration::from_secs(3);
/// Sent with every call: Telegram remembers it, and by default leaves some kinds out.
pub const ALLOWED_UPDATES: [&str; 4] = [
    "message",
    "edited_message",
    "callback_query",
    "my_chat_member",
];

/// The token does not work, so polling on is useless.
#[derive(Debug, thiserror::Error)]
#[error("Telegram does not accept the bot token ({0})")]
pub struct TokenRefused(String);

/// What the poller needs.
pub struct Poller {
    pub api: Api,
    pub store: Store,
    /// Woken when something is stored.
    pub arrived: Arc<Notify>,
    pub health: Health,
    pub metrics: Metrics,
    pub outbox: Outbox,
    /// Where to say that nothing can be stored.
    pub owner: Option<ChatThread>,
}

/// What has gone wrong since all was well, and what has worked.
#[derive(Default)]
struct Trouble {
    /// When the store last noted that the bot is alive.
    alive_noted: Option<Instant>,
    /// The token has worked.
    has_polled: bool,
    failures: usize,
    last_conflict: Option<Instant>,
    cannot_store: bool,
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    /// Bot API: while one is set, getUpdates is refused.
    #[error("a webhook is set")]
    Webhook { host: Option<String> },
    #[error(transparent)]
    Api(#[from] ApiError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Poller {
    /// Polls until `quit`.
    pub async fn run(&self, quit: &CancellationToken) -> Result<(), TokenRefused> {
        let mut trouble = Trouble::default();
        loop {
            self.health.polled(Instant::now(), ROUND);
            let asked = tokio::select! {
                asked = self.ask_and_store(&mut trouble) => asked,
                () = quit.cancelled() => return Ok(()),
            };
            let pause = match asked {
                Ok(()) => {
                    self.all_is_well(&mut trouble);
                    continue;
                }
                // Later Telegram may be at fault; at the start it is the token.
                Err(Failure::Api(error)) if error.is_refused_token() && !trouble.has_polled => {
                    return Err(TokenRefused(error.to_string()));
                }
                Err(failure) => self.pause_after(&failure, &mut trouble),
            };
            self.health.polled(Instant::now(), pause);
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = quit.cancelled() => return Ok(()),
            }
        }
    }

    fn all_is_well(&self, trouble: &mut Trouble) {
        trouble.has_polled = true;
        if trouble.failures > 0 {
            info!("Telegram answers again");
            trouble.failures = 0;
        }
        if self.health.webhook_is_gone() {
            info!("no webhook is set any more; messages come here again");
        }
        if std::mem::take(&mut trouble.cannot_store) {
            info!("updates can be stored again");
            self.tell_owner(delivery::CAN_STORE_AGAIN.to_owned());
        }
        if trouble
            .last_conflict
            .is_some_and(|last| last.elapsed() > CONFLICT_OVER)
        {
            info!("{NO_OTHER_POLLER}");
            trouble.last_conflict = None;
            self.health.is_only_poller();
        }
    }

    /// Logs what is wrong once; returns the pause.
    fn pause_after(&self, failure: &Failure, trouble: &mut Trouble) -> Duration {
        match failure {
            Failure::Webhook { host } => {
                if self.health.met_webhook(Instant::now(), host.clone()) {
                    error!(
                        "{}; {} removes it. Trying again every {} s",
                        ask::webhook_takes(host.as_deref()),
                        ask::END_WEBHOOK,
                        WEBHOOK_PAUSE.as_secs()
                    );
                }
                WEBHOOK_PAUSE
            }
            Failure::Api(error) if error.is_about(About::OtherPoller) => {
                trouble.last_conflict = Some(Instant::now());
                if self.health.met_other_poller(Instant::now()) {
                    error!(
                        "{OTHER_POLLER}, so messages go now here, now there; \
                         stop the other one. Trying again every {} s",
                        CONFLICT_PAUSE.as_secs()
                    );
                }
                CONFLICT_PAUSE
            }
            Failure::Api(ApiError::Flood(pause)) => {
                warn!(
                    pause_s = pause.as_secs(),
                    "Telegram asks for a pause; no updates until then"
                );
                *pause
            }
            Failure::Api(error) => {
                let step = trouble.failures.min(RETRY_PAUSES_S.len() - 1);
                trouble.failures += 1;
                if trouble.failures == 1 {
                    let failure = self.api.way().told(error);
                    warn!(
                        failure,
                        "no updates can be had; trying again until they can"
                    );
                } else {
                    debug!(failure = %error, failures = trouble.failures, "still no updates");
                }
                Duration::from_secs(RETRY_PAUSES_S[step])
            }
            Failure::Store(error) => {
                if !std::mem::replace(&mut trouble.cannot_store, true) {
                    error!(%error, "updates cannot be stored, so none is confirmed; trying again until they can");
                    self.tell_owner(delivery::cannot_store(&error.to_string()));
                }
                STORE_PAUSE
            }
        }
    }

    /// Whose webhook it is. It may be gone by now.
    async fn webhook(&self, refusal: ApiError) -> Failure {
        match ask::webhook(&self.api, TIMEOUT).await {
            Ok(webhook) if !webhook.is_set() => Failure::Api(refusal),
            asked => Failure::Webhook {
                host: asked.ok().and_then(|webhook| webhook.host()),
            },
        }
    }

    fn tell_owner(&self, text: String) {
        if let Some(owner) = self.owner {
            self.outbox.say_past_the_store(owner, text);
        }
    }

    async fn ask_and_store(&self, trouble: &mut Trouble) -> Result<(), Failure> {
        let to_note = trouble
            .alive_noted
            .is_none_or(|noted| noted.elapsed() > ALIVE_EVERY);
        let next = self
            .store
            .transaction(move |db| {
                if to_note {
                    alive::note(db)?;
                }
                offset::get(db)
            })
            .await?;
        if to_note {
            trouble.alive_noted = Some(Instant::now());
        }
        let mut arguments = json!({
            "timeout": LONG_POLL.as_secs(),
            "allowed_updates": ALLOWED_UPDATES,
        });
        if let Some(next) = next {
            arguments["offset"] = json!(next.0);
        }
        let asked = self
            .api
            .long_poll("getUpdates", &arguments, LONG_POLL)
            .await;
        let batch: Vec<Value> = match asked {
            Err(error) if error.is_about(About::Webhook) => return Err(self.webhook(error).await),
            asked => asked?,
        };
        let unusable = !batch.is_empty();
        let rows: Vec<(UpdateId, String)> = batch
            .into_iter()
            .filter_map(|update| {
                let id = update.get("update_id").and_then(Value::as_i64);
                if id.is_none() {
                    warn!("Telegram sent an update without an id; it is left out");
                }
                Some((UpdateId(id?), update.to_string()))
            })
            .collect();
        let Some((last, _)) = rows.last() else {
            if unusable {
                // Telegram sends them again immediately.
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            return Ok(());
        };
        // Never the highest number: ids restart at random after a quiet week.
        let next = UpdateId(last.0.saturating_add(1));
        fail_point!("poll-received", |_| std::process::abort());
        let stored = self
            .store
            .transaction(move |db| {
                let mut stored = 0;
                for (id, raw) in &rows {
                    stored += usize::from(updates::insert(db, *id, raw)?);
                }
                offset::set(db, next)?;
                Ok(stored)
            })
            .await?;
        self.metrics.updates_received(stored);
        fail_point!("poll-stored", |_| std::process::abort());
        self.arrived.notify_one();
        Ok(())
    }
}
