//! What stands below a message: its buttons, or a reply field that the client opens.
//!
//! A local server may be older than what is drawn here: before 10.3 it refuses a keyboard with a grey button, which is
//! then drawn without.

use serde_json::{Value, json};

use crate::domain::button::{Button, ButtonStyle, Press};
use crate::domain::id::ChatId;
use crate::domain::outgoing::{Outgoing, WantsReply};
use crate::redact::short::one_line;

/// How long a button's label may be, in characters.
const LABEL_SHOWN: usize = 60;
/// How much of a command its button shows, in characters.
const COMMAND_SHOWN: usize = 40;

/// Bot API: `reply_markup` of a new message's last part.
pub(super) fn markup(message: &Outgoing, commands: &[String], chat: ChatId) -> Option<Value> {
    if !(message.buttons.is_empty() && commands.is_empty()) {
        return Some(beside_reply(message, commands, chat));
    }
    let whose = message.wants_reply?;
    Some(json!({"force_reply": true, "selective": whose == WantsReply::OfAsker}))
}

/// As [`markup`], for a message that replaces one. Telegram does not change whether a message opens a reply.
pub(super) fn edited(message: &Outgoing, commands: &[String], chat: ChatId) -> Value {
    beside_reply(message, commands, chat)
}

/// A keyboard without its grey buttons.
pub(super) fn without_grey(mut markup: Value) -> Value {
    if let Some(rows) = markup
        .get_mut("inline_keyboard")
        .and_then(Value::as_array_mut)
    {
        for row in rows.iter_mut().filter_map(Value::as_array_mut) {
            row.retain(|button| button.get("disabled").is_none());
        }
        rows.retain(|row| row.as_array().is_some_and(|row| !row.is_empty()));
    }
    markup
}

/// Buttons, and the reply field that may stand beside them (10.3; an older server does not read it). There it cannot be
/// `selective`: in a group, everybody's client would open it.
fn beside_reply(message: &Outgoing, commands: &[String], chat: ChatId) -> Value {
    let mut markup = inline(&message.buttons, commands);
    if message.wants_reply.is_some() && !message.buttons.is_empty() && !chat.is_group() {
        markup["force_reply"] = json!(true);
    }
    markup
}

/// Bot API: `InlineKeyboardMarkup`; a few buttons in one row, many below one another, and a row for each command that
/// can be copied (`CopyTextButton`).
pub(super) fn inline(buttons: &[Button], commands: &[String]) -> Value {
    const SIDE_BY_SIDE: usize = 3;
    /// A phone cuts longer rows.
    const LETTERS_SIDE_BY_SIDE: usize = 36;
    let main = buttons
        .iter()
        .position(|button| button.press.style() == Some(ButtonStyle::Primary));
    let drawn: Vec<Value> = buttons
        .iter()
        .enumerate()
        .map(|(place, button)| drawn(button, main == Some(place)))
        .collect();
    let letters: usize = buttons
        .iter()
        .map(|button| button.label.chars().count())
        .sum();
    let in_a_row = match drawn.len() {
        0..=SIDE_BY_SIDE if letters <= LETTERS_SIDE_BY_SIDE => SIDE_BY_SIDE,
        _ => 1,
    };
    let copies = commands.iter().map(|command| {
        let label = format!("Copy: {}", one_line(command, COMMAND_SHOWN));
        vec![json!({"text": label, "copy_text": {"text": command}})]
    });
    let rows: Vec<Vec<Value>> = drawn
        .chunks(in_a_row)
        .map(<[Value]>::to_vec)
        .chain(copies)
        .collect();
    json!({"inline_keyboard": rows})
}

/// Bot API: `InlineKeyboardButton`. A grey one has `disabled` in the place of its data.
fn drawn(button: &Button, is_main: bool) -> Value {
    let text = one_line(&button.label, LABEL_SHOWN);
    if button.is_over {
        return json!({"text": text, "disabled": {}});
    }
    if let Press::Open { url, in_telegram } = &button.press {
        return match in_telegram {
            true => json!({"text": text, "web_app": {"url": url}}),
            false => json!({"text": text, "url": url}),
        };
    }
    let mut drawn = json!({"text": text, "callback_data": button.press.data()});
    match button.press.style() {
        Some(ButtonStyle::Primary) if !is_main => {}
        // A server older than 9.4 does not read it.
        Some(style) => drawn["style"] = json!(style.name()),
        None => {}
    }
    drawn
}
