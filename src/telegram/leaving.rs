//! A message that has done its duty: its buttons go, and what it says is its last word, or it goes itself.
//!
//! Telegram may refuse each of these at the time (too old, not allowed, a text that it does not take); then the next
//! one is tried, so that no Stop button is left below work that is over.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;
use tracing::debug;

use super::api::{Api, ApiError};
use super::budget::Rank;
use super::error::About;
use super::live::{LIMIT, pause_after, shown_as};
use super::rich::Rich;
use crate::domain::id::{ChatThread, MessageId};
use crate::domain::live::LiveOf;

/// After a failure that passes, twice as long each time.
const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// So many tries take a quarter of an hour; a restart begins anew.
const MOST_FAILURES: u32 = 20;
/// What a message says that should have been deleted and cannot be.
const OVER: &str = "This is over; another message says how it ended.";

/// One way of taking leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// A last text without buttons. Bot API: `editMessageText`
    LastText,
    /// The text stays. Bot API: `editMessageReplyMarkup`
    NoButtons,
    /// Bot API: `deleteMessage`
    Delete,
}

/// A message on its way out.
#[derive(Debug)]
pub(super) struct Leaving {
    at: ChatThread,
    message: MessageId,
    /// A live message, which the store forgets when it is done.
    of: Option<LiveOf>,
    last_text: String,
    /// What is to be tried, in this order, until one succeeds.
    steps: &'static [Step],
    rank: Rank,
    due_at: Instant,
    failures: u32,
}

/// What came of one try.
#[derive(Debug)]
pub(super) enum Left {
    /// Nothing more is to be done; the store forgets this.
    Done(Option<LiveOf>),
    /// It is due again.
    Again(Leaving),
    Flood(Leaving, Duration),
}

impl Leaving {
    /// A live message whose work has ended: one last text.
    pub fn with_last_text(at: ChatThread, of: LiveOf, message: MessageId, text: String) -> Leaving {
        Leaving {
            of: Some(of),
            last_text: text,
            steps: &[Step::LastText, Step::NoButtons, Step::Delete],
            ..Leaving::new(at, message)
        }
    }

    /// A live message whose end another message tells.
    pub fn deleted(at: ChatThread, of: LiveOf, message: MessageId) -> Leaving {
        Leaving {
            of: Some(of),
            ..Leaving::stray(at, message)
        }
    }

    /// A live message that nobody knew of: Telegram did not say that it had arrived.
    pub fn stray(at: ChatThread, message: MessageId) -> Leaving {
        Leaving {
            steps: &[Step::Delete, Step::LastText, Step::NoButtons],
            ..Leaving::new(at, message)
        }
    }

    /// A message whose buttons are of no use any more.
    pub fn without_buttons(at: ChatThread, message: MessageId) -> Leaving {
        Leaving {
            rank: Rank::Edit,
            ..Leaving::new(at, message)
        }
    }

    fn new(at: ChatThread, message: MessageId) -> Leaving {
        Leaving {
            at,
            message,
            of: None,
            last_text: OVER.to_owned(),
            steps: &[Step::NoButtons],
            rank: Rank::Live,
            due_at: Instant::now(),
            failures: 0,
        }
    }

    pub fn due_at(&self) -> Instant {
        self.due_at
    }

    pub fn rank(&self) -> Rank {
        self.rank
    }

    /// Makes one try.
    pub async fn leave(mut self, api: &Api) -> Left {
        let Some((step, others)) = self.steps.split_first() else {
            return Left::Done(self.of);
        };
        let error = match self.call(api, *step).await {
            Ok(()) => return Left::Done(self.of),
            Err(error) => error,
        };
        match (&error, error.about()) {
            (ApiError::Flood(pause), _) => Left::Flood(self, *pause),
            (_, Some(About::Unchanged | About::Gone)) => Left::Done(self.of),
            // The message is of a chat that is no more.
            (ApiError::Migrated(_), _) => Left::Done(self.of),
            (_, Some(about)) if !about.is_place() => {
                debug!(?step, %error, "a message cannot take leave in this way");
                self.steps = others;
                match others.is_empty() {
                    true => Left::Done(self.of),
                    false => Left::Again(self),
                }
            }
            _ if self.failures >= MOST_FAILURES => Left::Done(None),
            _ => {
                self.due_at = Instant::now() + pause_after(self.failures, RETRY_PAUSE);
                self.failures += 1;
                Left::Again(self)
            }
        }
    }

    async fn call(&self, api: &Api, step: Step) -> Result<(), ApiError> {
        let mut arguments = json!({"chat_id": self.at.chat.0});
        let method = match step {
            Step::LastText => {
                arguments = shown_as(self.at, &Rich::plain(self.last_text.as_str()), true);
                "editMessageText"
            }
            Step::NoButtons => "editMessageReplyMarkup",
            Step::Delete => "deleteMessage",
        };
        arguments["message_id"] = json!(self.message.0);
        let left: Result<Value, ApiError> = api.call_within(LIMIT, method, &arguments).await;
        left.map(drop)
    }
}
