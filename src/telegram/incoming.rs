//! An update turned into what the inbox acts on.
//!
//! Messages are read from the stored JSON (`message`), everything else from teloxide's update.

use serde_json::Value;
use teloxide::types::{ChatMigration, Me, Update, UpdateKind, User};

use super::message;
use crate::domain::id::{ChatId, ChatThread, MessageId, UserId};
use crate::domain::update::{Button, Incoming};

/// Reduces an update to what telecoder acts on; `raw` is the update as Telegram sent it.
pub fn read(update: &Update, raw: &str, me: &Me) -> Incoming {
    match &update.kind {
        UpdateKind::Message(message) => match message.chat_migration() {
            Some(migration) => migrated(message.chat.id, *migration),
            None => sent(raw, "message", me).map_or_else(unreadable, Incoming::Message),
        },
        UpdateKind::EditedMessage(_) => {
            sent(raw, "edited_message", me).map_or_else(unreadable, Incoming::Edited)
        }
        UpdateKind::CallbackQuery(query) => match (&query.data, &query.message) {
            (Some(data), Some(message)) => Incoming::Button(Button {
                query: query.id.to_string(),
                message: MessageId(message.id().0),
                at: ChatThread {
                    chat: ChatId(message.chat().id.0),
                    thread: pressed(raw).and_then(|message| message::topic_of(&message)),
                },
                sender: UserId(query.from.id.0),
                sender_name: name_of(&query.from),
                data: data.clone(),
                buttons: buttons_below(raw),
            }),
            _ => Incoming::Other("callback_query without data".into()),
        },
        UpdateKind::MyChatMember(change) => Incoming::Membership {
            chat: ChatId(change.chat.id.0),
            is_present: change.new_chat_member.is_present(),
        },
        _ => Incoming::Other("of another kind".into()),
    }
}

fn sent(raw: &str, field: &str, me: &Me) -> Option<crate::domain::update::Message> {
    let update: Value = serde_json::from_str(raw).ok()?;
    message::read(&update[field], me)
}

/// The message that a press is below, as Telegram sent it: teloxide gets only a part of it.
fn pressed(raw: &str) -> Option<Value> {
    let mut update: Value = serde_json::from_str(raw).ok()?;
    Some(update["callback_query"]["message"].take())
}

/// How many buttons the message of a press has.
fn buttons_below(raw: &str) -> usize {
    let message = pressed(raw).unwrap_or_default();
    let rows = &message["reply_markup"]["inline_keyboard"];
    let rows = rows.as_array().into_iter().flatten();
    rows.filter_map(Value::as_array).map(Vec::len).sum()
}

fn unreadable() -> Incoming {
    Incoming::Other("message without a place".into())
}

/// Both chats get a service message, each with the other's id.
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

fn name_of(user: &User) -> String {
    match &user.username {
        Some(username) => format!("{} (@{username})", user.full_name()),
        None => user.full_name(),
    }
}
