//! teloxide's update as what the inbox acts on.

use std::ops::Range;

use teloxide::types::{
    ChatMigration, Me, MediaKind, Message as BotMessage, MessageEntity, MessageEntityKind,
    MessageKind, Update, UpdateKind, User,
};

use crate::id::{ChatId, ChatThread, MessageId, ThreadId, UserId};
use crate::update::{Button, Content, Incoming, Message, Text};

/// Reduces an update to what telecoder acts on.
pub fn read(update: &Update, me: &Me) -> Incoming {
    match &update.kind {
        UpdateKind::Message(message) => match message.chat_migration() {
            Some(migration) => migrated(message.chat.id, *migration),
            None => Incoming::Message(message_from(message, me)),
        },
        UpdateKind::CallbackQuery(query) => match (&query.data, &query.message) {
            (Some(data), Some(message)) => Incoming::Button(Button {
                query: query.id.to_string(),
                message: MessageId(message.id().0),
                at: ChatThread {
                    chat: ChatId(message.chat().id.0),
                    thread: message.regular_message().and_then(topic_of),
                },
                sender: UserId(query.from.id.0),
                data: data.clone(),
                buttons: message
                    .regular_message()
                    .and_then(|message| message.reply_markup())
                    .map_or(0, |markup| {
                        markup.inline_keyboard.iter().map(Vec::len).sum()
                    }),
            }),
            _ => Incoming::Other("callback_query without data".into()),
        },
        UpdateKind::EditedMessage(_) => Incoming::Other("edited_message".into()),
        UpdateKind::MyChatMember(change) => Incoming::Membership {
            chat: ChatId(change.chat.id.0),
            is_present: change.new_chat_member.is_present(),
        },
        _ => Incoming::Other("of another kind".into()),
    }
}

/// The service message comes in both chats; each says what the other one is.
fn migrated(chat: teloxide::types::ChatId, migration: ChatMigration) -> Incoming {
    let (old, new) = match migration {
        ChatMigration::To { chat_id } => (chat, chat_id),
        ChatMigration::From { chat_id } => (chat_id, chat),
    };
    Incoming::Migrated {
        old: ChatId(old.0),
        new: ChatId(new.0),
    }
}

fn message_from(message: &BotMessage, me: &Me) -> Message {
    Message {
        at: ChatThread {
            chat: ChatId(message.chat.id.0),
            thread: topic_of(message),
        },
        id: MessageId(message.id.0),
        // Who writes as the group or as a channel has a stand-in user that nobody can put on a list.
        sender: message
            .from
            .as_ref()
            .filter(|_| message.sender_chat.is_none())
            .map(|user| UserId(user.id.0)),
        sender_name: message.from.as_ref().map(name_of).unwrap_or_default(),
        sent_at: message.date.timestamp(),
        content: content_of(message, me),
        replies_to_bot: replies_to(message, me),
    }
}

fn name_of(user: &User) -> String {
    match &user.username {
        Some(username) => format!("{} (@{username})", user.full_name()),
        None => user.full_name(),
    }
}

/// A plain supergroup's replies carry a `message_thread_id` too: only the flag says that it is a topic.
fn topic_of(message: &BotMessage) -> Option<ThreadId> {
    message
        .thread_id
        .filter(|_| message.is_topic_message)
        .map(|thread| ThreadId(thread.0.0))
}

/// In a topic every message without an explicit reply answers the message that made the topic.
fn replies_to(message: &BotMessage, me: &Me) -> bool {
    message.reply_to_message().is_some_and(|answered| {
        !matches!(answered.kind, MessageKind::ForumTopicCreated(_))
            && answered
                .from
                .as_ref()
                .is_some_and(|user| user.id == me.user.id)
    })
}

fn content_of(message: &BotMessage, me: &Me) -> Content {
    let common = match &message.kind {
        MessageKind::Common(common) => common,
        // Something that a person may have sent and that this version cannot read.
        MessageKind::Empty {} => {
            return Content::Attachment("message of a kind that I do not know".into());
        }
        _ => return Content::Service("service message".into()),
    };
    let kind = match &common.media_kind {
        MediaKind::Text(text) => {
            return Content::Text(Text {
                text: text.text.clone(),
                mentions: mentions(&text.text, &text.entities, me),
            });
        }
        MediaKind::Animation(_) => "animation",
        MediaKind::Audio(_) => "audio file",
        MediaKind::Contact(_) => "contact",
        MediaKind::Document(_) => "document",
        MediaKind::Game(_) => "game",
        MediaKind::Venue(_) => "venue",
        MediaKind::Location(_) => "location",
        MediaKind::Photo(_) => "photo",
        MediaKind::Poll(_) => "poll",
        MediaKind::Sticker(_) => "sticker",
        MediaKind::Story(_) => "story",
        MediaKind::Video(_) => "video",
        MediaKind::VideoNote(_) => "video_note",
        MediaKind::Voice(_) => "voice message",
        MediaKind::Checklist(_) => "checklist",
        MediaKind::PaidMedia(_) => "paid_media",
        MediaKind::Migration(_) => return Content::Service("migration".into()),
    };
    Content::Attachment(kind.into())
}

/// Where this bot is mentioned: by `@username`, or by a link to it.
fn mentions(text: &str, entities: &[MessageEntity], me: &Me) -> Vec<Range<usize>> {
    let username = me.user.username.as_deref().unwrap_or_default();
    entities
        .iter()
        .filter_map(|entity| {
            let range = bytes_of(text, entity.offset, entity.length)?;
            let is_me = match &entity.kind {
                MessageEntityKind::Mention => text[range.clone()]
                    .strip_prefix('@')
                    .is_some_and(|name| name.eq_ignore_ascii_case(username)),
                MessageEntityKind::TextMention { user } => user.id == me.user.id,
                _ => false,
            };
            is_me.then_some(range)
        })
        .collect()
}

/// UTF-16 units, as the Bot API counts, to bytes; none where they do not fit the text.
fn bytes_of(text: &str, offset: usize, length: usize) -> Option<Range<usize>> {
    let byte_at = |unit: usize| {
        let mut units = 0;
        text.char_indices()
            .map(|(byte, character)| {
                let at = units;
                units += character.len_utf16();
                (at, byte)
            })
            .find(|(at, _)| *at == unit)
            .map(|(_, byte)| byte)
            .or_else(|| (text.encode_utf16().count() == unit).then_some(text.len()))
    };
    let range = byte_at(offset)?..byte_at(offset.checked_add(length)?)?;
    (range.start <= range.end).then_some(range)
}
