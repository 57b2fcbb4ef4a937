//! The live message: one Telegram message that follows a run, or other work.
//!
//! Makes the calls. [`pace`](super::pace) decides when it is shown, `line` when the chat may be called, and
//! `chat::live` what it says. How it ends is `leaving`'s.

use std::time::Duration;

use fail::fail_point;
use serde_json::{Value, json};
use tokio::time::Instant;
use tracing::debug;

use super::api::{Api, ApiError};
use super::budget::Rank;
use super::error::About;
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
pub(super) const LIMIT: Duration = Duration::from_secs(5);
/// After a failure: twice as long each time.
const RETRY_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_RETRY_PAUSE: Duration = Duration::from_secs(60);
/// How often a first text is sent if nobody knows whether it arrived: once, and once more.
const MOST_DOUBTS: u32 = 2;

pub struct LiveMessage {
    at: ChatThread,
    of: LiveOf,
    state: State,
    pace: Pace,
    /// How often in a row it could not be shown.
    failures: u32,
    /// The next text goes without styles: Telegram refused them.
    is_plain: bool,
}

/// Where the message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Not in the chat, as far as is known: so many sends had no answer, and may have arrived.
    Unsent { doubts: u32 },
    /// In the chat.
    Shown(MessageId),
    /// A person has deleted it, or Telegram has twice not said whether it is there. No more is shown.
    Lost,
}

impl LiveMessage {
    pub fn new(at: ChatThread, of: LiveOf, now: Instant) -> LiveMessage {
        LiveMessage {
            at,
            of,
            state: State::Unsent { doubts: 0 },
            pace: Pace::new(now),
            failures: 0,
            is_plain: false,
        }
    }

    /// Replaces the text wanted before.
    pub fn want(&mut self, text: LiveText) {
        if self.state != State::Lost {
            self.pace.want(text);
        }
    }

    /// The message was sent before the bot was started.
    pub fn is_known_as(&mut self, message: MessageId) {
        self.state = State::Shown(message);
    }

    /// The message, if it is in the chat.
    pub fn message(&self) -> Option<MessageId> {
        match self.state {
            State::Shown(message) => Some(message),
            State::Unsent { .. } | State::Lost => None,
        }
    }

    /// When the wanted text may be shown; the budget may say later.
    pub fn due_at(&self) -> Option<Instant> {
        self.pace.due_at()
    }

    /// What its next call is: its Stop button comes with the first one.
    pub fn rank(&self) -> Rank {
        match self.state {
            State::Unsent { .. } => Rank::Live,
            State::Shown(_) | State::Lost => Rank::Edit,
        }
    }

    /// The newest text, if it differs from the shown one.
    pub fn take(&mut self) -> Option<LiveText> {
        self.pace.take()
    }

    /// Shows a taken text; the next one waits for `pause`. An error is about the whole chat: a pause that Telegram asks for,
    /// or that the group has moved.
    pub async fn show(
        &mut self,
        text: LiveText,
        api: &Api,
        store: &Store,
        pause: Duration,
    ) -> Result<(), ApiError> {
        let outcome = match self.state {
            State::Shown(message) => self.edit(api, message, &text).await.map(|()| message),
            State::Unsent { .. } => self.send(api, store, &text).await,
            State::Lost => return Ok(()),
        };
        let now = Instant::now();
        match outcome {
            Ok(message) => {
                self.state = State::Shown(message);
                self.failures = 0;
                self.is_plain = false;
                self.pace.shown(text, now, pause);
                Ok(())
            }
            Err(error @ (ApiError::Flood(_) | ApiError::Migrated(_))) => {
                self.pace.again(text, now + pause);
                Err(error)
            }
            Err(error) => {
                debug!(of = ?self.of, %error, "a live message could not be shown; the answer will come all the same");
                self.failed(&error, text, now);
                Ok(())
            }
        }
    }

    /// A later try may succeed: the chat may be open again, and another text may be taken.
    fn failed(&mut self, error: &ApiError, text: LiveText, now: Instant) {
        match (self.state, error) {
            (State::Unsent { doubts }, ApiError::Unanswered(_)) => {
                let doubts = doubts + 1;
                self.state = match doubts < MOST_DOUBTS {
                    true => State::Unsent { doubts },
                    false => State::Lost,
                };
            }
            (State::Shown(_), error) if error.is_about(About::Gone) => self.state = State::Lost,
            (_, error) if error.is_about(About::Entities) && !self.is_plain => {
                self.is_plain = true;
                return self.pace.again(text, now);
            }
            _ => {}
        }
        self.pace
            .again(text, now + pause_after(self.failures, RETRY_PAUSE));
        self.failures += 1;
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
            Err(error) if error.is_about(About::Unchanged) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn arguments(&self, text: &LiveText) -> Value {
        let stop = Button {
            label: "Stop".to_owned(),
            press: self.of.stop(),
            is_over: false,
        };
        let mut arguments = shown_as(self.at, &drawn(text), self.is_plain);
        arguments["reply_markup"] = keyboard::inline(&[stop], &[]);
        arguments
    }
}

/// The pause before a try after so many failures.
pub(super) fn pause_after(failures: u32, first: Duration) -> Duration {
    first
        .saturating_mul(2_u32.saturating_pow(failures))
        .min(LONGEST_RETRY_PAUSE)
}

/// A text for `sendMessage` or `editMessageText`. Without a keyboard, an edit removes the one that is there.
pub(super) fn shown_as(at: ChatThread, rich: &Rich, is_plain: bool) -> Value {
    let mut arguments = json!({
        "chat_id": at.chat.0,
        "text": rich.text,
        "link_preview_options": {"is_disabled": true},
    });
    if !is_plain {
        arguments["entities"] = json!(rich.entities());
    }
    arguments
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
