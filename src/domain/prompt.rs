//! What claude is asked: a person's words to the byte, and what goes along with them, each in a fixed form.
//!
//! Pure. `claude::forms` has the fixed forms; `inbox` puts prompts together, `store::prompts` keeps them, `claude::control`
//! makes lines of input from them.

use crate::domain::id::RunId;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::domain::id::{AttachmentId, MessageId};

/// Everything that claude is asked at once, in the order in which it gets it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Content {
    pub pieces: Vec<Piece>,
}

/// A part of what claude is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Piece {
    Written(Written),
    /// What goes along with a person's words, in words of a fixed form: a quote, where a forward is from, a file.
    Along(String),
    Picture(Picture),
    /// A file that is still to be fetched; what it turns out to be comes in its place.
    Awaited(AttachmentId),
}

/// A person's words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    pub text: String,
    /// The message that they were written in; an edit of it changes them.
    pub message: Option<MessageId>,
    /// They begin on a line of their own where other words come before them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub on_a_new_line: bool,
}

/// A picture that claude sees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    /// As claude gets it, sized down where it was too large.
    pub file: PathBuf,
    /// `image/png`, `image/jpeg`, `image/gif` or `image/webp`.
    pub media_type: String,
}

/// What claude gets: one block of a message. Messages API: `text` and `image` blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block<'a> {
    Text(String),
    Picture(&'a Picture),
}

impl Content {
    /// Words alone, of this message.
    pub fn written(text: impl Into<String>, message: Option<MessageId>) -> Content {
        Content {
            pieces: vec![Piece::Written(Written {
                text: text.into(),
                message,
                on_a_new_line: false,
            })],
        }
    }

    /// What the person wrote, without what goes along.
    pub fn words(&self) -> String {
        let mut words = String::new();
        for piece in &self.pieces {
            if let Piece::Written(written) = piece {
                append(&mut words, written);
            }
        }
        words
    }

    /// What people see of it: the words, or else what goes along.
    pub fn shown(&self) -> String {
        let words = self.words();
        if !words.trim().is_empty() || self.is_words_alone() {
            return words;
        }
        let along: Vec<&str> = self
            .pieces
            .iter()
            .map(|piece| match piece {
                Piece::Along(text) => text,
                Piece::Written(_) => "",
                Piece::Picture(_) => "(a picture)",
                Piece::Awaited(_) => "(a file)",
            })
            .filter(|text| !text.is_empty())
            .collect();
        along.join("\n")
    }

    /// Whether it is a person's words and nothing else.
    pub fn is_words_alone(&self) -> bool {
        self.pieces
            .iter()
            .all(|piece| matches!(piece, Piece::Written(_)))
    }

    /// Whether something of it is still to be fetched.
    pub fn is_awaited(&self) -> bool {
        self.pieces
            .iter()
            .any(|piece| matches!(piece, Piece::Awaited(_)))
    }

    /// As claude gets it: words that follow one another are one block, everything else has one of its own. A caption
    /// that was edited away is none: the Messages API takes no empty block.
    pub fn blocks(&self) -> Vec<Block<'_>> {
        let mut blocks = Vec::new();
        let mut words: Option<String> = None;
        for piece in &self.pieces {
            if let Piece::Written(written) = piece {
                append(words.get_or_insert_default(), written);
                continue;
            }
            blocks.extend(
                words
                    .take()
                    .filter(|words| !words.is_empty())
                    .map(Block::Text),
            );
            match piece {
                Piece::Along(text) => blocks.push(Block::Text(text.clone())),
                Piece::Picture(picture) => blocks.push(Block::Picture(picture)),
                Piece::Written(_) | Piece::Awaited(_) => {}
            }
        }
        blocks.extend(words.filter(|words| !words.is_empty()).map(Block::Text));
        blocks
    }
}

fn append(words: &mut String, written: &Written) {
    if written.on_a_new_line && !words.is_empty() {
        words.push('\n');
    }
    words.push_str(&written.text);
}

/// Whose words are quoted or replied to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// claude's newest answer: the conversation goes on from there anyway.
    NewestAnswer,
    /// An older answer of claude's.
    Answer {
        /// What was asked.
        prompt: String,
        /// 1 for the newest answer, 2 for the one before, …
        prompts_ago: u64,
        /// claude has it in its conversation.
        is_of_this_session: bool,
    },
    /// The message that follows a run that goes on: nothing that anybody said.
    Live,
    /// Anything else that the bot said by itself.
    TheBots,
    /// The sender's own.
    Own,
    /// Somebody else's; empty where nobody can know.
    Others(String),
}

/// A prompt that waits in a chat, for a person to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InQueue {
    pub run: RunId,
    pub words: String,
    /// claude has it on its input.
    pub is_handed: bool,
}

/// What somebody wants of a prompt that claude has on its input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    Changed(Content),
    /// It shall not run at all.
    Cancelled,
}
