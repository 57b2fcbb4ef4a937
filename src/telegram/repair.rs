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
    // One that Telegram does not have any more has the date 0, and other fields.
    if let Some(Value::Object(message)) = fields
        .get_mut("callback_query")
        .and_then(|query| query.get_mut("message"))
        .filter(|message| message["date"] != 0)
    {
        reduce(message);
    }
}

fn reduce(message: &mut Map<String, Value>) {
    message.retain(|name, _| NEEDED.contains(&name.as_str()));
    for name in ["chat", "sender_chat"] {
        if let Some(Value::Object(chat)) = message.get_mut(name) {
            chat.retain(|name, _| {
                matches!(
                    name.as_str(),
                    "id" | "type" | "title" | "first_name" | "last_name" | "username" | "is_forum"
                )
            });
        }
    }
    if let Some(Value::Object(sender)) = message.get_mut("from") {
        sender.retain(|name, _| {
            matches!(
                name.as_str(),
                "id" | "is_bot" | "first_name" | "last_name" | "username"
            )
        });
    }
    let is_migration =
        message.contains_key("migrate_to_chat_id") || message.contains_key("migrate_from_chat_id");
    if !is_migration {
        message.insert("text".into(), json!(""));
    }
}
