//! The one-time code that makes its sender the owner. Pure, but for the dice.

use std::time::{Duration, Instant};

use serde_json::Value;
use subtle::ConstantTimeEq;

use crate::domain::id::InviteCode;
use crate::telegram::ask::{self, Start};

/// After this many wrong codes it is void: somebody is guessing.
const WRONG_AT_MOST: u32 = 5;

/// A code that init waits for, in memory only.
pub(super) struct Code {
    text: InviteCode,
    until: Instant,
    wrong: u32,
}

/// Why a code is not accepted any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    Expired,
    Guessed,
}

impl Code {
    pub fn new(now: Instant, good_for: Duration) -> Code {
        Code {
            text: InviteCode::random(),
            until: now + good_for,
            wrong: 0,
        }
    }

    /// Opens the chat with a Start button that sends the code.
    pub fn link(&self, bot: &str) -> String {
        format!("https://t.me/{bot}?start={}", self.text.as_str())
    }

    pub fn until(&self) -> Instant {
        self.until
    }

    pub fn over(&self, now: Instant) -> Option<Over> {
        if self.wrong >= WRONG_AT_MOST {
            return Some(Over::Guessed);
        }
        (now >= self.until).then_some(Over::Expired)
    }

    /// Returns the start with this code; any other start counts as a wrong code.
    pub fn look_at(&mut self, update: &Value) -> Option<Start> {
        let start = ask::start_in(update)?;
        if !bool::from(start.code.as_bytes().ct_eq(self.text.as_str().as_bytes())) {
            self.wrong += 1;
            return None;
        }
        Some(start)
    }
}
