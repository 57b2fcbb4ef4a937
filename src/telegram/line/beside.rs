//! What a chat sees besides messages that must arrive: live messages, reactions, typing, and removals.
//!
//! All of it may be lost; no message waits for it.

use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, timeout};
use tracing::debug;

use super::{Line, PROBE_LIMIT};
use crate::domain::id::{ChatThread, MessageId};
use crate::domain::live::LiveOf;
use crate::telegram::api::ApiError;
use crate::telegram::ask;
use crate::telegram::budget::{Rank, edit_pause};
use crate::telegram::leaving::{Leaving, Left};
use crate::telegram::live;
use crate::telegram::send::set_thread;

/// A typing that is later than this says nothing.
const TYPING_PATIENCE: Duration = Duration::from_secs(3);
/// A chat shows it for five seconds.
const TYPING_SEEN: Duration = Duration::from_secs(3);
/// How long a group's slow mode is taken for known.
const SLOW_MODE_KNOWN: Duration = Duration::from_secs(10 * 60);

/// Whether the group lets the bot send only one message in some time. A live message would take it, and the answer
/// would wait.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SlowMode {
    known: Option<(bool, Instant)>,
}

impl SlowMode {
    /// Known to be on.
    pub fn is_on(self) -> bool {
        self.now().unwrap_or(false)
    }

    fn now(self) -> Option<bool> {
        self.known
            .filter(|(_, since)| since.elapsed() < SLOW_MODE_KNOWN)
            .map(|(is_on, _)| is_on)
    }
}

impl Line {
    pub(super) async fn show_live(&mut self, of: &LiveOf) {
        let is_first = self
            .live
            .get(of)
            .is_some_and(|live| live.rank() == Rank::Live);
        if is_first && self.finds_slow_mode().await {
            return;
        }
        let Some(live) = self.live.get_mut(of) else {
            return;
        };
        let Some(text) = live.take() else {
            return;
        };
        let pause = edit_pause(self.chat);
        let shown = live
            .show(text, &self.around.api, &self.around.store, pause)
            .await;
        match shown {
            Err(ApiError::Flood(pause)) => self.pause(pause).await,
            Err(ApiError::Migrated(new)) => self.migrate(None, new).await,
            _ => {}
        }
    }

    /// Asks Telegram about the group's slow mode, if that is not known.
    async fn finds_slow_mode(&mut self) -> bool {
        if !self.chat.is_group() {
            return false;
        }
        if let Some(is_on) = self.slow_mode.now() {
            return is_on;
        }
        match ask::is_held_back(&self.around.api, self.chat, PROBE_LIMIT).await {
            Ok(is_on) => {
                self.slow_mode.known = Some((is_on, Instant::now()));
                is_on
            }
            Err(error) => {
                debug!(chat.id = self.chat.0, %error, "nobody knows whether this group has a slow mode");
                false
            }
        }
    }

    /// The Stop button of a message was pressed while its work goes on. If the message was not known, Telegram had not
    /// said that it had arrived: it is the live message, or there is another one by now and it goes.
    pub(super) fn pressed(&mut self, at: ChatThread, of: &LiveOf, message: MessageId) {
        let Some(live) = self.live.get_mut(of) else {
            return;
        };
        match live.message() {
            None => live.is_known_as(message),
            Some(known) if known != message => self.leaving.push(Leaving::stray(at, message)),
            Some(_) => {}
        }
    }

    pub(super) async fn leave(&mut self, index: usize) {
        let leaving = self.leaving.remove(index);
        match leaving.leave(&self.around.api).await {
            Left::Done(Some(of)) => live::forget(&self.around.store, of).await,
            Left::Done(None) => {}
            Left::Again(leaving) => self.leaving.push(leaving),
            Left::Flood(leaving, pause) => {
                self.leaving.push(leaving);
                self.pause(pause).await;
            }
        }
    }

    pub(super) async fn react(&mut self) {
        let shown = self.reactions.show_one(&self.around.api, self.chat).await;
        if let Err(ApiError::Flood(pause)) = shown {
            self.pause(pause).await;
        }
    }

    /// Not waited for: nothing depends on it.
    pub(super) fn type_along(&mut self, at: ChatThread) {
        let now = Instant::now();
        self.typed.retain(|_, typed| now - *typed < TYPING_SEEN);
        if self.typed.contains_key(&at) {
            return;
        }
        self.typed.insert(at, now);
        let mut arguments = json!({"chat_id": at.chat.0, "action": "typing"});
        set_thread(&mut arguments, at);
        let (api, turns) = (self.around.api.clone(), self.around.turns.clone());
        tokio::spawn(async move {
            let turn = turns.take(at.chat, Rank::Typing, now);
            if let Ok(_turn) = timeout(TYPING_PATIENCE, turn).await {
                let _: Result<bool, _> = api.call("sendChatAction", &arguments).await;
            }
        });
    }
}
