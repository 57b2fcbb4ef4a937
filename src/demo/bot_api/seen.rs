//! What a phone shows of the bot, and what the bot has asked for.

use std::time::Instant;

use serde_json::Value;

/// A message in a chat, as it is now.
#[derive(Clone, Debug, PartialEq)]
pub struct Posted {
    pub chat: i64,
    pub id: i32,
    pub thread: Option<i64>,
    pub by_bot: bool,
    pub text: String,
    /// Bot API: `MessageEntity`, as sent.
    pub entities: Vec<Value>,
    /// Texts and data of the buttons below it that can be pressed.
    pub buttons: Vec<(String, String)>,
    /// All the buttons below it.
    pub keys: Vec<Key>,
    pub silent: bool,
    /// Bot API: `force_reply`; without buttons beside it the message cannot be edited.
    pub forces_reply: bool,
    pub reply_to: Option<i64>,
    /// Name and content of a file.
    pub file: Option<(String, Vec<u8>)>,
    /// The bot's reaction on it.
    pub reaction: Option<String>,
    pub edits: u32,
}

/// A button as a phone shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    pub text: String,
    /// `primary`, `success` or `danger`.
    pub style: Option<String>,
    pub does: Does,
}

/// The effect of a press.
#[derive(Clone, Debug, PartialEq)]
pub enum Does {
    /// Bot API: `callback_data`
    Calls(String),
    /// Bot API: `CopyTextButton`
    Copies(String),
    /// Bot API: `url`, or the one of a `WebAppInfo`
    Opens(String),
    /// Bot API: `DisabledButton`
    Nothing,
}

/// What the server knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Version {
    /// Bot API 9.3, as a local server may be.
    Old,
    /// Bot API 10.3
    #[default]
    New,
}

/// One thing that a phone would have shown.
#[derive(Clone, Debug, PartialEq)]
pub enum Shown {
    New(Posted),
    Edited(Posted),
    Removed(Posted),
    /// The small text that answers a button.
    Toast(String),
}

/// A call that the bot made.
#[derive(Clone, Debug)]
pub struct Call {
    pub at: Instant,
    pub method: String,
    pub arguments: Value,
    /// The answer's `ok`.
    pub accepted: bool,
}
