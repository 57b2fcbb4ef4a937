//! A message of ours as what the Bot API sends: texts with entities, or a file.

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
pub fn parts(message: &Outgoing) -> Vec<Part> {
    match &message.body {
        Body::Note { text, quoted } => {
            let mut rich = Rich::plain(text.as_str());
            if let Some(quoted) = quoted {
                rich.push("\n\n", None);
                rich.push(quoted.trim_end(), Some(Style::Pre { language: None }));
            }
            texts(rich)
        }
        Body::Answer { markdown, footer } => answer(markdown, footer),
        Body::File {
            name,
            content,
            caption,
        } => vec![Part::File {
            name: name.clone(),
            content: content.clone(),
            caption: caption_of(caption),
        }],
    }
}

fn answer(markdown: &str, footer: &str) -> Vec<Part> {
    let mut rich = markdown::render(markdown);
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
            caption: caption_of(&format!("The whole answer. {footer}")),
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

fn caption_of(text: &str) -> Rich {
    Rich::plain(text)
        .split(CAPTION_UNITS)
        .into_iter()
        .next()
        .unwrap_or_default()
}
