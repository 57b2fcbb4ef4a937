//! A reaction on each prompt shows its state at a glance. Bot API: `setMessageReaction`.
//!
//! The newest state wins; a reaction may be lost. A chat that allows none is left alone.

use std::collections::BTreeMap;

use serde_json::json;
use tracing::debug;

use super::api::{Api, ApiError};
use super::line::PROBE_LIMIT;
use crate::domain::id::{ChatId, MessageId};
use crate::domain::live::PromptState;

#[derive(Debug, Default)]
pub(super) struct Reactions {
    newest: BTreeMap<MessageId, PromptState>,
    /// The chat allows no reactions.
    not_allowed: bool,
}

impl Reactions {
    pub fn want(&mut self, message: MessageId, state: PromptState) {
        if !self.not_allowed {
            self.newest.insert(message, state);
        }
    }

    pub fn is_due(&self) -> bool {
        !self.newest.is_empty()
    }

    /// Shows the newest state of one prompt. An error is a pause that Telegram asks for.
    pub async fn show_one(&mut self, api: &Api, chat: ChatId) -> Result<(), ApiError> {
        let Some((message, state)) = self.newest.pop_first() else {
            return Ok(());
        };
        let arguments = json!({
            "chat_id": chat.0,
            "message_id": message.0,
            "reaction": [{"type": "emoji", "emoji": emoji(state)}],
        });
        let shown: Result<bool, ApiError> = api
            .call_within(PROBE_LIMIT, "setMessageReaction", &arguments)
            .await;
        match shown {
            Err(ApiError::Flood(pause)) => {
                self.newest.entry(message).or_insert(state);
                return Err(ApiError::Flood(pause));
            }
            Err(error) if error.says("reaction") => {
                debug!(chat.id = chat.0, %error, "this chat allows no reactions");
                self.not_allowed = true;
                self.newest.clear();
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
