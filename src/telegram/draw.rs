//! Turns a message into what the Bot API sends: texts with entities, or a file.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use bytes::Bytes;
use fail::fail_point;
use tracing::error;

use super::markdown;
use super::rich::{CAPTION_UNITS, MESSAGE_UNITS, Rich, Style};
use super::times;
use crate::chat::questions;
use crate::domain::outgoing::{Body, Code, Folded, Outgoing, Stored};
use crate::redact::Redactor;

/// An answer with more parts is sent as its first part and one file with the whole.
const MOST_PARTS: usize = 3;
/// How many files of an answer are sent; the whole answer has the others.
const MOST_FILES: usize = 5;
/// How many commands of an answer get a button.
const MOST_COMMANDS: usize = 3;
/// Of a longer answer only the beginning is drawn, enough for its first part; in bytes.
const DRAWN_WHOLE: usize = 64 * 1024;
const DRAWN_BEGINNING: usize = 24 * 1024;

/// One call's worth of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    Text(Rich),
    File {
        name: String,
        /// Cheap to clone.
        content: Bytes,
        caption: Rich,
    },
    /// A file of this machine.
    Stored {
        path: PathBuf,
        name: String,
        caption: Rich,
        is_picture: bool,
    },
}

/// A message as it is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drawn {
    /// In their order; at least one.
    pub parts: Vec<Part>,
    /// Each gets a button below the last part, which copies it.
    pub commands: Vec<String>,
}

impl Drawn {
    /// Removes secrets that only drawing reveals: Markdown can disguise one. A text with a secret loses its formatting.
    pub fn take_secrets_out(&mut self, redactor: &Redactor) {
        for part in &mut self.parts {
            let (Part::Text(text)
            | Part::File { caption: text, .. }
            | Part::Stored { caption: text, .. }) = part;
            if let Cow::Owned(clean) = redactor.text(&text.text) {
                *text = Rich::plain(clean);
            }
        }
        self.commands.iter_mut().for_each(|it| redactor.clean(it));
    }
}

/// Draws a message. The same message always gives the same parts, so that a sender can resume.
///
/// A text sent as a file is moved out of the message: it may be very long.
///
/// A message that cannot be drawn is sent as its plain source text.
pub fn draw(message: &mut Outgoing) -> Drawn {
    catch_unwind(AssertUnwindSafe(|| drawn(message))).unwrap_or_else(|panic| {
        let panic = crate::store::panic_text(panic.as_ref());
        error!(
            panic,
            "a message could not be drawn; it is sent as plain text"
        );
        undrawn(message)
    })
}

fn drawn(message: &mut Outgoing) -> Drawn {
    fail_point!("draw");
    let head = headed(message);
    match &mut message.body {
        Body::Note { text, quoted } => {
            let mut rich = head;
            times::push(&mut rich, text, &message.times);
            if let Some(quoted) = quoted {
                rich.push("\n\n", None);
                rich.push(quoted.trim_end(), Some(Style::Pre { language: None }));
            }
            texts(&rich)
        }
        Body::Evidence { text, folded } => {
            let mut rich = head;
            rich.push(text, None);
            for folded in folded {
                // A line of its own keeps two quotes from becoming one.
                rich.push("\n\n", None);
                rich.append(quote(folded));
            }
            texts(&rich)
        }
        Body::Answer { markdown, footer } => answer(head, markdown, footer),
        Body::Question { text, code, below } => question(head, text, code.as_ref(), below),
        Body::File {
            name,
            content,
            caption,
        } => Drawn {
            parts: vec![Part::File {
                name: name.clone(),
                content: Bytes::from(std::mem::take(content)),
                caption: caption_of(head, caption),
            }],
            commands: Vec::new(),
        },
        Body::Stored(file) => stored(file, caption_of(head, &file.caption)),
    }
}

fn stored(file: &Stored, caption: Rich) -> Drawn {
    Drawn {
        parts: vec![Part::Stored {
            path: file.path.clone(),
            name: file.name.clone(),
            caption,
            is_picture: file.is_picture,
        }],
        commands: Vec::new(),
    }
}

/// A message as plain text.
fn undrawn(message: &Outgoing) -> Drawn {
    let text = match &message.body {
        Body::Note { text, quoted } => match quoted {
            Some(quoted) => format!("{text}\n\n{quoted}"),
            None => text.clone(),
        },
        Body::Answer { markdown, footer } => format!("{markdown}\n\n{footer}"),
        Body::Evidence { text, folded } => folded.iter().fold(text.clone(), |all, folded| {
            format!("{all}\n\n{}\n{}", folded.title, folded.text)
        }),
        Body::Question { text, code, below } => {
            let code = code.as_ref().map_or("", |code| code.text.as_str());
            format!("{text}\n\n{code}\n\n{below}")
        }
        Body::File {
            content, caption, ..
        } => format!("{caption}\n\n{content}"),
        Body::Stored(file) => return stored(file, clipped(&Rich::plain(file.caption.clone()))),
    };
    texts(&Rich::plain(text))
}

/// One message, which an edit can replace; if it is too long, the code is cut first.
fn question(head: Rich, text: &str, code: Option<&Code>, below: &str) -> Drawn {
    let units = |text: &str| text.encode_utf16().count();
    let mut rich = head;
    let room = MESSAGE_UNITS.saturating_sub(units(&rich.text) + units(below) + 10);
    rich.push(cut(text.trim(), room), None);
    if units(text.trim()) > room {
        rich.push("…", None);
    }
    if let Some(code) = code {
        let room = MESSAGE_UNITS.saturating_sub(units(&rich.text) + units(below) + 10);
        let room = room.min(questions::SHOWN);
        let style = Style::Pre {
            language: code.language.clone(),
        };
        rich.push("\n\n", None);
        rich.push(cut(code.text.trim_end(), room), Some(style));
        if units(&code.text) > room {
            rich.push("\n…", None);
        }
    }
    if !below.is_empty() {
        rich.push("\n\n", None);
        rich.push(below, None);
    }
    Drawn {
        parts: rich
            .first_parts(MESSAGE_UNITS, 1)
            .into_iter()
            .map(Part::Text)
            .collect(),
        commands: Vec::new(),
    }
}

/// The first `units` UTF-16 units of a text, cut at a line's end if that keeps more than half.
fn cut(text: &str, units: usize) -> &str {
    let mut room = units;
    let end = text.char_indices().find(|(_, character)| {
        let fits = character.len_utf16() <= room;
        room = room.saturating_sub(character.len_utf16());
        !fits
    });
    let Some((end, _)) = end else {
        return text;
    };
    match text[..end].rfind('\n') {
        Some(line) if line > end / 2 => &text[..line],
        _ => &text[..end],
    }
}

/// A folded quote, which opens at a touch; its title is seen first.
fn quote(folded: &Folded) -> Rich {
    let text = folded.text.trim_end();
    let mut rich = Rich::plain(format!("{}\n{text}", folded.title));
    let all = 0..rich.text.len();
    rich.styles.push((all, Style::Quote { folded: true }));
    rich.styles.push((0..folded.title.len(), Style::Bold));
    rich
}

/// The line above a message, if it has one.
fn headed(message: &Outgoing) -> Rich {
    let mut rich = Rich::default();
    if let Some(preface) = &message.preface {
        rich.push(preface, Some(Style::Italic));
        rich.push("\n\n", None);
    }
    rich
}

fn answer(mut rich: Rich, markdown: &mut String, footer: &str) -> Drawn {
    if markdown.len() > DRAWN_WHOLE {
        rich.append(markdown::render_beginning(markdown, DRAWN_BEGINNING));
        return beginning_and_whole(&rich, markdown, footer, Vec::new());
    }
    let rendered = markdown::render(markdown);
    rich.append(rendered.text);
    let mut files: Vec<Part> = rendered.files.into_iter().map(file).collect();
    let too_many_files = files.len() > MOST_FILES;
    files.truncate(MOST_FILES);
    let mut with_footer = rich.clone();
    if !with_footer.text.is_empty() {
        with_footer.push("\n\n", None);
    }
    with_footer.push(footer, Some(Style::Italic));
    let parts = with_footer.first_parts(MESSAGE_UNITS, MOST_PARTS + 1);
    if parts.len() > MOST_PARTS || too_many_files {
        return beginning_and_whole(&rich, markdown, footer, files);
    }
    let mut commands = rendered.commands;
    commands.dedup();
    commands.truncate(MOST_COMMANDS);
    Drawn {
        parts: parts.into_iter().map(Part::Text).chain(files).collect(),
        commands,
    }
}

/// The first part of a very long answer, its files, and the whole as a file.
fn beginning_and_whole(
    rich: &Rich,
    markdown: &mut String,
    footer: &str,
    files: Vec<Part>,
) -> Drawn {
    let first = rich.first_parts(MESSAGE_UNITS, 1);
    let whole = Part::File {
        name: "answer.md".to_owned(),
        content: Bytes::from(std::mem::take(markdown)),
        caption: clipped(&Rich::plain(format!("The whole answer. {footer}"))),
    };
    Drawn {
        parts: first
            .into_iter()
            .map(Part::Text)
            .chain(files)
            .chain([whole])
            .collect(),
        commands: Vec::new(),
    }
}

fn file(file: markdown::File) -> Part {
    let mut caption = Rich::default();
    caption.push(&file.title, Some(Style::Code));
    Part::File {
        name: file.name,
        content: Bytes::from(file.content),
        caption: clipped(&caption),
    }
}

fn texts(rich: &Rich) -> Drawn {
    let mut parts: Vec<Part> = rich
        .split(MESSAGE_UNITS)
        .into_iter()
        .map(Part::Text)
        .collect();
    if parts.is_empty() {
        // Telegram refuses a blank message.
        parts.push(Part::Text(Rich::plain("…")));
    }
    Drawn {
        parts,
        commands: Vec::new(),
    }
}

fn caption_of(mut rich: Rich, caption: &str) -> Rich {
    rich.push(caption, None);
    clipped(&rich)
}

fn clipped(caption: &Rich) -> Rich {
    caption
        .first_parts(CAPTION_UNITS, 1)
        .pop()
        .unwrap_or_default()
}
