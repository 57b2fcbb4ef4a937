//! Reads a Bot API message: its chat, sender and words, what it replies to, where it was forwarded from.
//!
//! It is read field by field from the JSON that Telegram sent, not with teloxide: teloxide's `Message` fits one version
//! of the Bot API, and a field that has changed since would take the person's words with it. Here only that field is
//! missing. The content apart from the words is `content`'s.

use std::ops::Range;

use serde_json::Value;
use teloxide::types::Me;

use crate::domain::id::{ChatId, ChatThread, MessageId, ThreadId, UserId};
use crate::domain::update::{Content, Link, Message, Origin, Replied, Text};
use crate::telegram::{content, rich_message};

/// `None` if it has no chat or no id.
pub fn read(raw: &Value, me: &Me) -> Option<Message> {
    Some(Message {
        at: ChatThread {
            chat: ChatId(raw["chat"]["id"].as_i64()?),
            thread: topic_of(raw),
        },
        id: id_of(raw)?,
        sender: sender_of(raw),
        writes_as: raw["sender_chat"]["id"].as_i64().map(ChatId),
        sender_name: name_of(&raw["from"]),
        sent_at: raw["date"].as_i64().unwrap_or(0),
        text: text_of(raw, me),
        content: content::content_of(raw),
        buttons: buttons_of(raw),
        quote: quote_in(raw, me),
        replies_to: replied_in(raw, me),
        forwarded_from: origin_of(&raw["forward_origin"]),
        inline_bot: inline_bot_of(&raw["via_bot"]),
        album: raw["media_group_id"].as_str().map(str::to_owned),
    })
}

fn id_of(raw: &Value) -> Option<MessageId> {
    let id = raw["message_id"].as_i64()?;
    i32::try_from(id).ok().map(MessageId)
}

/// Somebody who writes as the group or a channel has a stand-in user, which no list can name.
fn sender_of(raw: &Value) -> Option<UserId> {
    let is_stand_in = !raw["sender_chat"].is_null();
    raw["from"]["id"]
        .as_u64()
        .filter(|_| !is_stand_in)
        .map(UserId)
}

/// A person with their `@name`. Bot API: `User`.
fn name_of(user: &Value) -> String {
    let field = |name: &str| user[name].as_str().unwrap_or_default();
    let full = format!("{} {}", field("first_name"), field("last_name"));
    match field("username") {
        "" => full.trim().to_owned(),
        username => format!("{} (@{username})", full.trim()),
    }
}

/// A plain supergroup's replies carry a `message_thread_id` too: only the flag says that it is a topic.
pub(super) fn topic_of(raw: &Value) -> Option<ThreadId> {
    let thread = raw["message_thread_id"].as_i64()?;
    let thread = i32::try_from(thread).ok()?;
    (raw["is_topic_message"] == true).then_some(ThreadId(thread))
}

fn text_of(raw: &Value, me: &Me) -> Text {
    for (words, entities) in [("text", "entities"), ("caption", "caption_entities")] {
        if let Some(text) = raw[words].as_str() {
            return Text {
                text: text.to_owned(),
                mentions: mentions(text, &raw[entities], me),
                links: links(text, &raw[entities]),
            };
        }
    }
    let rich = rich_message::read(&raw["rich_message"]).unwrap_or_default();
    Text {
        mentions: rich_mentions(&raw["rich_message"], &rich.text, me),
        text: rich.text,
        links: Vec::new(),
    }
}

/// The first place of each form in which a rich message mentions this bot.
fn rich_mentions(rich: &Value, text: &str, me: &Me) -> Vec<Range<usize>> {
    let mut forms = Vec::new();
    find_mentions(rich, me, &mut forms);
    forms
        .into_iter()
        .filter(|words| !words.is_empty())
        .filter_map(|words| {
            let start = text.find(words)?;
            Some(start..start + words.len())
        })
        .collect()
}

fn find_mentions<'a>(rich: &'a Value, me: &Me, forms: &mut Vec<&'a str>) {
    match rich {
        Value::Array(items) => items.iter().for_each(|item| find_mentions(item, me, forms)),
        Value::Object(fields) => {
            if let Some(words) = rich["text"].as_str()
                && is_mention(rich, words, me)
            {
                forms.push(words);
            }
            fields
                .values()
                .for_each(|field| find_mentions(field, me, forms));
        }
        _ => {}
    }
}

/// Bot API: `MessageEntity`, or a part of `RichText`.
fn is_mention(entity: &Value, words: &str, me: &Me) -> bool {
    let username = me.user.username.as_deref().unwrap_or_default();
    match entity["type"].as_str() {
        Some("mention") => words
            .strip_prefix('@')
            .is_some_and(|name| name.eq_ignore_ascii_case(username)),
        Some("text_mention") => entity["user"]["id"].as_u64() == Some(me.user.id.0),
        _ => false,
    }
}

fn quote_in(raw: &Value, me: &Me) -> Option<Text> {
    let quote = &raw["quote"];
    quote["text"].is_string().then(|| text_of(quote, me))
}

/// The mentions of this bot: `@username`, or a link to it.
fn mentions(text: &str, entities: &Value, me: &Me) -> Vec<Range<usize>> {
    all(entities)
        .filter_map(|entity| {
            let range = range_of(entity, text)?;
            is_mention(entity, &text[range.clone()], me).then_some(range)
        })
        .collect()
}

/// The addresses behind words, unless the words are the address.
fn links(text: &str, entities: &Value) -> Vec<Link> {
    all(entities)
        .filter(|entity| entity["type"] == "text_link")
        .filter_map(|entity| {
            let words = &text[range_of(entity, text)?];
            link(words, &entity["url"])
        })
        .collect()
}

/// The buttons that open an address. Bot API: `InlineKeyboardButton`.
fn buttons_of(raw: &Value) -> Vec<Link> {
    all(&raw["reply_markup"]["inline_keyboard"])
        .flat_map(all)
        .filter_map(|button| {
            let address = [
                &button["url"],
                &button["login_url"]["url"],
                &button["web_app"]["url"],
            ];
            let address = address.into_iter().find(|address| address.is_string())?;
            link(button["text"].as_str().unwrap_or_default(), address)
        })
        .collect()
}

fn link(words: &str, address: &Value) -> Option<Link> {
    let address = address.as_str().filter(|address| !address.is_empty())?;
    let is_shown = words.trim().trim_end_matches('/') == address.trim_end_matches('/');
    (!is_shown).then(|| Link {
        words: words.to_owned(),
        address: address.to_owned(),
    })
}

fn all(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn range_of(entity: &Value, text: &str) -> Option<Range<usize>> {
    let unit = |name: &str| usize::try_from(entity[name].as_u64()?).ok();
    bytes_of(text, unit("offset")?, unit("length")?)
}

/// Converts the Bot API's UTF-16 units to bytes; `None` if they do not fit the text.
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

/// The answered message, of this chat or of another one, or a story.
fn replied_in(raw: &Value, me: &Me) -> Option<Replied> {
    let answered = &raw["reply_to_message"];
    // In a topic every message without an explicit reply answers the message that made the topic.
    if answered.is_object() && answered.get("forum_topic_created").is_none() {
        let author = match &answered["sender_chat"] {
            Value::Null => name_of(&answered["from"]),
            chat => title_of(chat),
        };
        return Some(Replied {
            message: id_of(answered),
            is_the_bots: answered["from"]["id"].as_u64() == Some(me.user.id.0),
            sender: sender_of(answered),
            author,
            text: text_of(answered, me),
            content: content::content_of(answered),
            buttons: buttons_of(answered),
        });
    }
    let (content, author) = match (&raw["external_reply"], &raw["reply_to_story"]) {
        (Value::Null, Value::Null) => return None,
        (Value::Null, story) => (
            Content::Impossible("story".into()),
            title_of(&story["chat"]),
        ),
        (external, _) => (
            content::content_of(external),
            author_of(origin_of(&external["origin"])),
        ),
    };
    Some(Replied {
        message: None,
        is_the_bots: false,
        sender: None,
        author,
        text: Text::default(),
        content,
        buttons: Vec::new(),
    })
}

fn author_of(origin: Option<Origin>) -> String {
    match origin {
        Some(Origin::Person(name) | Origin::Group(name)) => name,
        Some(Origin::Channel { title, .. }) => title,
        Some(Origin::Unknown) | None => String::new(),
    }
}

/// Bot API: `Chat`.
fn title_of(chat: &Value) -> String {
    match chat["title"].as_str() {
        Some(title) => title.to_owned(),
        None => name_of(chat),
    }
}

/// Bot API: `User`.
fn inline_bot_of(bot: &Value) -> Option<String> {
    if bot.is_null() {
        return None;
    }
    Some(match bot["username"].as_str() {
        Some(username) => format!("@{username}"),
        None => name_of(bot),
    })
}

/// Bot API: `MessageOrigin`.
fn origin_of(origin: &Value) -> Option<Origin> {
    if origin.is_null() {
        return None;
    }
    Some(match origin["type"].as_str().unwrap_or_default() {
        "user" => Origin::Person(name_of(&origin["sender_user"])),
        "hidden_user" => Origin::Person(
            origin["sender_user_name"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        ),
        "chat" => Origin::Group(title_of(&origin["sender_chat"])),
        "channel" => Origin::Channel {
            title: title_of(&origin["chat"]),
            signature: origin["author_signature"].as_str().map(str::to_owned),
        },
        _ => Origin::Unknown,
    })
}
