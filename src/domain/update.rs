//! One incoming update of the Bot API, reduced to the parts that telecoder acts on.
//!
//! `telegram::incoming` and `telegram::message` make these from the raw update; `inbox` acts on them. Pure data, with
//! two pure questions: does a message reply to the bot, and where do its words begin?

use serde::{Deserialize, Serialize};

use crate::domain::id::{ChatId, ChatThread, MessageId, UserId};

/// An update as the inbox sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    Message(Message),
    /// A message after an edit. Bot API: `edited_message`.
    Edited(Message),
    Button(Button),
    /// A group has become a supergroup. Bot API: `migrate_to_chat_id`, `migrate_from_chat_id`.
    Migrated {
        old: ChatId,
        new: ChatId,
    },
    /// The bot was added, removed, blocked or unblocked. Bot API: `my_chat_member`.
    Membership {
        chat: ChatId,
        is_present: bool,
    },
    /// A kind of update that telecoder ignores; only counted.
    Other(String),
}

/// Bot API: `Message`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub at: ChatThread,
    pub id: MessageId,
    /// Absent for channel posts and for members who write as the group.
    pub sender: Option<UserId>,
    /// The group or channel that the sender writes as. Bot API: `sender_chat`
    pub writes_as: Option<ChatId>,
    /// The sender's name for people. Bot API: `first_name`, `last_name`, `username`.
    pub sender_name: String,
    /// When it was sent, in Unix seconds by Telegram's clock. Bot API: `date`.
    pub sent_at: i64,
    /// Its text, or the caption of its picture or file; empty if there is neither. Bot API: `text`, `caption`.
    pub text: Text,
    pub content: Content,
    /// The buttons below it that open an address. Bot API: `reply_markup`.
    pub buttons: Vec<Link>,
    /// The part of the replied-to message that the sender chose. Bot API: `quote`.
    pub quote: Option<Text>,
    pub replies_to: Option<Replied>,
    pub forwarded_from: Option<Origin>,
    /// The inline bot that wrote it; the sender only chose it. Bot API: `via_bot`.
    pub inline_bot: Option<String>,
    /// The album that it belongs to. Bot API: `media_group_id`.
    pub album: Option<String>,
}

/// The message that another one replies to. Bot API: `reply_to_message`, `external_reply`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replied {
    /// `None` for a message of another chat.
    pub message: Option<MessageId>,
    /// This bot sent it.
    pub is_the_bots: bool,
    pub sender: Option<UserId>,
    /// Its sender's name; empty if unknown.
    pub author: String,
    pub text: Text,
    pub content: Content,
    pub buttons: Vec<Link>,
}

/// The author of a forwarded message. Bot API: `MessageOrigin`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A person, with a public account or without.
    Person(String),
    /// Somebody who wrote as a group.
    Group(String),
    Channel {
        title: String,
        signature: Option<String>,
    },
    /// A kind that this version does not know.
    Unknown,
}

/// A message's non-text content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Words alone.
    Text,
    Files(Vec<File>),
    /// A thing that can be said in words.
    Thing(Thing),
    /// A thing that claude cannot get, by the Bot API's field name: `game`, `story`, …
    Impossible(String),
    /// A service message by Telegram, by the Bot API's field name: `pinned_message`, …
    Service(String),
}

/// A thing that is neither words nor a file. Numbers are as Telegram wrote them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Thing {
    Location(Location),
    Venue {
        title: String,
        address: String,
        location: Location,
    },
    Contact {
        name: String,
        phone: String,
    },
    Poll {
        question: String,
        options: Vec<String>,
    },
    /// Bot API: `dice`; the emoji says which kind.
    Dice {
        emoji: String,
        value: i64,
    },
    Checklist {
        title: String,
        tasks: Vec<Task>,
    },
    /// The sticker's emoji.
    Sticker(String),
}

/// Degrees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    pub latitude: String,
    pub longitude: String,
}

/// A line of a checklist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    pub text: String,
    pub is_done: bool,
}

/// A text to the byte, the mentions in it, and the addresses behind it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    pub text: String,
    /// Byte ranges of mentions of this bot.
    pub mentions: Vec<std::ops::Range<usize>>,
    pub links: Vec<Link>,
}

/// An address that people do not see, behind words or a button. Bot API: `text_link`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub words: String,
    pub address: String,
}

/// A file of a message, as Telegram describes it; not fetched yet.
///
/// Kept as JSON with its prompt. Bot API: `PhotoSize`, `Document`, `Audio`, `Video`, …
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    pub kind: FileKind,
    /// The id for fetching it. Bot API: `file_id`.
    pub id: String,
    /// The same for everybody and for ever. Bot API: `file_unique_id`.
    pub unique_id: String,
    /// The name from the sender's device: never part of a path.
    pub name: Option<String>,
    /// From the sender's device. Bot API: `mime_type`.
    pub media_type: Option<String>,
    pub bytes: Option<u64>,
    pub width: Option<u32>,
    pub height: Option<u32>,
    /// How long it plays.
    pub seconds: Option<u32>,
}

impl File {
    /// Telegram gives the same file another `file_id` each time.
    pub fn is_same(&self, other: &File) -> bool {
        match (self.unique_id.as_str(), other.unique_id.as_str()) {
            ("", _) | (_, "") => self.id == other.id,
            (one, another) => one == another,
        }
    }
}

/// How the sender sent a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    Photo,
    Document,
    Audio,
    Video,
    Animation,
    VideoNote,
    Voice,
    Sticker,
}

/// Bot API: `CallbackQuery` of a button under one of the bot's messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Button {
    /// The id of the press, for answering it.
    pub query: String,
    /// The message that the button is below.
    pub message: MessageId,
    pub at: ChatThread,
    pub sender: UserId,
    /// The sender's name for people.
    pub sender_name: String,
    pub data: String,
    /// How many buttons the message has; 0 if unknown.
    pub buttons: usize,
}

impl Message {
    /// The message of this chat that it replies to.
    pub fn answers(&self) -> Option<MessageId> {
        self.replies_to.as_ref()?.message
    }

    /// Whether it replies to the bot.
    pub fn replies_to_bot(&self) -> bool {
        self.replies_to
            .as_ref()
            .is_some_and(|replied| replied.is_the_bots)
    }
}

impl Text {
    /// The text without a leading mention of the bot and the blanks after it.
    ///
    /// In a group the leading mention is the address, not the prompt.
    pub fn without_address(&self) -> &str {
        match self.mentions.iter().find(|mention| mention.start == 0) {
            Some(address) => {
                self.text[address.end..].trim_start_matches([' ', '\t', '\n', ',', ':'])
            }
            None => &self.text,
        }
    }
}

impl Incoming {
    /// The sender and the chat, for deciding on admission.
    pub fn origin(&self) -> Option<(UserId, ChatId)> {
        match self {
            Incoming::Message(message) | Incoming::Edited(message) => {
                message.sender.map(|user| (user, message.at.chat))
            }
            Incoming::Button(button) => Some((button.sender, button.at.chat)),
            Incoming::Migrated { .. } | Incoming::Membership { .. } | Incoming::Other(_) => None,
        }
    }

    /// The place for replies to the sender.
    pub fn place(&self) -> Option<ChatThread> {
        match self {
            Incoming::Message(message) | Incoming::Edited(message) => Some(message.at),
            Incoming::Button(button) => Some(button.at),
            Incoming::Migrated { .. } | Incoming::Membership { .. } | Incoming::Other(_) => None,
        }
    }
}
