//! A Bot API message's content apart from its words: files, things that words can describe, and other kinds by name.
//!
//! It is read from the JSON that Telegram sent: a kind newer than this version still has a name, and no words are lost.
//! Bot API 10: the fields of `Message`.

use serde_json::Value;

use super::rich_message;
use crate::domain::update::{Content, File, FileKind, Location, Task, Thing};

/// Service messages: Telegram writes them into a chat after somebody's action.
const SERVICE: [&str; 56] = [
    "boost_added",
    "channel_chat_created",
    "chat_background_set",
    "chat_owner_changed",
    "chat_owner_left",
    "chat_shared",
    "checklist_tasks_added",
    "checklist_tasks_done",
    "community_chat_added",
    "community_chat_joined",
    "community_chat_removed",
    "connected_website",
    "delete_chat_photo",
    "direct_message_price_changed",
    "forum_topic_closed",
    "forum_topic_created",
    "forum_topic_edited",
    "forum_topic_reopened",
    "general_forum_topic_hidden",
    "general_forum_topic_unhidden",
    "gift",
    "gift_upgrade_sent",
    "giveaway_completed",
    "giveaway_created",
    "group_chat_created",
    "left_chat_member",
    "managed_bot_created",
    "message_auto_delete_timer_changed",
    "migrate_from_chat_id",
    "migrate_to_chat_id",
    "new_chat_members",
    "new_chat_photo",
    "new_chat_title",
    "paid_message_price_changed",
    "passport_data",
    "pinned_message",
    "poll_option_added",
    "poll_option_deleted",
    "proximity_alert_triggered",
    "refunded_payment",
    "successful_payment",
    "suggested_post_approval_failed",
    "suggested_post_approved",
    "suggested_post_declined",
    "suggested_post_paid",
    "suggested_post_refunded",
    "supergroup_chat_created",
    "unique_gift",
    "user_shared",
    "users_shared",
    "video_chat_ended",
    "video_chat_participants_invited",
    "video_chat_scheduled",
    "video_chat_started",
    "web_app_data",
    "write_access_allowed",
];

/// Content that words cannot describe.
const IMPOSSIBLE: [&str; 5] = ["game", "giveaway", "giveaway_winners", "invoice", "story"];

/// Fields about a message that do not say what it contains.
const AROUND: [&str; 46] = [
    "author_signature",
    "business_connection_id",
    "caption",
    "caption_entities",
    "chat",
    "date",
    "direct_messages_topic",
    "edit_date",
    "effect_id",
    "entities",
    "ephemeral_message_id",
    "external_reply",
    "forward_date",
    "forward_from",
    "forward_from_chat",
    "forward_from_message_id",
    "forward_origin",
    "forward_sender_name",
    "forward_signature",
    "from",
    "guest_bot_caller_chat",
    "guest_bot_caller_user",
    "guest_query_id",
    "has_media_spoiler",
    "has_protected_content",
    "is_automatic_forward",
    "is_from_offline",
    "is_paid_post",
    "is_topic_message",
    "link_preview_options",
    "media_group_id",
    "message_id",
    "message_thread_id",
    "origin",
    "paid_star_count",
    "quote",
    "receiver_user",
    "reply_markup",
    "reply_to_message",
    "sender_boost_count",
    "sender_business_bot",
    "sender_chat",
    "sender_tag",
    "show_caption_above_media",
    "suggested_post_info",
    "via_bot",
];

/// A message's content, its words aside.
pub fn content_of(raw: &Value) -> Content {
    let Value::Object(fields) = raw else {
        return Content::Text;
    };
    let files = files_of(raw);
    if !files.is_empty() {
        return Content::Files(files);
    }
    if let Some(thing) = thing_of(raw) {
        return Content::Thing(thing);
    }
    let has = |name: &&&str| fields.contains_key(**name);
    if let Some(name) = IMPOSSIBLE.iter().find(has) {
        return Content::Impossible((*name).to_owned());
    }
    if fields.contains_key("text") || fields.contains_key("rich_message") {
        return Content::Text;
    }
    if let Some(name) = SERVICE.iter().find(has) {
        return Content::Service((*name).to_owned());
    }
    let unknown = fields.keys().find(|name| !is_around(name));
    match unknown {
        Some(name) => Content::Impossible(name.clone()),
        None => Content::Text,
    }
}

fn is_around(name: &str) -> bool {
    AROUND.contains(&name) || name.starts_with("reply_to_")
}

fn files_of(raw: &Value) -> Vec<File> {
    if let Value::Array(media) = &raw["paid_media"]["paid_media"] {
        return media.iter().filter_map(file_of).collect();
    }
    if let Some(rich) = rich_message::read(&raw["rich_message"]) {
        return rich.files;
    }
    file_of(raw).into_iter().collect()
}

/// The file of a message or of one paid medium.
fn file_of(raw: &Value) -> Option<File> {
    // An animation also has a `document`, for programs that do not know animations.
    const KINDS: [(&str, FileKind); 7] = [
        ("animation", FileKind::Animation),
        ("audio", FileKind::Audio),
        ("document", FileKind::Document),
        ("video", FileKind::Video),
        ("video_note", FileKind::VideoNote),
        ("voice", FileKind::Voice),
        ("live_photo", FileKind::Video),
    ];
    // Of a live photo only the picture is taken, not the seconds around it.
    let picture = photo_of(&raw["photo"]).or_else(|| photo_of(&raw["live_photo"]["photo"]));
    picture.or_else(|| {
        KINDS
            .into_iter()
            .find_map(|(name, kind)| file_from(&raw[name], kind))
    })
}

/// The largest size of a picture. Bot API: `PhotoSize`.
pub(super) fn photo_of(sizes: &Value) -> Option<File> {
    let area = |size: &&Value| {
        let side = |name: &str| size[name].as_u64().unwrap_or(0);
        side("width") * side("height")
    };
    file_from(sizes.as_array()?.iter().max_by_key(area)?, FileKind::Photo)
}

pub(super) fn file_from(raw: &Value, kind: FileKind) -> Option<File> {
    let text = |name: &str| raw[name].as_str().map(str::to_owned);
    let number = |name: &str| raw[name].as_u64().and_then(|n| u32::try_from(n).ok());
    Some(File {
        kind,
        id: text("file_id")?,
        unique_id: text("file_unique_id").unwrap_or_default(),
        name: text("file_name"),
        media_type: text("mime_type"),
        bytes: raw["file_size"].as_u64(),
        width: number("width").or_else(|| number("length")),
        height: number("height").or_else(|| number("length")),
        seconds: number("duration"),
    })
}

fn thing_of(raw: &Value) -> Option<Thing> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    // A venue also has a `location`, for programs that do not know venues.
    if let venue @ Value::Object(_) = &raw["venue"] {
        return Some(Thing::Venue {
            title: text(&venue["title"]),
            address: text(&venue["address"]),
            location: location_of(&venue["location"])?,
        });
    }
    if let Some(location) = location_of(&raw["location"]) {
        return Some(Thing::Location(location));
    }
    if let contact @ Value::Object(_) = &raw["contact"] {
        let name = format!(
            "{} {}",
            text(&contact["first_name"]),
            text(&contact["last_name"])
        );
        return Some(Thing::Contact {
            name: name.trim().to_owned(),
            phone: text(&contact["phone_number"]),
        });
    }
    if let poll @ Value::Object(_) = &raw["poll"] {
        return Some(Thing::Poll {
            question: text(&poll["question"]),
            options: all(&poll["options"], |option| text(&option["text"])),
        });
    }
    if let dice @ Value::Object(_) = &raw["dice"] {
        return Some(Thing::Dice {
            emoji: text(&dice["emoji"]),
            value: dice["value"].as_i64().unwrap_or(0),
        });
    }
    if let checklist @ Value::Object(_) = &raw["checklist"] {
        return Some(Thing::Checklist {
            title: text(&checklist["title"]),
            tasks: all(&checklist["tasks"], |task| Task {
                text: text(&task["text"]),
                is_done: task["completion_date"]
                    .as_i64()
                    .is_some_and(|date| date > 0),
            }),
        });
    }
    let emoji = raw["sticker"]["emoji"].as_str()?;
    Some(Thing::Sticker(emoji.to_owned()))
}

fn all<T>(list: &Value, read: impl Fn(&Value) -> T) -> Vec<T> {
    let items = list.as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().map(read).collect()
}

/// Degrees keep the digits that Telegram wrote. Bot API: `Location`.
pub(super) fn location_of(raw: &Value) -> Option<Location> {
    let degrees = |name: &str| match &raw[name] {
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    Some(Location {
        latitude: degrees("latitude")?,
        longitude: degrees("longitude")?,
    })
}
