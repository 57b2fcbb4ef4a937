//! Makes a raw update readable for teloxide without losing what a person wrote.
//!
//! teloxide 0.17 knows the Bot API up to 9.1. An entity of a newer type turns the whole message into one
//! without a text, and an unknown field of a known name fails it. So what it does not know is taken out of a
//! copy; the stored update stays as Telegram sent it.

use serde_json::{Map, Value};
use teloxide::types::{MediaKind, MessageEntity, MessageKind, Update, UpdateKind};

use crate::id::UpdateSeq;

/// The fields of a message that telecoder acts on, and their own needs; for a message that cannot be read
/// otherwise. Bot API: `Message`.
const NEEDED: [&str; 12] = [
    "message_id",
    "date",
    "chat",
    "from",
    "sender_chat",
    "message_thread_id",
    "is_topic_message",
    "text",
    "entities",
    "reply_to_message",
    "migrate_to_chat_id",
    "migrate_from_chat_id",
];

/// Parses a stored update; `None` when it is of a kind that cannot be read at all.
///
/// The parsed update's id is its place in the order of arrival: teloxide has no room for every id that
/// Telegram may give.
pub fn parse(seq: UpdateSeq, raw: &str) -> Option<Update> {
    let mut update: Value = serde_json::from_str(raw).ok()?;
    update["update_id"] = Value::from(seq.0);
    drop_unknown_entities(&mut update);
    let parsed = from_value(&update);
    if parsed
        .as_ref()
        .is_some_and(|parsed| !lost_its_text(parsed, &update))
    {
        return parsed;
    }
    reduce_messages(&mut update);
    from_value(&update).or(parsed)
}

fn from_value(update: &Value) -> Option<Update> {
    // From a text: teloxide's parser needs keys that it can borrow.
    serde_json::from_str::<Update>(&update.to_string())
        .ok()
        .filter(|update| !matches!(update.kind, UpdateKind::Error(_)))
}

/// A message that has a text on the wire and none after parsing.
fn lost_its_text(parsed: &Update, raw: &Value) -> bool {
    let UpdateKind::Message(message) = &parsed.kind else {
        return false;
    };
    let is_text = matches!(
        &message.kind,
        MessageKind::Common(common) if matches!(common.media_kind, MediaKind::Text(_))
    );
    !is_text && raw["message"].get("text").is_some()
}

/// Takes entities of unknown types out, wherever they are.
fn drop_unknown_entities(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                if matches!(name.as_str(), "entities" | "caption_entities")
                    && let Value::Array(entities) = field
                {
                    entities.retain(|entity| {
                        // The type has no variant for what it does not know.
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

/// Leaves only what is needed of each message in the update.
fn reduce_messages(update: &mut Value) {
    let Value::Object(fields) = update else {
        return;
    };
    for name in ["message", "edited_message"] {
        if let Some(Value::Object(message)) = fields.get_mut(name) {
            reduce(message);
        }
    }
}

fn reduce(message: &mut Map<String, Value>) {
    message.retain(|name, _| NEEDED.contains(&name.as_str()));
    if let Some(Value::Object(chat)) = message.get_mut("chat") {
        chat.retain(|name, _| {
            matches!(
                name.as_str(),
                "id" | "type" | "title" | "first_name" | "last_name" | "username" | "is_forum"
            )
        });
    }
    if let Some(Value::Object(sender)) = message.get_mut("from") {
        sender.retain(|name, _| {
            matches!(
                name.as_str(),
                "id" | "is_bot" | "first_name" | "last_name" | "username"
            )
        });
    }
    // Which message it answers, as a plain text, is enough to know whose it is.
    if let Some(Value::Object(answered)) = message.get_mut("reply_to_message") {
        let creates_topic = answered.contains_key("forum_topic_created");
        answered.remove("reply_to_message");
        answered.remove("entities");
        if !creates_topic {
            reduce(answered);
            answered.insert("text".into(), Value::from(""));
        }
    }
}
