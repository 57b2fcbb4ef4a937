//! Prompts: a person's words to the byte, and additions in a fixed form.
//!
//! Pure. `claude::forms` has the fixed forms, `inbox` composes prompts, `store::prompts` keeps them, `claude::control`
//! turns them into lines of input.

use crate::domain::id::RunId;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::domain::id::{AttachmentId, MessageId};

/// A whole prompt, in the order in which claude gets it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Content {
    pub pieces: Vec<Piece>,
}

/// A part of a prompt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Piece {
    Written(Written),
    /// An addition to a person's words in a fixed form: a quote, a forward's origin, a file.
    Along(String),
    Described(Described),
    Picture(Picture),
    /// A file still to be fetched; what it becomes replaces this one.
    Awaited(AttachmentId),
    Fetched(Fetched),
}

/// A thing of a message in a fixed form: a place, a poll, a checklist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Described {
    pub form: String,
    /// The message with it; an edit of that changes it.
    pub message: Option<MessageId>,
}

/// What a file has become.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetched {
    pub attachment: AttachmentId,
    pub pieces: Vec<Piece>,
}

/// A person's words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    pub text: String,
    /// The message with these words; an edit of it changes them.
    pub message: Option<MessageId>,
    /// They begin on a new line if other words come before them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub on_a_new_line: bool,
    /// The addresses behind them, in a fixed form, for a block of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub links: Option<String>,
}

/// A picture that claude sees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    /// The picture for claude, shrunk if it was too large.
    pub file: PathBuf,
    /// `image/png`, `image/jpeg`, `image/gif` or `image/webp`.
    pub media_type: String,
}

/// One block of a message to claude. Messages API: `text` and `image` blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block<'a> {
    Words(String),
    Along(&'a str),
    Picture(&'a Picture),
}

impl Content {
    /// Only words, of this message.
    pub fn written(text: impl Into<String>, message: Option<MessageId>) -> Content {
        Content {
            pieces: vec![Piece::Written(Written {
                text: text.into(),
                message,
                on_a_new_line: false,
                links: None,
            })],
        }
    }

    /// The person's words, without additions.
    pub fn words(&self) -> String {
        let mut words = String::new();
        for piece in self.flat() {
            if let Piece::Written(written) = piece {
                append(&mut words, written);
            }
        }
        words
    }

    /// The prompt as people see it: the words, or else the additions.
    pub fn shown(&self) -> String {
        let words = self.words();
        if !words.trim().is_empty() || self.is_words_alone() {
            return words;
        }
        let along: Vec<&str> = self
            .flat()
            .map(|piece| match piece {
                Piece::Along(text) => text,
                Piece::Described(described) => &described.form,
                Piece::Written(_) | Piece::Fetched(_) => "",
                Piece::Picture(_) => "(a picture)",
                Piece::Awaited(_) => "(a file)",
            })
            .filter(|text| !text.is_empty())
            .collect();
        along.join("\n")
    }

    /// Whether it is only a person's words.
    pub fn is_words_alone(&self) -> bool {
        self.flat()
            .all(|piece| matches!(piece, Piece::Written(written) if written.links.is_none()))
    }

    /// The pieces, with those that files have become in their places.
    fn flat(&self) -> impl Iterator<Item = &Piece> {
        self.pieces.iter().flat_map(|piece| match piece {
            Piece::Fetched(fetched) => fetched.pieces.as_slice(),
            piece => std::slice::from_ref(piece),
        })
    }

    /// Whether a file of it is still to be fetched.
    pub fn is_awaited(&self) -> bool {
        self.pieces
            .iter()
            .any(|piece| matches!(piece, Piece::Awaited(_)))
    }

    /// The blocks for claude: adjacent words are one block, each other piece is its own, and the addresses behind words
    /// follow these. Empty words, such as a removed caption, get none: the Messages API refuses empty blocks.
    pub fn blocks(&self) -> Vec<Block<'_>> {
        let mut blocks = Vec::new();
        let mut words = Words::default();
        for piece in self.flat() {
            match piece {
                Piece::Written(written) => words.add(written),
                Piece::Along(text) | Piece::Described(Described { form: text, .. }) => {
                    words.end(&mut blocks);
                    blocks.push(Block::Along(text));
                }
                Piece::Picture(picture) => {
                    words.end(&mut blocks);
                    blocks.push(Block::Picture(picture));
                }
                Piece::Awaited(_) | Piece::Fetched(_) => words.end(&mut blocks),
            }
        }
        words.end(&mut blocks);
        blocks
    }
}

/// Adjacent words, and the addresses behind them.
#[derive(Default)]
struct Words<'a> {
    text: String,
    links: Vec<&'a str>,
}

impl<'a> Words<'a> {
    fn add(&mut self, written: &'a Written) {
        append(&mut self.text, written);
        self.links.extend(written.links.as_deref());
    }

    fn end(&mut self, blocks: &mut Vec<Block<'a>>) {
        let text = std::mem::take(&mut self.text);
        blocks.extend((!text.is_empty()).then_some(Block::Words(text)));
        blocks.extend(self.links.drain(..).map(Block::Along));
    }
}

fn append(words: &mut String, written: &Written) {
    if written.on_a_new_line && !words.is_empty() {
        words.push('\n');
    }
    words.push_str(&written.text);
}

/// The author of quoted words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// claude's newest answer: the conversation continues from there anyway.
    NewestAnswer,
    /// An older answer of claude's.
    Answer {
        /// Its prompt.
        prompt: String,
        /// 1 for the newest answer, 2 for the one before, …
        prompts_ago: u64,
        /// It is in claude's conversation.
        is_of_this_session: bool,
    },
    /// A live message: nobody's words.
    Live,
    /// Any other message of the bot.
    TheBots,
    /// The sender's own.
    Own,
    /// Somebody else's name; empty if unknown.
    Others(String),
}

/// A waiting prompt of a chat, as `/queue` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InQueue {
    pub run: RunId,
    pub words: String,
    /// claude has it on its input.
    pub is_handed: bool,
}

/// A person's change to a prompt that claude has on its input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    Changed(Content),
    /// The prompt is not to run.
    Cancelled,
}
