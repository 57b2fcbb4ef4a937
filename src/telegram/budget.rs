//! How often a chat may be called: one allowance for everything that goes there.
//!
//! Telegram allows about one message a second in a private chat and twenty a minute in a group, short bursts aside. It
//! answers more with 429 and a pause; calling during the pause makes it longer.

use std::time::Duration;

use tokio::time::Instant;

use crate::domain::id::ChatId;

/// How many calls a burst may have.
const BURST: f64 = 20.0;
/// How many calls live edits leave for messages.
const KEPT_FOR_MESSAGES: f64 = 5.0;
/// A live message is edited this often at most.
const EDIT_PAUSE_PRIVATE: Duration = Duration::from_secs(2);
const EDIT_PAUSE_GROUP: Duration = Duration::from_secs(5);

/// The allowance of one chat. Time is an argument.
#[derive(Debug)]
pub struct Budget {
    tokens: f64,
    per_second: f64,
    edit_pause: Duration,
    updated: Instant,
    paused_until: Option<Instant>,
}

/// What a call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A message that must arrive.
    Message,
    /// An edit of a live message, which a later one can replace.
    Live,
}

impl Budget {
    pub fn new(chat: ChatId, now: Instant) -> Budget {
        let (per_second, edit_pause) = if chat.is_group() {
            (20.0 / 60.0, EDIT_PAUSE_GROUP)
        } else {
            (1.0, EDIT_PAUSE_PRIVATE)
        };
        Budget {
            tokens: BURST,
            per_second,
            edit_pause,
            updated: now,
            paused_until: None,
        }
    }

    /// How long a live message stays as it is between two edits.
    pub fn edit_pause(&self) -> Duration {
        self.edit_pause
    }

    /// When the next call of this kind may be made: now, if that is not after `now`.
    pub fn ready_at(&mut self, purpose: Purpose, now: Instant) -> Instant {
        self.refill(now);
        let needed = match purpose {
            Purpose::Message => 1.0,
            Purpose::Live => 1.0 + KEPT_FOR_MESSAGES,
        };
        let missing = (needed - self.tokens).max(0.0);
        let refilled = now + Duration::from_secs_f64(missing / self.per_second);
        self.paused_until
            .map_or(refilled, |until| refilled.max(until))
    }

    /// A call was made.
    pub fn spend(&mut self, now: Instant) {
        self.refill(now);
        self.tokens = (self.tokens - 1.0).max(0.0);
    }

    /// Telegram asked for a pause (429, `retry_after`).
    pub fn pause(&mut self, pause: Duration, now: Instant) {
        let until = now + pause;
        self.paused_until = Some(self.paused_until.map_or(until, |other| other.max(until)));
    }

    /// Whether Telegram's pause is still on.
    pub fn is_paused(&self, now: Instant) -> bool {
        self.paused_until.is_some_and(|until| now < until)
    }

    fn refill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.updated);
        self.tokens = (self.tokens + passed.as_secs_f64() * self.per_second).min(BURST);
        self.updated = now;
    }
}
