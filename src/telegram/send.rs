//! Sends one part of a message that must arrive, and returns the outcome.
//!
//! If Telegram refuses a message's form, the message is sent again without the refused part: a refused message has not
//! arrived. [`line`](super::line) decides what follows a failure.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;
use tracing::{debug, warn};

use super::api::{Api, ApiError};
use super::budget::Rank;
use super::draw::Part;
use super::error::About;
use super::keyboard;
use super::rich::{CAPTION_UNITS, MESSAGE_UNITS, Rich};
use super::turns::{Turn, Turns};
use crate::chat::files;
use crate::domain::id::{ChatId, ChatThread, MessageId};
use crate::domain::outgoing::Outgoing;
use crate::store::sending::Due;

/// Bot API: the part of `Message` that is needed.
#[derive(Deserialize)]
pub(super) struct Sent {
    pub message_id: i64,
}

/// The outcome of a part.
#[derive(Debug)]
pub(super) enum Delivery {
    Arrived(MessageId),
    /// Telegram asks for a pause of this chat.
    Flood(Duration),
    /// It did not arrive, but may later.
    Later(String),
    /// The request went out and no answer came back: it may have arrived.
    Doubtful(String),
    /// The group has become another one.
    Migrated(ChatId),
    /// The topic was deleted, or is closed.
    TopicShut {
        is_gone: bool,
        failure: String,
    },
    /// What is meant for the group itself does not arrive: its General topic is closed. Other topics may be open.
    GeneralShut(String),
    /// Nothing of the bot's arrives in this chat: blocked, removed, not allowed to write.
    Unreachable(String),
    /// Telegram does not take this message.
    Refused(String),
    /// The part's file cannot be sent; this message replaces it.
    NoSuchFile(Outgoing),
}

/// The form of one try.
#[derive(Clone, Copy)]
struct Form {
    styles: Styles,
    has_reply: bool,
    has_grey_buttons: bool,
    /// As a picture, not a document.
    as_picture: bool,
}

/// How much of a text's styles is sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Styles {
    All,
    /// Links are spelled out: most refusals are about an address.
    NoLinks,
    None,
}

/// One part of a message on its way.
pub(super) struct Sending {
    pub api: Api,
    /// The first call has had its turn; others wait for theirs.
    pub turns: Turns,
    pub due: Due,
    pub part: Part,
    /// It is the last part, which has the buttons.
    pub is_last: bool,
    /// Messages of this chat may ring now.
    pub rings: bool,
    /// Each gets a button that copies it.
    pub commands: Vec<String>,
}

impl Sending {
    /// Makes the call; repeats it without the refused part of its form.
    pub async fn send(&self, mut turn: Turn) -> Delivery {
        let mut form = Form {
            styles: Styles::All,
            has_reply: true,
            has_grey_buttons: true,
            as_picture: true,
        };
        loop {
            let error = match self.call(form).await {
                Ok(message) => return Delivery::Arrived(message),
                Err(error) => error,
            };
            if let (Some(message), Some(about)) = (self.due.edits, error.about())
                && is_over_for_an_edit(about)
            {
                debug!(chat.id = self.due.at.chat.0, %error, "there is nothing to change any more");
                return Delivery::Arrived(message);
            }
            let Some(simpler) = self.simpler(form, &error) else {
                return self.delivery_of(error);
            };
            warn!(chat.id = self.due.at.chat.0, %error, "a message is sent again without what was refused");
            form = simpler;
            let (chat, now) = (self.due.at.chat, Instant::now());
            drop(turn);
            turn = self.turns.take(chat, Rank::Answer, now).await;
        }
    }

    /// The form without what was refused; `None` if that is not a matter of form.
    fn simpler(&self, form: Form, error: &ApiError) -> Option<Form> {
        match error.about()? {
            About::Entities => match form.styles {
                Styles::All if self.spelled_out().is_some() => Some(Form {
                    styles: Styles::NoLinks,
                    ..form
                }),
                Styles::All | Styles::NoLinks => Some(Form {
                    styles: Styles::None,
                    ..form
                }),
                Styles::None => None,
            },
            About::Reply if form.has_reply && self.reply_to().is_some() => Some(Form {
                has_reply: false,
                ..form
            }),
            About::Markup if form.has_grey_buttons && self.has_grey_buttons() => Some(Form {
                has_grey_buttons: false,
                ..form
            }),
            about if form.as_picture && self.is_picture() && !about.is_place() => Some(Form {
                as_picture: false,
                ..form
            }),
            _ => None,
        }
    }

    fn arguments(&self, form: Form) -> Value {
        let first = self.due.parts_sent == 0;
        let message = &self.due.message;
        if let Some(edited) = self.due.edits {
            return json!({
                "chat_id": self.due.at.chat.0,
                "message_id": edited.0,
                "reply_markup": keyboard::edited(message, &self.commands, self.due.at.chat),
            });
        }
        let mut arguments = json!({
            "chat_id": self.due.at.chat.0,
            // Only the first part rings.
            "disable_notification": !(message.loud && first && self.rings),
        });
        set_thread(&mut arguments, self.due.at);
        if let (true, Some(reply_to)) = (form.has_reply, self.reply_to()) {
            arguments["reply_parameters"] =
                json!({"message_id": reply_to.0, "allow_sending_without_reply": true});
        }
        if self.is_last
            && let Some(markup) = keyboard::markup(message, &self.commands, self.due.at.chat)
        {
            arguments["reply_markup"] = markup;
        }
        arguments
    }

    /// Only the first part replies.
    fn reply_to(&self) -> Option<MessageId> {
        let is_first = self.due.parts_sent == 0;
        self.due.message.reply_to.filter(|_| is_first)
    }

    fn has_grey_buttons(&self) -> bool {
        let buttons = &self.due.message.buttons;
        buttons.iter().any(|button| button.is_over)
    }

    fn is_picture(&self) -> bool {
        matches!(self.part, Part::Stored { is_picture, .. } if is_picture)
    }

    /// The part's text, or its caption.
    fn text(&self) -> (&Rich, usize) {
        match &self.part {
            Part::Text(rich) => (rich, MESSAGE_UNITS),
            Part::File { caption, .. } | Part::Stored { caption, .. } => (caption, CAPTION_UNITS),
        }
    }

    /// The text with its links spelled out; `None` if it has none, or they do not fit.
    fn spelled_out(&self) -> Option<Rich> {
        let (rich, most) = self.text();
        rich.with_links_spelled_out(most)
            .filter(|spelled_out| spelled_out != rich)
    }

    /// A file that can never be sent is replaced by a sentence: it must not block later messages.
    fn delivery_of(&self, error: ApiError) -> Delivery {
        if let Part::Stored { name, path, .. } = &self.part {
            let said = match (&error, error.about()) {
                (ApiError::Unreadable(why), _) => Some(files::cannot_be_read(name, why)),
                (_, Some(About::Size)) => Some(files::too_large_after_all(name, path)),
                (_, Some(about)) if !about.is_place() && about != About::Reply => {
                    Some(files::refused(name, path, &error.to_string()))
                }
                _ => None,
            };
            if let Some(said) = said {
                return Delivery::NoSuchFile(said.replying_to(self.due.message.reply_to));
            }
        }
        delivery_of(error, self.due.at)
    }

    async fn call(&self, form: Form) -> Result<MessageId, ApiError> {
        let mut arguments = self.arguments(form);
        if !form.has_grey_buttons {
            let markup = arguments["reply_markup"].take();
            arguments["reply_markup"] = keyboard::without_grey(markup);
        }
        let (rich, _) = self.text();
        let spelled_out = match form.styles {
            Styles::NoLinks => self.spelled_out(),
            Styles::All | Styles::None => None,
        };
        let rich = spelled_out.as_ref().unwrap_or(rich);
        let entities = match form.styles {
            Styles::None => Vec::new(),
            Styles::All | Styles::NoLinks => rich.entities(),
        };
        let sent: Sent = match &self.part {
            Part::Text(_) => {
                arguments["text"] = json!(rich.text);
                arguments["entities"] = json!(entities);
                arguments["link_preview_options"] = json!({"is_disabled": true});
                let method = match self.due.edits {
                    Some(_) => "editMessageText",
                    None => "sendMessage",
                };
                self.api.call(method, &arguments).await?
            }
            Part::File { name, content, .. } => {
                arguments["caption"] = json!(rich.text);
                arguments["caption_entities"] = json!(entities);
                let content = content.clone();
                self.api
                    .upload("sendDocument", &arguments, "document", name, content)
                    .await?
            }
            Part::Stored {
                path,
                name,
                is_picture,
                ..
            } => {
                if !rich.text.is_empty() {
                    arguments["caption"] = json!(rich.text);
                    arguments["caption_entities"] = json!(entities);
                }
                let (method, field) = match *is_picture && form.as_picture {
                    true => ("sendPhoto", "photo"),
                    false => ("sendDocument", "document"),
                };
                self.api
                    .upload_from_disk(method, &arguments, field, name, path)
                    .await?
            }
        };
        debug!(
            chat.id = self.due.at.chat.0,
            message.id = sent.message_id,
            "a message arrived"
        );
        // It has arrived, whatever its id is.
        Ok(MessageId(i32::try_from(sent.message_id).unwrap_or(0)))
    }
}

/// What a failed call means for the message. A message with an unknown refusal is kept.
fn delivery_of(error: ApiError, at: ChatThread) -> Delivery {
    let failure = error.to_string();
    match error {
        ApiError::Flood(pause) => Delivery::Flood(pause),
        ApiError::Migrated(chat) => Delivery::Migrated(chat),
        ApiError::Unanswered(_) => Delivery::Doubtful(failure),
        ApiError::Server(_) | ApiError::NotSent(_) | ApiError::Unreadable(_) => {
            Delivery::Later(failure)
        }
        ApiError::Refused { about, .. } => match about {
            // A token that is refused now may be accepted after a correction.
            About::Token => Delivery::Later(failure),
            About::TopicGone | About::TopicClosed if at.thread.is_some() => Delivery::TopicShut {
                is_gone: about == About::TopicGone,
                failure,
            },
            About::TopicClosed => Delivery::GeneralShut(failure),
            About::Chat => Delivery::Unreachable(failure),
            _ => Delivery::Refused(failure),
        },
    }
}

/// The message needs no edit, is gone, is too old for one, or stands in a topic where nothing changes any more.
fn is_over_for_an_edit(about: About) -> bool {
    matches!(
        about,
        About::Unchanged | About::Gone | About::Fixed | About::TopicGone | About::TopicClosed
    )
}

pub(super) fn set_thread(arguments: &mut Value, at: ChatThread) {
    if let Some(thread) = at.thread {
        arguments["message_thread_id"] = json!(thread.0);
    }
}
