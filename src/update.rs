//! What came in: one update of the Bot API, reduced to what telecoder acts on.
//!
//! `telegram::incoming` makes these from the raw update; `inbox` acts on them. Pure data, and the one
//! question that needs no outside: is this message meant for the bot?

use serde::{Deserialize, Serialize};

use crate::id::{ChatId, ChatThread, MessageId, UserId};

/// An update as the inbox sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    Message(Message),
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
    pub content: Content,
    /// The message answers one of the bot's own.
    pub replies_to_bot: bool,
}

/// What a message carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    Text(Text),
    /// Something a person sent that is not text, by the Bot API's field name: `photo`, `voice`, …
    Attachment(String),
    /// Something that Telegram wrote into the chat: `new_chat_members`, `pinned_message`, …
    Service(String),
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
    pub data: String,
    /// How many buttons the message has; 0 where that cannot be seen.
    pub buttons: usize,
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
            Incoming::Message(message) => message.sender.map(|user| (user, message.at.chat)),
            Incoming::Button(button) => Some((button.sender, button.at.chat)),
            Incoming::Migrated { .. } | Incoming::Membership { .. } | Incoming::Other(_) => None,
        }
    }

    /// Where the sender can be told of it.
    pub fn place(&self) -> Option<ChatThread> {
        match self {
            Incoming::Message(message) => Some(message.at),
            Incoming::Button(button) => Some(button.at),
            Incoming::Migrated { .. } | Incoming::Membership { .. } | Incoming::Other(_) => None,
        }
    }
}
