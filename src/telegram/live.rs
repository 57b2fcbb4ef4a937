//! The live message: one Telegram message that follows a run, or other work.
//!
//! Makes the calls. [`pace`](super::pace) decides when it is shown, `line` when the chat may be called, and
//! `chat::live` what it says.

use std::time::Duration;

use fail::fail_point;
use serde_json::{Value, json};
use tokio::time::Instant;
use tracing::debug;

use super::api::{Api, ApiError};
use super::keyboard;
use super::markdown;
use super::pace::Pace;
use super::rich::{MESSAGE_UNITS, Rich, Style};
use super::send::{Sent, set_thread};
use crate::domain::button::Button;
use crate::domain::id::{ChatThread, MessageId};
use crate::domain::live::{LiveOf, LiveText};
use crate::store::{Store, live};

/// The limit of a call: an answer may be waiting behind it.
const LIMIT: Duration = Duration::from_secs(5);
/// After a failure that passes.
const RETRY_PAUSE: Duration = Duration::from_secs(5);

pub struct LiveMessage {
    at: ChatThread,
    of: LiveOf,
    message: Option<MessageId>,
    pace: Pace,
    /// Telegram refused it; trying again would change nothing.
    given_up: bool,
}

/// The outcome of showing a text.
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
    pub fn new(at: ChatThread, of: LiveOf, now: Instant) -> LiveMessage {
        LiveMessage {
            at,
            of,
            message: None,
            pace: Pace::new(now),
            given_up: false,
        }
    }

    /// Replaces the text wanted before.
    pub fn want(&mut self, text: LiveText) {
        if !self.given_up {
            self.pace.want(text);
        }
    }

    /// The message was sent before the bot was started.
    pub fn is_known_as(&mut self, message: MessageId) {
        self.message = Some(message);
    }

    /// The run is over: one last text, and no button. Returns false when there is no message to show it in;
    /// then the answer says it all.
    pub fn end(&mut self, text: LiveText, now: Instant) -> bool {
        self.pace.end(text, now);
        self.message.is_some() && !self.given_up
    }

    /// The message, if there is one.
    pub fn message(&self) -> Option<MessageId> {
        self.message
    }

    /// When the wanted text may be shown; the budget may say later.
    pub fn due_at(&self) -> Option<Instant> {
        self.pace.due_at()
    }

    /// The newest text, if it differs from the shown one.
    pub fn take(&mut self) -> Option<LiveText> {
        self.pace.take()
    }

    /// Shows a taken text; the next one waits for `pause`.
    pub async fn show(
        &mut self,
        text: LiveText,
        api: &Api,
        store: &Store,
        pause: Duration,
    ) -> Shown {
        let outcome = match self.message {
            Some(message) => self.edit(api, message, &text).await.map(|()| message),
            None => self.send(api, store, &text).await,
        };
        let now = Instant::now();
        match outcome {
            Ok(message) => {
                self.message = Some(message);
                self.pace.shown(text, now, pause);
            }
            Err(ApiError::Flood(flood)) => {
                self.pace.again(text, now + pause);
                return Shown::Flood(flood);
            }
            // A first message that may have arrived is not sent twice.
            Err(error) if error.is_passing() && self.message.is_some() => {
                self.pace.again(text, now + RETRY_PAUSE);
                return Shown::GoesOn;
            }
            Err(error) => {
                debug!(of = ?self.of, %error, "a live message is given up; the answer will come all the same");
                self.given_up = true;
            }
        }
        if !self.pace.has_ended() {
            return Shown::GoesOn;
        }
        forget(store, self.of.clone()).await;
        Shown::Over
    }

    async fn send(&self, api: &Api, store: &Store, text: &LiveText) -> Result<MessageId, ApiError> {
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
        let of = self.of.clone();
        let kept = store
            .transaction(move |db| live::set_message(db, &of, message))
            .await;
        if let Err(error) = kept {
            debug!(%error, "a restart would not find this live message again");
        }
        Ok(message)
    }

    async fn edit(&self, api: &Api, message: MessageId, text: &LiveText) -> Result<(), ApiError> {
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
    fn arguments(&self, text: &LiveText) -> Value {
        let rich = drawn(text);
        let mut arguments = json!({
            "chat_id": self.at.chat.0,
            "text": rich.text,
            "entities": rich.entities(),
            "link_preview_options": {"is_disabled": true},
        });
        if !self.pace.has_ended() {
            let stop = Button {
                label: "Stop".to_owned(),
                press: self.of.stop(),
                is_over: false,
            };
            arguments["reply_markup"] = keyboard::inline(&[stop], &[]);
        }
        arguments
    }
}

/// Forgets a live message: a restart leaves it alone.
pub(super) async fn forget(store: &Store, of: LiveOf) {
    let kept = store
        .transaction(move |db| live::forget_message(db, &of))
        .await;
    if let Err(error) = kept {
        debug!(%error, "a restart will look after this live message once more");
    }
}

/// A live text with its styles; its newest words are half-finished Markdown. It always fits one message.
pub fn drawn(text: &LiveText) -> Rich {
    let mut rich = Rich::plain(text.text.as_str());
    rich.styles = text
        .code
        .iter()
        .map(|range| (range.clone(), Style::Code))
        .collect();
    let words = markdown::render_in_place(&text.words);
    if !words.text.is_empty() {
        rich.push("\n\n", None);
        rich.append(words);
    }
    rich.first_parts(MESSAGE_UNITS, 1).pop().unwrap_or_default()
}
