//! What a chat sees besides messages that must arrive: live messages, reactions, typing, and removals.
//!
//! All of it may be lost; no message waits for it.

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Line, PROBE_LIMIT};
use crate::domain::id::{ChatThread, MessageId};
use crate::domain::live::LiveOf;
use crate::telegram::api::ApiError;
use crate::telegram::live::{self, Shown};
use crate::telegram::send::set_thread;

impl Line {
    pub(super) async fn show_live(&mut self, of: &LiveOf) {
        let Some(live) = self.live.get_mut(of) else {
            return;
        };
        let Some(text) = live.take() else {
            return;
        };
        self.budget.spend(Instant::now());
        let pause = self.budget.edit_pause();
        match live
            .show(text, &self.around.api, &self.around.store, pause)
            .await
        {
            Shown::GoesOn => {}
            Shown::Flood(pause) => self.pause(pause).await,
            Shown::Over => {
                self.live.remove(of);
            }
        }
    }

    /// Tried once: pressing a leftover button says that it is over.
    pub(super) async fn remove_buttons(&mut self, message: MessageId) {
        self.old_buttons.pop_front();
        self.budget.spend(Instant::now());
        let arguments = json!({"chat_id": self.chat.0, "message_id": message.0});
        let removed: Result<Value, _> = self
            .around
            .api
            .call_within(PROBE_LIMIT, "editMessageReplyMarkup", &arguments)
            .await;
        if let Err(ApiError::Flood(pause)) = removed {
            self.pause(pause).await;
        }
    }

    pub(super) async fn react(&mut self) {
        self.budget.spend(Instant::now());
        let shown = self.reactions.show_one(&self.around.api, self.chat).await;
        if let Err(ApiError::Flood(pause)) = shown {
            self.pause(pause).await;
        }
    }

    /// Tried again after a pause or a restart; if Telegram refuses, the message stays.
    pub(super) async fn remove_live(&mut self, of: LiveOf, message: MessageId) {
        self.gone.pop_front();
        self.budget.spend(Instant::now());
        let arguments = json!({"chat_id": self.chat.0, "message_id": message.0});
        let removed: Result<Value, _> = self
            .around
            .api
            .call_within(PROBE_LIMIT, "deleteMessage", &arguments)
            .await;
        match removed {
            Err(ApiError::Flood(pause)) => {
                self.gone.push_back((of, message));
                self.pause(pause).await;
            }
            // The restart tries again.
            Err(error) if error.is_passing() => {}
            _ => live::forget(&self.around.store, of).await,
        }
    }

    /// Not waited for: nothing depends on it.
    pub(super) fn type_along(&self, at: ChatThread) {
        if self.budget.is_paused(Instant::now()) {
            return;
        }
        let mut arguments = json!({"chat_id": at.chat.0, "action": "typing"});
        set_thread(&mut arguments, at);
        let api = self.around.api.clone();
        tokio::spawn(async move {
            let _: Result<bool, _> = api.call("sendChatAction", &arguments).await;
        });
    }
}
