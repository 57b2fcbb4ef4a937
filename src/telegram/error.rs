//! Why a call to the Bot API brought no result, and what a refusal is about.
//!
//! The Bot API has one code for most refusals (400) and says the rest in words, which change now and then. [`About`] is
//! read from them once, here; everything else asks for it.

use std::time::Duration;

use crate::domain::id::ChatId;

/// Why a call brought no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// 429: the chat takes nothing for so long. `parameters.retry_after`.
    #[error("Telegram asks for a pause of {} s", .0.as_secs())]
    Flood(Duration),
    /// A file of this machine that was to be sent.
    #[error("the file cannot be read: {0}")]
    Unreadable(String),
    /// 400 with `parameters.migrate_to_chat_id`.
    #[error("the group has become the supergroup {}", .0.0)]
    Migrated(ChatId),
    /// Telegram understood and said no; saying it again will not help.
    #[error("Telegram refuses ({code}): {description}")]
    Refused {
        code: u16,
        about: About,
        description: String,
    },
    /// 5xx in Telegram's own form: counts as a no; the same call can succeed later.
    #[error("Telegram's server failed ({0})")]
    Server(u16),
    /// The request did not leave this machine.
    #[error("Telegram cannot be reached: {0}")]
    NotSent(String),
    /// The request went out and no answer that can be read came back, or a gateway's: it may have had its effect.
    #[error("Telegram gave no answer: {0}")]
    Unanswered(String),
}

/// The part of a call that Telegram refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// The bot's token: revoked (401) or mistyped (404).
    Token,
    /// Another program asks for updates, too (409).
    OtherPoller,
    /// A webhook gets the updates (409).
    Webhook,
    /// The styles of the text.
    Entities,
    /// The message replied to.
    Reply,
    /// The topic was deleted.
    TopicGone,
    /// The topic is closed; without a topic, General is.
    TopicClosed,
    /// The bot may not write in this chat, or the chat is gone.
    Chat,
    /// The edit changes nothing.
    Unchanged,
    /// The message to change or delete is not there.
    Gone,
    /// The message is there and cannot be changed or deleted any more.
    Fixed,
    /// The request is too large: a file of Telegram's own or of a proxy's limit (413).
    Size,
    /// The file.
    File,
    /// The reaction.
    Reaction,
    /// A reply field beside the buttons, or another form of them that an old server does not know.
    Markup,
    Other,
}

/// Parts of Telegram's descriptions, in lower case; the first that fits counts.
const WORDS: &[(&str, About)] = &[
    ("replied", About::Reply),
    ("reply message", About::Reply),
    ("reply_message", About::Reply),
    ("message to reply", About::Reply),
    ("message is not modified", About::Unchanged),
    ("message to edit not found", About::Gone),
    ("message to delete not found", About::Gone),
    ("message_id_invalid", About::Gone),
    ("message can't be edited", About::Fixed),
    ("message can't be deleted", About::Fixed),
    ("message_delete_forbidden", About::Fixed),
    ("reply markup", About::Markup),
    ("inline keyboard", About::Markup),
    ("entities", About::Entities),
    ("entity", About::Entities),
    ("thread not found", About::TopicGone),
    ("topic_deleted", About::TopicGone),
    ("topic_id_invalid", About::TopicGone),
    ("topic_closed", About::TopicClosed),
    ("reaction", About::Reaction),
    ("chat not found", About::Chat),
    ("peer_id_invalid", About::Chat),
    ("user is deactivated", About::Chat),
    ("chat_write_forbidden", About::Chat),
    ("chat_restricted", About::Chat),
    ("no rights to send", About::Chat),
    ("not enough rights to send text", About::Chat),
    ("group chat was deactivated", About::Chat),
    ("channel_private", About::Chat),
    ("file is too big", About::Size),
    ("image_process_failed", About::File),
    ("file", About::File),
    ("photo", About::File),
    ("document", About::File),
];

impl About {
    /// What a refusal with this code and these words is about.
    pub fn of(code: u16, description: &str) -> About {
        let words = description.to_lowercase();
        match code {
            401 | 404 => About::Token,
            409 if words.contains("webhook") => About::Webhook,
            409 => About::OtherPoller,
            413 => About::Size,
            403 => About::Chat,
            _ => WORDS
                .iter()
                .find(|(part, _)| words.contains(part))
                .map_or(About::Other, |(_, about)| *about),
        }
    }

    /// Whether it is about the place: another text would be refused as well, and the same one may be taken later.
    pub fn is_place(self) -> bool {
        matches!(
            self,
            About::Chat | About::TopicClosed | About::TopicGone | About::Token
        )
    }
}

impl ApiError {
    /// Bot API: an answer with `ok: false` and no parameters.
    pub fn refused(code: u16, description: String) -> ApiError {
        ApiError::Refused {
            code,
            about: About::of(code, &description),
            description,
        }
    }

    /// What Telegram refuses, if it refuses.
    pub fn about(&self) -> Option<About> {
        match self {
            ApiError::Refused { about, .. } => Some(*about),
            _ => None,
        }
    }

    /// Whether a refusal is about this.
    pub fn is_about(&self, about: About) -> bool {
        self.about() == Some(about)
    }

    /// One word for it.
    pub fn name(&self) -> &'static str {
        match self {
            ApiError::Flood(_) => "flood",
            ApiError::Migrated(_) => "migrated",
            ApiError::Refused { .. } => "refused",
            ApiError::Server(_) => "server_error",
            ApiError::NotSent(_) => "not_sent",
            ApiError::Unanswered(_) => "unanswered",
            ApiError::Unreadable(_) => "unreadable",
        }
    }

    /// The token is unknown to Telegram: revoked (401) or mistyped (404).
    pub fn is_refused_token(&self) -> bool {
        self.is_about(About::Token)
    }

    /// Somebody else gets the bot's updates.
    pub fn is_conflict(&self) -> bool {
        self.is_about(About::OtherPoller) || self.is_about(About::Webhook)
    }

    /// Whether the same call can succeed later.
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            ApiError::Server(_) | ApiError::NotSent(_) | ApiError::Unanswered(_)
        )
    }
}
