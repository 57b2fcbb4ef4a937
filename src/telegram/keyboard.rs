//! What stands below a message: its buttons, or a reply field that the client opens.
//!
//! A local server may be older than what is drawn here. What such a server refuses is left out for the rest of the
//! process ([`leaves_out`]).

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use super::api::ApiError;
use crate::domain::button::{Button, ButtonStyle};
use crate::domain::id::ChatId;
use crate::domain::outgoing::{Outgoing, WantsReply};
use crate::redact::short::one_line;

/// How long a button's label may be, in characters.
const LABEL_SHOWN: usize = 60;
/// How much of a command its button shows, in characters.
const COMMAND_SHOWN: usize = 40;

/// The server is older than 10.3: to it, a grey button is one that does nothing, and it refuses the keyboard.
static HAS_NO_GREY_BUTTONS: AtomicBool = AtomicBool::new(false);

/// Whether the refusal is about something that an older server does not know. From now on that is left out.
pub(super) fn leaves_out(error: &ApiError) -> bool {
    error.says("inline keyboard button") && !HAS_NO_GREY_BUTTONS.swap(true, Ordering::Relaxed)
}

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
    let without_grey = HAS_NO_GREY_BUTTONS.load(Ordering::Relaxed);
    let buttons: Vec<&Button> = buttons
        .iter()
        .filter(|button| !(button.is_over && without_grey))
        .collect();
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
    let mut drawn = json!({"text": text, "callback_data": button.press.data()});
    match button.press.style() {
        Some(ButtonStyle::Primary) if !is_main => {}
        // A server older than 9.4 does not read it.
        Some(style) => drawn["style"] = json!(style.name()),
        None => {}
    }
    drawn
}
