//! What stands below a message: its buttons, or a reply field that the client opens.

use serde_json::{Value, json};

use crate::domain::button::{Button, ButtonStyle};
use crate::domain::outgoing::{Outgoing, WantsReply};
use crate::domain::shown::one_line;

/// How long a button's label may be, in characters.
const LABEL_SHOWN: usize = 60;
/// How much of a command its button shows, in characters.
const COMMAND_SHOWN: usize = 40;

/// Bot API: `reply_markup` of a new message's last part.
pub(super) fn markup(message: &Outgoing, commands: &[String]) -> Option<Value> {
    if !(message.buttons.is_empty() && commands.is_empty()) {
        return Some(inline(&message.buttons, commands));
    }
    let whose = message.wants_reply?;
    Some(json!({"force_reply": true, "selective": whose == WantsReply::OfAsker}))
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

/// Servers older than 9.4 do not read `style`.
fn drawn(button: &Button, is_main: bool) -> Value {
    let mut drawn = json!({
        "text": one_line(&button.label, LABEL_SHOWN),
        "callback_data": button.press.data(),
    });
    match button.press.style() {
        Some(ButtonStyle::Primary) if !is_main => {}
        Some(style) => drawn["style"] = json!(style.name()),
        None => {}
    }
    drawn
}
