//! Turns a message into what the Bot API sends: texts with entities, or a file.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use bytes::Bytes;
use fail::fail_point;
use tracing::error;

use super::markdown::{self, Rendered};
use super::rich::{CAPTION_UNITS, MESSAGE_UNITS, Rich, Style};
use super::times;
use crate::chat::questions;
use crate::domain::outgoing::{Body, Code, Folded, Outgoing};
use crate::redact::Redactor;

/// An answer with more parts is sent as its first part and one file with the whole.
const MOST_PARTS: usize = 3;
/// A text of the bot's with more parts is sent as its first part and one file with the whole.
const MOST_TEXTS: usize = 10;
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

/// How a message is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    /// With styles, and claude's words as the Markdown that they are.
    Styled,
    /// Every text as it is: for a message whose drawing failed.
    Plain,
}

impl Drawn {
    fn of(parts: Vec<Part>) -> Drawn {
        Drawn {
            parts,
            commands: Vec::new(),
        }
    }

    /// Removes secrets that only drawing reveals: Markdown can disguise one. A text with a secret loses its formatting.
    /// What is shown in its place may be longer than it was, so the text is cut again.
    pub fn take_secrets_out(&mut self, redactor: &Redactor, is_to_judge: bool) {
        self.parts = std::mem::take(&mut self.parts)
            .into_iter()
            .flat_map(|part| without_secrets(part, redactor, is_to_judge))
            .collect();
        // A command that is not the whole command is of no use.
        self.commands
            .retain(|command| matches!(redactor.text(command), Cow::Borrowed(_)));
    }

    fn without_styles(mut self) -> Drawn {
        for part in &mut self.parts {
            let (Part::Text(text)
            | Part::File { caption: text, .. }
            | Part::Stored { caption: text, .. }) = part;
            text.styles.clear();
        }
        self
    }
}

fn without_secrets(mut part: Part, redactor: &Redactor, is_to_judge: bool) -> Vec<Part> {
    let clean = |text: &Rich, most: usize| match redactor.of_message(is_to_judge, &text.text) {
        Cow::Owned(clean) => Some(Rich::plain(clean).split(most)),
        Cow::Borrowed(_) => None,
    };
    match &mut part {
        Part::Text(text) => match clean(text, MESSAGE_UNITS) {
            Some(texts) => return texts.into_iter().map(Part::Text).collect(),
            None => return vec![part],
        },
        Part::File { caption, .. } | Part::Stored { caption, .. } => {
            if let Some(clean) = clean(caption, CAPTION_UNITS) {
                *caption = clean.into_iter().next().unwrap_or_default();
            }
        }
    }
    if let Part::File { content, .. } = &mut part
        && let Ok(text) = std::str::from_utf8(content)
        && let Cow::Owned(clean) = redactor.of_message(is_to_judge, text)
    {
        *content = Bytes::from(clean);
    }
    vec![part]
}

/// Draws a message. The same message always gives the same parts, so that a sender can resume.
///
/// A text sent as a file is moved out of the message: it may be very long.
///
/// A message that cannot be drawn is sent as its plain source text.
pub fn draw(message: &mut Outgoing) -> Drawn {
    let styled = AssertUnwindSafe(|| {
        fail_point!("draw");
        drawn(message, Manner::Styled)
    });
    catch_unwind(styled).unwrap_or_else(|panic| {
        let panic = crate::store::panic_text(panic.as_ref());
        error!(
            panic,
            "a message could not be drawn; it is sent as plain text"
        );
        drawn(message, Manner::Plain).without_styles()
    })
}

/// The one way from a message to its parts; a text leaves the message last.
fn drawn(message: &mut Outgoing, manner: Manner) -> Drawn {
    let mut rich = headed(message);
    match &mut message.body {
        Body::Note { text, quoted } => {
            times::push(&mut rich, text, &message.times);
            if let Some(quoted) = quoted {
                rich.push("\n\n", None);
                rich.push(quoted.trim_end(), Some(Style::Pre { language: None }));
            }
            texts(rich)
        }
        Body::Evidence { text, folded } => {
            rich.push(text, None);
            for folded in folded {
                // A line of its own keeps two quotes from becoming one.
                rich.push("\n\n", None);
                rich.append(quote(folded));
            }
            texts(rich)
        }
        Body::Answer { markdown, footer } => answer(rich, markdown, footer, manner),
        Body::Question { text, code, below } => question(rich, text, code.as_ref(), below),
        Body::File {
            name,
            content,
            caption,
        } => {
            let caption = caption_of(rich, caption);
            Drawn::of(vec![Part::File {
                name: name.clone(),
                content: Bytes::from(std::mem::take(content)),
                caption,
            }])
        }
        Body::Stored(file) => Drawn::of(vec![Part::Stored {
            path: file.path.clone(),
            name: file.name.clone(),
            caption: caption_of(rich, &file.caption),
            is_picture: file.is_picture,
        }]),
    }
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
    let mut first = rich.first_parts(MESSAGE_UNITS, 1);
    Drawn::of(vec![Part::Text(first.pop().unwrap_or_else(nothing))])
}

/// The first `units` UTF-16 units of a text, cut at a line's end if that keeps more than half.
fn cut(text: &str, units: usize) -> &str {
    let mut room = units;
    let end = text.char_indices().find(|(_, character)| {
        let fits = character.len_utf16() <= room;
        room = room.saturating_sub(character.len_utf16());
        !fits
    });
    let Some((beginning, _)) = end.and_then(|(end, _)| text.split_at_checked(end)) else {
        return text;
    };
    match beginning.rsplit_once('\n') {
        Some((lines, _)) if lines.len() > beginning.len() / 2 => lines,
        _ => beginning,
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

fn answer(mut rich: Rich, markdown: &mut String, footer: &str, manner: Manner) -> Drawn {
    let rendered = match manner {
        Manner::Plain => Rendered {
            text: Rich::plain(markdown.as_str()),
            ..Rendered::default()
        },
        Manner::Styled if markdown.len() > DRAWN_WHOLE => {
            rich.append(markdown::render_beginning(markdown, DRAWN_BEGINNING));
            return beginning_and_whole(&rich, markdown, footer, Vec::new());
        }
        Manner::Styled => markdown::render(markdown),
    };
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
        caption: clipped(&Rich::plain(format!("The whole answer. {footer}"))),
        content: Bytes::from(std::mem::take(markdown)),
    };
    let first = first.into_iter().map(Part::Text);
    Drawn::of(first.chain(files).chain([whole]).collect())
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

/// A text of the bot's; a very long one as its first part and one file with the whole.
fn texts(rich: Rich) -> Drawn {
    let mut texts = rich.first_parts(MESSAGE_UNITS, MOST_TEXTS + 1);
    let is_very_long = texts.len() > MOST_TEXTS;
    if is_very_long {
        texts.truncate(1);
    }
    if texts.is_empty() {
        texts.push(nothing());
    }
    let mut parts: Vec<Part> = texts.into_iter().map(Part::Text).collect();
    if is_very_long {
        parts.push(Part::File {
            name: "message.txt".to_owned(),
            content: Bytes::from(rich.text),
            caption: Rich::plain("The whole message."),
        });
    }
    Drawn::of(parts)
}

/// Telegram refuses a blank message.
fn nothing() -> Rich {
    Rich::plain("…")
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
