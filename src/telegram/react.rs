//! A reaction on each prompt shows its state at a glance. Bot API: `setMessageReaction`.
//!
//! The newest state wins; a reaction may be lost. A chat that allows none is left alone. A prompt that is answered
//! within a second has none: its answer says it all, and a group takes only twenty calls a minute.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;
use tracing::debug;

use super::api::{Api, ApiError};
use super::error::About;
use super::line::PROBE_LIMIT;
use crate::domain::id::{ChatId, MessageId};
use crate::domain::live::PromptState;

/// How long the first reaction on a prompt waits for a newer state.
const FIRST_AFTER: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub(super) struct Reactions {
    due: BTreeMap<MessageId, Due>,
    /// The chat allows no reactions.
    not_allowed: bool,
}

#[derive(Clone, Copy, Debug)]
struct Due {
    state: PromptState,
    at: Instant,
    /// The prompt has none yet.
    is_first: bool,
}

impl Reactions {
    pub fn want(&mut self, message: MessageId, state: PromptState, now: Instant) {
        if self.not_allowed {
            return;
        }
        let has_ended = matches!(state, PromptState::Done | PromptState::Failed);
        match self.due.get_mut(&message) {
            Some(due) if due.is_first && has_ended => {
                self.due.remove(&message);
            }
            Some(due) => due.state = state,
            None => {
                let is_first = state == PromptState::Taken;
                let due = Due {
                    state,
                    at: if is_first { now + FIRST_AFTER } else { now },
                    is_first,
                };
                self.due.insert(message, due);
            }
        }
    }

    /// When the next one is due.
    pub fn due_at(&self) -> Option<Instant> {
        self.due.values().map(|due| due.at).min()
    }

    /// Shows the newest state of the prompt that has waited longest. An error is a pause that Telegram asks for.
    pub async fn show_one(&mut self, api: &Api, chat: ChatId) -> Result<(), ApiError> {
        let first = self.due.iter().min_by_key(|(_, due)| due.at);
        let Some((message, due)) = first.map(|(message, due)| (*message, *due)) else {
            return Ok(());
        };
        self.due.remove(&message);
        let arguments = json!({
            "chat_id": chat.0,
            "message_id": message.0,
            "reaction": [{"type": "emoji", "emoji": emoji(due.state)}],
        });
        let shown: Result<bool, ApiError> = api
            .call_within(PROBE_LIMIT, "setMessageReaction", &arguments)
            .await;
        match shown {
            Err(ApiError::Flood(pause)) => {
                self.due.entry(message).or_insert(due);
                return Err(ApiError::Flood(pause));
            }
            Err(error) if error.is_about(About::Reaction) => {
                debug!(chat.id = chat.0, %error, "this chat allows no reactions");
                self.not_allowed = true;
                self.due.clear();
            }
            Err(error) => debug!(chat.id = chat.0, %error, "a reaction could not be shown"),
            Ok(_) => {}
        }
        Ok(())
    }
}

/// One of the reactions that Telegram knows.
fn emoji(state: PromptState) -> &'static str {
    match state {
        PromptState::Taken => "👀",
        PromptState::Running => "✍",
        PromptState::Steering => "⚡",
        PromptState::Done => "👍",
        PromptState::Failed => "👎",
    }
}
