//! The live message: one Telegram message that follows a run.
//!
//! Keeps the newest text and what is shown, and makes the calls. When it may is `line`'s to say; what the
//! text says is `chat::live`'s.

use std::time::Duration;

use fail::fail_point;
use serde_json::{Value, json};
use tokio::time::Instant;
use tracing::debug;

use super::api::{Api, ApiError};
use super::send::{Sent, keyboard, set_thread};
use crate::chat::button::{Button, Press};
use crate::id::{ChatThread, MessageId, RunId};
use crate::store::{Store, runs};

/// An answer may wait behind a live text, so that one is not waited for as long.
const LIMIT: Duration = Duration::from_secs(5);
/// After a failure that passes.
const RETRY_PAUSE: Duration = Duration::from_secs(5);

pub struct LiveMessage {
    at: ChatThread,
    run: RunId,
    message: Option<MessageId>,
    shown: String,
    wanted: Option<String>,
    not_before: Instant,
    ended: bool,
    /// Telegram refused it; trying again would change nothing.
    given_up: bool,
}

/// What became of showing a text.
#[derive(Debug, PartialEq, Eq)]
pub enum Shown {
    /// It is shown, or a later try will be made.
    GoesOn,
    /// Telegram asks for a pause of the whole chat.
    Flood(Duration),
    /// The last text is shown.
    Over,
}

impl LiveMessage {
    pub fn new(at: ChatThread, run: RunId) -> LiveMessage {
        LiveMessage {
            at,
            run,
            message: None,
            shown: String::new(),
            wanted: None,
            not_before: Instant::now(),
            ended: false,
            given_up: false,
        }
    }

    /// Replaces what should have been shown before.
    pub fn want(&mut self, text: String) {
        if !self.given_up {
            self.wanted = Some(text);
        }
    }

    /// The message was sent before the bot was started.
    pub fn is_known_as(&mut self, message: MessageId) {
        self.message = Some(message);
    }

    /// The run is over: one last text, and no button. Returns false when there is no message to show it in;
    /// then the answer says it all.
    pub fn end(&mut self, text: String) -> bool {
        self.wanted = Some(text);
        self.ended = true;
        self.not_before = Instant::now();
        self.message.is_some() && !self.given_up
    }

    /// When there is something to show; the chat's budget may say later.
    pub fn due_at(&self) -> Option<Instant> {
        self.wanted.as_ref().map(|_| self.not_before)
    }

    /// Whether the newest text differs from what is shown; forgets it where it does not.
    pub fn has_news(&mut self) -> bool {
        let news = self.ended || self.wanted.as_ref().is_some_and(|text| *text != self.shown);
        if !news {
            self.wanted = None;
        }
        news
    }

    /// Shows the newest text, and nothing again for `pause`.
    pub async fn show(&mut self, api: &Api, store: &Store, pause: Duration) -> Shown {
        let Some(text) = self.wanted.take() else {
            return Shown::GoesOn;
        };
        let outcome = match self.message {
            Some(message) => self.edit(api, message, &text).await.map(|()| message),
            None => self.send(api, store, &text).await,
        };
        self.not_before = Instant::now() + pause;
        match outcome {
            Ok(message) => {
                self.message = Some(message);
                self.shown = text;
            }
            Err(ApiError::Flood(pause)) => {
                self.wanted = Some(text);
                return Shown::Flood(pause);
            }
            // A first message that may have arrived is not sent twice.
            Err(error) if error.is_passing() && self.message.is_some() => {
                self.not_before = Instant::now() + RETRY_PAUSE;
                self.wanted = Some(text);
                return Shown::GoesOn;
            }
            Err(error) => {
                debug!(run.id = %self.run, %error, "a live message is given up; the answer will come all the same");
                self.given_up = true;
            }
        }
        if !self.ended {
            return Shown::GoesOn;
        }
        let run = self.run;
        let kept = store
            .transaction(move |db| runs::forget_live_message(db, run))
            .await;
        if let Err(error) = kept {
            debug!(%error, "a restart will edit this live message once more");
        }
        Shown::Over
    }

    async fn send(&self, api: &Api, store: &Store, text: &str) -> Result<MessageId, ApiError> {
        let mut arguments = self.arguments(text);
        arguments["disable_notification"] = json!(true);
        set_thread(&mut arguments, self.at);
        let sent: Sent = api.call_within(LIMIT, "sendMessage", &arguments).await?;
        let Ok(id) = i32::try_from(sent.message_id) else {
            return Err(ApiError::Unanswered(
                "its message id is out of range".into(),
            ));
        };
        fail_point!("live-sent", |_| std::process::abort());
        let message = MessageId(id);
        let run = self.run;
        let kept = store
            .transaction(move |db| runs::set_live_message(db, run, message))
            .await;
        if let Err(error) = kept {
            debug!(%error, "a restart would not find this live message again");
        }
        Ok(message)
    }

    async fn edit(&self, api: &Api, message: MessageId, text: &str) -> Result<(), ApiError> {
        let mut arguments = self.arguments(text);
        arguments["message_id"] = json!(message.0);
        let edited: Result<Value, ApiError> =
            api.call_within(LIMIT, "editMessageText", &arguments).await;
        match edited {
            Ok(_) => Ok(()),
            Err(error) if error.says("message is not modified") => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Without a keyboard, an edit removes the one that is there.
    fn arguments(&self, text: &str) -> Value {
        let mut arguments = json!({
            "chat_id": self.at.chat.0,
            "text": text,
            "link_preview_options": {"is_disabled": true},
        });
        if !self.ended {
            let stop = Button {
                label: "Stop".to_owned(),
                press: Press::Stop(self.run),
            };
            arguments["reply_markup"] = keyboard(&[stop], &[]);
        }
        arguments
    }
}
