//! Makes a raw update readable for teloxide, which routes it to its chat.
//!
//! teloxide 0.17 knows the Bot API up to 9.1: one field in an unexpected form fails the whole update. So teloxide gets
//! a copy of a message with only the fields that say whose it is. `message` reads the content from the stored update,
//! which stays as Telegram sent it.

use serde_json::{Map, Value, json};
use teloxide::types::{MessageEntity, Update, UpdateKind};

use crate::domain::id::UpdateSeq;

/// Fields that say whose a message is, or that a group has moved. Bot API: `Message`.
const NEEDED: [&str; 9] = [
    "message_id",
    "date",
    "chat",
    "from",
    "sender_chat",
    "message_thread_id",
    "is_topic_message",
    "migrate_to_chat_id",
    "migrate_from_chat_id",
];

/// Parses a stored update; `None` if its kind cannot be read.
///
/// The parsed update's id is its place in the order of arrival: teloxide has no room for every id that
/// Telegram may give.
pub fn parse(seq: UpdateSeq, raw: &str) -> Option<Update> {
    let mut update: Value = serde_json::from_str(raw).ok()?;
    update["update_id"] = Value::from(seq.0);
    drop_unknown_entities(&mut update);
    reduce_messages(&mut update);
    // From a text: teloxide's parser needs keys that it can borrow.
    serde_json::from_str::<Update>(&update.to_string())
        .ok()
        .filter(|update| !matches!(update.kind, UpdateKind::Error(_)))
}

/// Removes entities of unknown types everywhere.
fn drop_unknown_entities(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                if matches!(name.as_str(), "entities" | "caption_entities")
                    && let Value::Array(entities) = field
                {
                    entities.retain(|entity| {
                        // `MessageEntity` has no variant for unknown types.
                        serde_json::from_value::<MessageEntity>(entity.clone()).is_ok()
                    });
                } else {
                    drop_unknown_entities(field);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(drop_unknown_entities),
        _ => {}
    }
}

/// Fields that say whose a press is and on what. Bot API: `CallbackQuery`.
const NEEDED_OF_A_PRESS: [&str; 4] = ["id", "from", "message", "data"];

/// Reduces the update's message, also that of a button, to the fields needed.
fn reduce_messages(update: &mut Value) {
    let Value::Object(fields) = update else {
        return;
    };
    for name in ["message", "edited_message"] {
        if let Some(Value::Object(message)) = fields.get_mut(name) {
            reduce(message);
        }
    }
    let Some(Value::Object(press)) = fields.get_mut("callback_query") else {
        return;
    };
    press.retain(|name, _| NEEDED_OF_A_PRESS.contains(&name.as_str()));
    // teloxide wants one; nothing reads it.
    press.insert("chat_instance".into(), json!(""));
    reduce_people(press);
    match press.get_mut("message") {
        // One that Telegram does not have any more has the date 0, and other fields.
        Some(Value::Object(message)) if message.get("date") == Some(&json!(0)) => {
            reduce_people(message);
        }
        Some(Value::Object(message)) => reduce(message),
        _ => {}
    }
}

fn reduce(message: &mut Map<String, Value>) {
    message.retain(|name, _| NEEDED.contains(&name.as_str()));
    reduce_people(message);
    let is_migration =
        message.contains_key("migrate_to_chat_id") || message.contains_key("migrate_from_chat_id");
    if !is_migration {
        message.insert("text".into(), json!(""));
    }
}

/// Reduces chats and people to what says who they are.
fn reduce_people(of: &mut Map<String, Value>) {
    for name in ["chat", "sender_chat"] {
        if let Some(Value::Object(chat)) = of.get_mut(name) {
            retain_texts(
                chat,
                &["title", "first_name", "last_name", "username"],
                &["id", "type", "is_forum"],
            );
            name_the_kind(chat);
        }
    }
    if let Some(Value::Object(sender)) = of.get_mut("from") {
        retain_texts(
            sender,
            &["first_name", "last_name", "username"],
            &["id", "is_bot"],
        );
        for (name, value) in [("is_bot", json!(false)), ("first_name", json!(""))] {
            sender.entry(name).or_insert(value);
        }
    }
}

/// Keeps these texts, if they are texts, and these other fields.
fn retain_texts(fields: &mut Map<String, Value>, texts: &[&str], others: &[&str]) {
    fields.retain(|name, value| {
        texts.contains(&name.as_str()) && value.is_string() || others.contains(&name.as_str())
    });
}

/// A chat of a kind that teloxide does not know counts as one that it knows: a group's id is negative.
fn name_the_kind(chat: &mut Map<String, Value>) {
    let kind = chat.get("type").and_then(Value::as_str).unwrap_or_default();
    if matches!(kind, "private" | "group" | "supergroup" | "channel") {
        return;
    }
    let is_group = chat
        .get("id")
        .and_then(Value::as_i64)
        .is_some_and(|id| id < 0);
    let kind = if is_group { "supergroup" } else { "private" };
    chat.insert("type".into(), json!(kind));
}
