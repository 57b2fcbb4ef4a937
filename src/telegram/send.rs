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
use super::budget::Budget;
use super::draw::Part;
use super::keyboard;
use super::rich::{Entity, Rich};
use crate::chat::files;
use crate::domain::id::{ChatId, ChatThread, MessageId};
use crate::domain::outgoing::Outgoing;
use crate::store::outbox::Due;

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
    /// The topic was deleted or closed.
    TopicGone(String),
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
    /// With its entities.
    styled: bool,
    /// As a picture, not a document.
    as_picture: bool,
}

/// One part of a message on its way.
pub(super) struct Sending<'a> {
    pub api: &'a Api,
    /// The chat's allowance; every call is taken from it.
    pub budget: &'a mut Budget,
    pub due: &'a Due,
    pub part: &'a Part,
    /// It is the last part, which has the buttons.
    pub is_last: bool,
    /// Messages of this chat may ring now.
    pub rings: bool,
    /// Each gets a button that copies it.
    pub commands: &'a [String],
}

impl Sending<'_> {
    /// Makes the call; repeats it without the refused part of its form.
    pub async fn send(&mut self) -> Delivery {
        let mut arguments = self.arguments();
        let mut form = Form {
            styled: true,
            as_picture: true,
        };
        loop {
            let error = match self.call(&arguments, form).await {
                Ok(message) => return Delivery::Arrived(message),
                Err(error) => error,
            };
            if let Some(message) = self.due.edits
                && is_about_the_edited(&error)
            {
                debug!(chat.id = self.due.at.chat.0, %error, "there is nothing to change any more");
                return Delivery::Arrived(message);
            }
            let has_reply = arguments.get("reply_parameters").is_some();
            if form.styled && error.says("entit") {
                form.styled = false;
            } else if has_reply && is_about_the_reply(&error) {
                arguments
                    .as_object_mut()
                    .map(|fields| fields.remove("reply_parameters"));
            } else if form.as_picture && self.is_picture() && is_about_the_file(&error, self.due.at)
            {
                form.as_picture = false;
            } else if keyboard::leaves_out(&error) {
                arguments["reply_markup"] = self.arguments()["reply_markup"].take();
            } else {
                return self.delivery_of(error);
            }
            warn!(chat.id = self.due.at.chat.0, %error, "a message is sent again without what was refused");
        }
    }

    fn arguments(&self) -> Value {
        let first = self.due.parts_sent == 0;
        let message = &self.due.message;
        if let Some(edited) = self.due.edits {
            return json!({
                "chat_id": self.due.at.chat.0,
                "message_id": edited.0,
                "reply_markup": keyboard::edited(message, self.commands, self.due.at.chat),
            });
        }
        let mut arguments = json!({
            "chat_id": self.due.at.chat.0,
            // Only the first part rings.
            "disable_notification": !(message.loud && first && self.rings),
        });
        set_thread(&mut arguments, self.due.at);
        if let (true, Some(reply_to)) = (first, message.reply_to) {
            arguments["reply_parameters"] =
                json!({"message_id": reply_to.0, "allow_sending_without_reply": true});
        }
        if self.is_last
            && let Some(markup) = keyboard::markup(message, self.commands, self.due.at.chat)
        {
            arguments["reply_markup"] = markup;
        }
        arguments
    }

    fn is_picture(&self) -> bool {
        matches!(self.part, Part::Stored { is_picture, .. } if *is_picture)
    }

    /// A file that can never be sent is replaced by a sentence: it must not block later messages.
    fn delivery_of(&self, error: ApiError) -> Delivery {
        if let Part::Stored { name, path, .. } = self.part {
            let said = match &error {
                ApiError::Unreadable(why) => Some(files::cannot_be_read(name, why)),
                ApiError::Refused { code: 413, .. } => Some(files::too_large_after_all(name, path)),
                refused if is_about_the_file(refused, self.due.at) => {
                    Some(files::refused(name, path, &refused.to_string()))
                }
                _ => None,
            };
            if let Some(said) = said {
                return Delivery::NoSuchFile(said.replying_to(self.due.message.reply_to));
            }
        }
        delivery_of(error, self.due.at)
    }

    async fn call(&mut self, arguments: &Value, form: Form) -> Result<MessageId, ApiError> {
        let mut arguments = arguments.clone();
        let entities = |rich: &Rich| -> Vec<Entity> {
            if form.styled {
                rich.entities()
            } else {
                Vec::new()
            }
        };
        self.budget.spend(Instant::now());
        let sent: Sent = match self.part {
            Part::Text(rich) => {
                arguments["text"] = json!(rich.text);
                arguments["entities"] = json!(entities(rich));
                arguments["link_preview_options"] = json!({"is_disabled": true});
                let method = match self.due.edits {
                    Some(_) => "editMessageText",
                    None => "sendMessage",
                };
                self.api.call(method, &arguments).await?
            }
            Part::File {
                name,
                content,
                caption,
            } => {
                arguments["caption"] = json!(caption.text);
                arguments["caption_entities"] = json!(entities(caption));
                let content = content.clone();
                self.api
                    .upload("sendDocument", &arguments, "document", name, content)
                    .await?
            }
            Part::Stored {
                path,
                name,
                caption,
                is_picture,
            } => {
                if !caption.text.is_empty() {
                    arguments["caption"] = json!(caption.text);
                    arguments["caption_entities"] = json!(entities(caption));
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

/// What a failed call means for the message. The Bot API's texts change now and then: they are matched loosely, and a
/// message with an unknown refusal is kept.
fn delivery_of(error: ApiError, at: ChatThread) -> Delivery {
    let words = error.to_string();
    match error {
        ApiError::Flood(pause) => Delivery::Flood(pause),
        ApiError::Migrated(chat) => Delivery::Migrated(chat),
        ApiError::Unanswered(_) => Delivery::Doubtful(words),
        ApiError::Server(_) | ApiError::NotSent(_) | ApiError::Unreadable(_) => {
            Delivery::Later(words)
        }
        // A token that is refused now may be accepted after a correction.
        ref refused if refused.is_refused_token() => Delivery::Later(words),
        ref refused if at.thread.is_some() && is_about_the_topic(refused) => {
            Delivery::TopicGone(words)
        }
        ApiError::Refused { code: 403, .. } => Delivery::Unreachable(words),
        ref refused if is_about_the_chat(refused) => Delivery::Unreachable(words),
        ApiError::Refused { .. } => Delivery::Refused(words),
    }
}

/// Telegram refuses the file, not the place.
fn is_about_the_file(error: &ApiError, at: ChatThread) -> bool {
    let is_refusal = matches!(
        error,
        ApiError::Refused {
            code: 400 | 413,
            ..
        }
    );
    let is_about_the_place = is_about_the_chat(error)
        || is_about_the_reply(error)
        || (at.thread.is_some() && is_about_the_topic(error));
    is_refusal && !is_about_the_place
}

/// The message needs no edit, is gone, or is too old for one.
fn is_about_the_edited(error: &ApiError) -> bool {
    [
        "message is not modified",
        "message to edit not found",
        "message can't be edited",
        "message_id_invalid",
    ]
    .iter()
    .any(|part| error.says(part))
}

fn is_about_the_reply(error: &ApiError) -> bool {
    [
        "replied",
        "reply message",
        "reply_message",
        "message to reply",
    ]
    .iter()
    .any(|part| error.says(part))
}

fn is_about_the_topic(error: &ApiError) -> bool {
    [
        "thread not found",
        "topic_deleted",
        "topic_closed",
        "topic_id_invalid",
    ]
    .iter()
    .any(|part| error.says(part))
}

fn is_about_the_chat(error: &ApiError) -> bool {
    [
        "chat not found",
        "peer_id_invalid",
        "user is deactivated",
        "chat_write_forbidden",
        "chat_restricted",
        "no rights to send",
        "not enough rights to send text",
        "group chat was deactivated",
        "channel_private",
    ]
    .iter()
    .any(|part| error.says(part))
}

pub(super) fn set_thread(arguments: &mut Value, at: ChatThread) {
    if let Some(thread) = at.thread {
        arguments["message_thread_id"] = json!(thread.0);
    }
}
