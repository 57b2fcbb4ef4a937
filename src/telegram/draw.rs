//! A message of ours as what the Bot API sends: texts with entities, or a file.

use std::panic::{AssertUnwindSafe, catch_unwind};

use fail::fail_point;
use tracing::error;

use super::markdown;
use super::rich::{CAPTION_UNITS, MESSAGE_UNITS, Rich, Style};
use crate::chat::{Body, Outgoing};

/// An answer of more parts comes as its first part and the whole of it as a file.
const MOST_PARTS: usize = 3;

/// One call's worth of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    Text(Rich),
    File {
        name: String,
        content: String,
        caption: Rich,
    },
}

/// The parts of a message, in their order; at least one. The same message always gives the same parts, so
/// that a sender can go on where it stopped.
///
/// A message that cannot be drawn is not held up by it: it comes as the text that it was made from.
pub fn parts(message: &Outgoing) -> Vec<Part> {
    catch_unwind(AssertUnwindSafe(|| drawn(message))).unwrap_or_else(|panic| {
        let panic = crate::store::panic_text(panic.as_ref());
        error!(
            panic,
            "a message could not be drawn; it is sent as plain text"
        );
        undrawn(message)
    })
}

fn drawn(message: &Outgoing) -> Vec<Part> {
    fail_point!("draw");
    match &message.body {
        Body::Note { text, quoted } => {
            let mut rich = headed(message);
            rich.push(text, None);
            if let Some(quoted) = quoted {
                rich.push("\n\n", None);
                rich.push(quoted.trim_end(), Some(Style::Pre { language: None }));
            }
            texts(rich)
        }
        Body::Answer { markdown, footer } => answer(headed(message), markdown, footer),
        Body::File {
            name,
            content,
            caption,
        } => vec![Part::File {
            name: name.clone(),
            content: content.clone(),
            caption: caption_of(message, caption),
        }],
    }
}

/// As little as can be done to a message.
fn undrawn(message: &Outgoing) -> Vec<Part> {
    let text = match &message.body {
        Body::Note { text, quoted } => match quoted {
            Some(quoted) => format!("{text}\n\n{quoted}"),
            None => text.clone(),
        },
        Body::Answer { markdown, footer } => format!("{markdown}\n\n{footer}"),
        Body::File {
            content, caption, ..
        } => format!("{caption}\n\n{content}"),
    };
    texts(Rich::plain(text))
}

/// The line above a message, where it has one.
fn headed(message: &Outgoing) -> Rich {
    let mut rich = Rich::default();
    if let Some(preface) = &message.preface {
        rich.push(preface, Some(Style::Italic));
        rich.push("\n\n", None);
    }
    rich
}

fn answer(mut rich: Rich, markdown: &str, footer: &str) -> Vec<Part> {
    rich.append(markdown::render(markdown));
    if !rich.text.is_empty() {
        rich.push("\n\n", None);
    }
    rich.push(footer, Some(Style::Italic));
    let mut parts = rich.split(MESSAGE_UNITS);
    if parts.len() <= MOST_PARTS {
        return parts.into_iter().map(Part::Text).collect();
    }
    vec![
        Part::Text(parts.swap_remove(0)),
        Part::File {
            name: "answer.md".to_owned(),
            content: markdown.to_owned(),
            caption: clipped(Rich::plain(format!("The whole answer. {footer}"))),
        },
    ]
}

fn texts(rich: Rich) -> Vec<Part> {
    let parts = rich.split(MESSAGE_UNITS);
    if parts.is_empty() {
        // Telegram takes no blank message, and nothing of ours is meant to be one.
        return vec![Part::Text(Rich::plain("…"))];
    }
    parts.into_iter().map(Part::Text).collect()
}

fn caption_of(message: &Outgoing, caption: &str) -> Rich {
    let mut rich = headed(message);
    rich.push(caption, None);
    clipped(rich)
}

fn clipped(caption: Rich) -> Rich {
    caption
        .split(CAPTION_UNITS)
        .into_iter()
        .next()
        .unwrap_or_default()
}
