//! The one-time code that makes somebody the owner, and what an update says of it. Pure, but for the dice.

use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::Value;
use subtle::ConstantTimeEq;

use crate::id::{InviteCode, UserId};

/// After so many wrong codes it is over: somebody is guessing.
const WRONG_AT_MOST: u32 = 5;

/// A code that is waited for. It is in memory only.
pub(super) struct Code {
    text: InviteCode,
    until: Instant,
    wrong: u32,
}

/// Who pressed Start with the code.
#[derive(Debug)]
pub(super) struct Owner {
    pub id: UserId,
    /// As the person is called in Telegram; it may be anything.
    pub name: String,
}

/// Why a code is good no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    Expired,
    Guessed,
}

/// Bot API: `Message`, as far as a start needs it.
#[derive(Deserialize)]
struct Message {
    chat: Chat,
    from: User,
    text: String,
}

#[derive(Deserialize)]
struct Chat {
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct User {
    id: u64,
    is_bot: bool,
    #[serde(default)]
    first_name: String,
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

    /// Somebody's `/start CODE` in a private chat: its sender, or one more wrong code.
    pub fn look_at(&mut self, update: &Value) -> Option<Owner> {
        let message = Message::deserialize(update.get("message")?).ok()?;
        if message.chat.kind != "private" || message.from.is_bot {
            return None;
        }
        let mut words = message.text.split_whitespace();
        let (Some("/start"), Some(code), None) = (words.next(), words.next(), words.next()) else {
            return None;
        };
        if !bool::from(code.as_bytes().ct_eq(self.text.as_str().as_bytes())) {
            self.wrong += 1;
            return None;
        }
        Some(Owner {
            id: UserId(message.from.id),
            name: message.from.first_name,
        })
    }
}
