//! Checks texts, entities, buttons and files as the Bot API's server does.

use serde_json::Value;

use super::{Does, Key, Version};

/// A refusal: code and text.
#[derive(Debug)]
pub(super) struct Refusal(pub u16, pub String);

pub(super) fn bad(text: &str) -> Refusal {
    Refusal(400, format!("Bad Request: {text}"))
}

pub(super) fn checked_text(
    arguments: &Value,
    field: &str,
    limit: usize,
) -> Result<String, Refusal> {
    let text = arguments[field].as_str().unwrap_or_default();
    if text.trim().is_empty() {
        return Err(bad(&format!("message {field} must be non-empty")));
    }
    if text.encode_utf16().count() > limit {
        return Err(bad("message is too long"));
    }
    Ok(text.to_owned())
}

/// Entities are in range, split no surrogate pair, are not in or across code, and do not half overlap.
pub(super) fn checked_entities(
    entities: &Value,
    text: &str,
    version: Version,
) -> Result<Vec<Value>, Refusal> {
    let mut entities = match entities {
        Value::Null => return Ok(Vec::new()),
        Value::Array(entities) => entities.clone(),
        _ => return Err(bad("can't parse entities: not an array")),
    };
    if entities.len() > 100 {
        return Err(bad("too many entities"));
    }
    if version == Version::Old {
        entities.retain(|entity| entity["type"] != "date_time");
    }
    let units: Vec<u16> = text.encode_utf16().collect();
    let mut ranges: Vec<(usize, usize, &str)> = Vec::new();
    for entity in &entities {
        let number = |name: &str| entity[name].as_u64().and_then(|n| usize::try_from(n).ok());
        let (Some(offset), Some(length)) = (number("offset"), number("length")) else {
            return Err(bad("can't parse entities: no offset or length"));
        };
        let end = offset + length;
        if length == 0 || end > units.len() {
            return Err(bad("entity is out of range"));
        }
        let splits = |at: usize| {
            units
                .get(at)
                .is_some_and(|unit| (0xdc00..0xe000).contains(unit))
        };
        if splits(offset) || splits(end) {
            return Err(bad("entity begins or ends inside a character"));
        }
        checked_kind(entity)?;
        ranges.push((offset, end, entity["type"].as_str().unwrap_or_default()));
    }
    for (index, a) in ranges.iter().enumerate() {
        for b in &ranges[index + 1..] {
            let apart = a.1 <= b.0 || b.1 <= a.0;
            let nested = (a.0 <= b.0 && b.1 <= a.1) || (b.0 <= a.0 && a.1 <= b.1);
            let is_quote = |kind: &str| kind.ends_with("blockquote");
            let is_code = |kind: &str| matches!(kind, "code" | "pre");
            let in_code = (is_code(a.2) && !is_quote(b.2)) || (is_code(b.2) && !is_quote(a.2));
            if !apart && (!nested || in_code) {
                return Err(bad("entities overlap"));
            }
        }
    }
    Ok(entities)
}

fn checked_kind(entity: &Value) -> Result<(), Refusal> {
    const KNOWN: [&str; 8] = [
        "bold",
        "italic",
        "strikethrough",
        "code",
        "pre",
        "text_link",
        "blockquote",
        "expandable_blockquote",
    ];
    match entity["type"].as_str().unwrap_or_default() {
        kind if KNOWN.contains(&kind) => Ok(()),
        "date_time" => {
            let is_time = entity["unix_time"].as_i64().is_some_and(|time| time > 0);
            let format = entity["date_time_format"].as_str();
            match is_time && format.is_some_and(is_time_format) {
                true => Ok(()),
                false => Err(bad("can't parse entities: invalid date_time")),
            }
        }
        kind => Err(bad(&format!(
            "can't parse entities: unsupported type \"{kind}\""
        ))),
    }
}

/// Bot API: `r|w?[dD]?[tT]?`
fn is_time_format(format: &str) -> bool {
    let rest = format.strip_prefix('w').unwrap_or(format);
    let rest = rest.strip_prefix(['d', 'D']).unwrap_or(rest);
    let rest = rest.strip_prefix(['t', 'T']).unwrap_or(rest);
    rest.is_empty() || format == "r"
}

/// The most buttons below one message.
const MOST_BUTTONS: usize = 100;

pub(super) fn checked_keys(markup: &Value, version: Version) -> Result<Vec<Key>, Refusal> {
    let rows = markup["inline_keyboard"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let buttons: Vec<&Value> = rows.iter().filter_map(Value::as_array).flatten().collect();
    if buttons.len() > MOST_BUTTONS {
        return Err(bad("reply markup is too long"));
    }
    let key = |button| checked_key(button, version);
    buttons.into_iter().map(key).collect()
}

/// Of the fields that say what a button does it has exactly one.
fn checked_key(button: &Value, version: Version) -> Result<Key, Refusal> {
    let text = button["text"].as_str().unwrap_or_default().trim();
    let has = |field: &&str| !button[*field].is_null();
    if text.is_empty() {
        return Err(bad(
            "can't parse inline keyboard button: text must be non-empty",
        ));
    }
    let known: &[&str] = match version {
        Version::Old => &["callback_data", "copy_text", "url", "web_app"],
        Version::New => &["callback_data", "copy_text", "url", "web_app", "disabled"],
    };
    let kinds: Vec<&str> = known.iter().copied().filter(has).collect();
    let does = match kinds[..] {
        [] => {
            return Err(bad(
                "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
            ));
        }
        ["callback_data"] => match button["callback_data"].as_str() {
            Some(data) if (1..=64).contains(&data.len()) => Does::Calls(data.to_owned()),
            _ => return Err(bad("BUTTON_DATA_INVALID")),
        },
        ["copy_text"] => match button["copy_text"]["text"].as_str() {
            Some(copied) if (1..=256).contains(&copied.encode_utf16().count()) => {
                Does::Copies(copied.to_owned())
            }
            _ => return Err(bad("BUTTON_COPY_TEXT_INVALID")),
        },
        ["url"] => match button["url"].as_str() {
            Some(url) if is_public_address(url) => Does::Opens(url.to_owned()),
            _ => return Err(bad("BUTTON_URL_INVALID")),
        },
        ["web_app"] => match button["web_app"]["url"].as_str() {
            Some(url) if url.starts_with("https://") => Does::Opens(url.to_owned()),
            _ => return Err(bad("BUTTON_URL_INVALID")),
        },
        ["disabled"] if button["disabled"].is_object() => Does::Nothing,
        ["disabled"] => {
            return Err(bad(
                "can't parse inline keyboard button: Field \"disabled\" must be of type Object",
            ));
        }
        _ => return Err(bad("a button does more than one thing")),
    };
    Ok(Key {
        text: text.to_owned(),
        style: checked_style(&button["style"], version)?,
        does,
    })
}

/// Bot API: HTTP or tg:// URLs; Telegram takes no name without a dot, such as localhost.
fn is_public_address(url: &str) -> bool {
    let behind = url.strip_prefix("https://").or(url.strip_prefix("http://"));
    let host = behind.and_then(|behind| behind.split(['/', '?', '#', ':']).next());
    host.is_some_and(|host| host.contains('.')) || url.starts_with("tg://")
}

fn checked_style(style: &Value, version: Version) -> Result<Option<String>, Refusal> {
    match style {
        _ if version == Version::Old => Ok(None),
        Value::Null => Ok(None),
        Value::String(style) if ["primary", "success", "danger"].contains(&style.as_str()) => {
            Ok(Some(style.clone()))
        }
        _ => Err(bad(
            "can't parse inline keyboard button: invalid button style specified",
        )),
    }
}

pub(super) fn checked_file(
    file: Option<(String, Vec<u8>)>,
    kind: &str,
) -> Result<(String, Vec<u8>), Refusal> {
    match file {
        None => Err(bad(&format!("there is no {kind} in the request"))),
        Some((_, content)) if content.is_empty() => Err(bad("file must be non-empty")),
        Some(file) => Ok(file),
    }
}

/// Checks the dimensions of a PNG; trusts a JPEG and a WebP.
pub(super) fn checked_photo(file: (String, Vec<u8>)) -> Result<(String, Vec<u8>), Refusal> {
    const LARGEST: usize = 10 * 1024 * 1024;
    let content = &file.1;
    if content.len() > LARGEST {
        return Err(bad(&format!(
            "file of size {} bytes is too big for a photo; the maximum size is {LARGEST} bytes",
            content.len()
        )));
    }
    let number = |at: usize| {
        let bytes = content.get(at..at + 4)?;
        Some(u32::from_be_bytes(bytes.try_into().ok()?))
    };
    if content.starts_with(b"\x89PNG\r\n\x1a\n") {
        let (Some(width), Some(height)) = (number(16), number(20)) else {
            return Err(bad("IMAGE_PROCESS_FAILED"));
        };
        let (long, short) = (width.max(height), width.min(height));
        if short == 0 || u64::from(width) + u64::from(height) > 10_000 || long / short > 20 {
            return Err(bad("PHOTO_INVALID_DIMENSIONS"));
        }
        return Ok(file);
    }
    let is_known = content.starts_with(b"\xff\xd8\xff") || content.starts_with(b"RIFF");
    match is_known {
        true => Ok(file),
        false => Err(bad("IMAGE_PROCESS_FAILED")),
    }
}

/// Bot API: `force_reply` of `ForceReply`, and of `InlineKeyboardMarkup`, where an old server does not read it.
pub(super) fn checked_force_reply(markup: &Value, version: Version) -> Result<bool, Refusal> {
    match (&markup["force_reply"], &markup["inline_keyboard"]) {
        (Value::Null, _) => Ok(false),
        (Value::Bool(forces), Value::Array(_)) => Ok(*forces && version == Version::New),
        (Value::Bool(true), Value::Null) => Ok(true),
        _ => Err(bad("Field \"force_reply\" must be of type Boolean")),
    }
}
