//! The reply to `/raw`: the exact input of a prompt, block by block, and telecoder's additions.

use std::path::PathBuf;

use crate::domain::outgoing::{Body, Outgoing};
use crate::domain::shown::size;

/// A longer text comes as a file; in UTF-16 units, so that it is one message with room to spare.
const LONGEST_MESSAGE: usize = 3_500;

/// The input that claude got for one prompt, and how claude was started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    pub blocks: Vec<Shown>,
    /// `None` if the run's record is gone.
    pub start: Option<Start>,
}

/// A block of a message to claude. Messages API: `text` and `image`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    Text {
        text: String,
        origin: Origin,
    },
    Picture {
        media_type: String,
        bytes: u64,
        /// The file it was read from.
        file: Option<PathBuf>,
    },
}

/// Who wrote a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    Person,
    /// A line in a fixed form: a quote, a forward's origin, a file's path.
    Telecoder,
    /// Not recorded.
    Unknown,
}

/// The arguments of claude that a person wants to see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Start {
    pub appended_to_system_prompt: Option<String>,
    /// `--model opus`, and the like.
    pub arguments: Vec<String>,
}

/// `/raw` before anything reached claude.
pub fn none_yet() -> Outgoing {
    Outgoing::note("Nothing has reached claude from this chat yet.")
}

/// `/raw` of a prompt whose record cannot be read.
pub fn gone() -> Outgoing {
    Outgoing::note("What reached claude for the last prompt cannot be read any more.")
}

pub fn reached(reached: &Reached) -> Outgoing {
    let mut parts: Vec<String> = reached.blocks.iter().map(block).collect();
    match &reached.start {
        Some(start) => {
            if let Some(text) = &start.appended_to_system_prompt {
                parts.push(format!(
                    "── telecoder appended this to the system prompt\n{text}"
                ));
            }
            let arguments = start.arguments.join("\n");
            parts.push(format!("── claude was started with\n{arguments}"));
        }
        None => parts.push("── how claude was started is not kept any more".to_owned()),
    }
    let head = "What reached claude for the last prompt:".to_owned();
    let text = parts.join("\n");
    if text.encode_utf16().count() <= LONGEST_MESSAGE {
        return Outgoing::note(head).quoting(text);
    }
    Outgoing::of(Body::File {
        name: "raw.txt".to_owned(),
        content: text,
        caption: head,
    })
}

fn block(block: &Shown) -> String {
    match block {
        Shown::Text { text, origin } => {
            let whose = match origin {
                Origin::Person => "your words",
                Origin::Telecoder => "telecoder's line about what goes along",
                Origin::Unknown => "text",
            };
            let length = match text.chars().count() {
                1 => "1 character".to_owned(),
                many => format!("{many} characters"),
            };
            format!("── {whose}, {length}\n{text}")
        }
        Shown::Picture {
            media_type,
            bytes,
            file,
        } => {
            let file = match file {
                Some(file) => format!(", {}", file.display()),
                None => String::new(),
            };
            format!("── picture: {media_type}, {}{file}", size(*bytes))
        }
    }
}
