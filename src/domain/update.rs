//! What came in: one update of the Bot API, reduced to what telecoder acts on.
//!
//! `telegram::incoming` and `telegram::message` make these from the raw update; `inbox` acts on them. Pure data, and
//! the questions that need no outside: is this message an answer to the bot, and where do its words begin?

use serde::{Deserialize, Serialize};

use crate::domain::id::{ChatId, ChatThread, MessageId, UserId};

/// An update as the inbox sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    Message(Message),
    /// A message as it is now. Bot API: `edited_message`.
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
    /// Survived, counted, and of no effect: a kind of update that telecoder does not act on.
    Other(String),
}

/// Bot API: `Message`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub at: ChatThread,
    pub id: MessageId,
    /// Absent for channel posts and for members who write as the group.
    pub sender: Option<UserId>,
    /// What the sender is called, for people to read. Bot API: `first_name`, `last_name`, `username`.
    pub sender_name: String,
    /// When it was sent, in Unix seconds by Telegram's clock. Bot API: `date`.
    pub sent_at: i64,
    /// Its text, or what it says below its picture or file; empty where it says nothing. Bot API: `text`, `caption`.
    pub text: Text,
    pub content: Content,
    /// The part of the answered message that the sender has chosen. Bot API: `quote`.
    pub quote: Option<String>,
    pub replies_to: Option<Replied>,
    pub forwarded_from: Option<Origin>,
    /// Several messages that were sent as one. Bot API: `media_group_id`.
    pub album: Option<String>,
}

/// The message that another one answers. Bot API: `reply_to_message`, `external_reply`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replied {
    /// None for a message of another chat.
    pub message: Option<MessageId>,
    /// It is one of this bot's own.
    pub is_the_bots: bool,
    pub sender: Option<UserId>,
    /// What its sender is called; empty where nobody can know.
    pub author: String,
    pub text: String,
    pub content: Content,
}

/// Who wrote what was forwarded. Bot API: `MessageOrigin`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A person, whether or not they show who they are.
    Person(String),
    /// Somebody who wrote as a group.
    Group(String),
    Channel {
        title: String,
        signature: Option<String>,
    },
    /// It is of a kind that this version does not know.
    Unknown,
}

/// What a message is beside its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Words alone.
    Text,
    Files(Vec<File>),
    /// Something that words say as well.
    Thing(Thing),
    /// Something that claude cannot get, by the Bot API's field name: `game`, `story`, …
    Impossible(String),
    /// Something that Telegram wrote into the chat, by the Bot API's field name: `pinned_message`, …
    Service(String),
}

/// What a person can send that is neither words nor a file. Numbers are as Telegram wrote them.
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
    /// Bot API: `dice`, with the emoji that says which kind.
    Dice {
        emoji: String,
        value: i64,
    },
    Checklist {
        title: String,
        tasks: Vec<Task>,
    },
    /// Known by its emoji.
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

/// A text to the byte, and where in it somebody is mentioned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    pub text: String,
    /// Byte ranges of mentions of this bot.
    pub mentions: Vec<std::ops::Range<usize>>,
}

/// A file that came with a message, as Telegram names it; its bytes are still there.
///
/// Kept as JSON with the prompt that it goes along with. Bot API: `PhotoSize`, `Document`, `Audio`, `Video`, …
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    pub kind: FileKind,
    /// What it is fetched by. Bot API: `file_id`.
    pub id: String,
    /// The same for everybody and for ever. Bot API: `file_unique_id`.
    pub unique_id: String,
    /// As the sender's device named it: nothing that a path may be made of.
    pub name: Option<String>,
    /// Bot API: `mime_type`, as the sender's device said it.
    pub media_type: Option<String>,
    pub bytes: Option<u64>,
    pub width: Option<u32>,
    pub height: Option<u32>,
    /// How long it plays.
    pub seconds: Option<u32>,
}

/// What the sender made of a file.
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
    /// Names the press, so that it can be answered.
    pub query: String,
    /// The message that the button is below.
    pub message: MessageId,
    pub at: ChatThread,
    pub sender: UserId,
    /// What the sender is called, for people to read.
    pub sender_name: String,
    pub data: String,
    /// How many buttons the message has; 0 where that cannot be seen.
    pub buttons: usize,
}

impl Message {
    /// The message of this chat that it answers.
    pub fn answers(&self) -> Option<MessageId> {
        self.replies_to.as_ref()?.message
    }

    /// The message answers one of the bot's own.
    pub fn replies_to_bot(&self) -> bool {
        self.replies_to
            .as_ref()
            .is_some_and(|replied| replied.is_the_bots)
    }
}

impl Text {
    /// The text without a leading mention of the bot and the blanks behind it.
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
    /// Who sent it and where, for the decision whether they may.
    pub fn origin(&self) -> Option<(UserId, ChatId)> {
        match self {
            Incoming::Message(message) | Incoming::Edited(message) => {
                message.sender.map(|user| (user, message.at.chat))
            }
            Incoming::Button(button) => Some((button.sender, button.at.chat)),
            Incoming::Migrated { .. } | Incoming::Membership { .. } | Incoming::Other(_) => None,
        }
    }

    /// Where the sender can be told of it.
    pub fn place(&self) -> Option<ChatThread> {
        match self {
            Incoming::Message(message) | Incoming::Edited(message) => Some(message.at),
            Incoming::Button(button) => Some(button.at),
            Incoming::Migrated { .. } | Incoming::Membership { .. } | Incoming::Other(_) => None,
        }
    }
}
