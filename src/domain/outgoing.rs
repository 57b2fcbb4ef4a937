//! The messages that leave.

use crate::domain::button::{Button, Press};
use crate::domain::id::MessageId;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A message that must arrive; kept in the outbox until it has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outgoing {
    pub body: Body,
    /// Whether the phone rings.
    pub loud: bool,
    /// The message that this one answers; left out where it was deleted.
    pub reply_to: Option<MessageId>,
    /// Below the message, a few side by side, many below one another.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub buttons: Vec<Button>,
    #[serde(default)]
    pub urgency: Urgency,
    /// A line above it that says why it comes here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preface: Option<String>,
    /// The client opens a reply to it at once. Bot API: `ForceReply`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wants_reply: Option<WantsReply>,
}

/// Whose client opens a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WantsReply {
    /// That of whoever wrote the message that this one answers.
    OfAsker,
    OfAnybody,
}

/// Which of a chat's waiting messages goes first; in the order of writing within one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    /// What came of a stop.
    Stop = 0,
    #[default]
    Answer = 1,
    /// What was measured; the answer to the next prompt goes before it.
    Evidence = 2,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// A sentence of ours, shown as it is, and words of others below it (git's, a log's).
    Note {
        text: String,
        quoted: Option<String>,
    },
    /// claude's words, in Markdown, and a line of ours below them.
    Answer { markdown: String, footer: String },
    /// Lines of ours, and words of others below them that open at a touch.
    Evidence { text: String, folded: Vec<Folded> },
    /// What claude asks: our words, what it is about as code that is cut where it is too long for a message, our
    /// words below.
    Question {
        text: String,
        code: Option<Code>,
        below: String,
    },
    /// A text as a file.
    File {
        name: String,
        content: String,
        caption: String,
    },
    /// A file of this machine.
    Stored(Stored),
}

/// A file that is sent as it is then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    pub path: PathBuf,
    /// What it is called in the chat.
    pub name: String,
    pub caption: String,
    /// Shown as a picture, which Telegram makes smaller, where it takes it as one.
    pub is_picture: bool,
}

/// Words of others that are shown as code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    pub language: Option<String>,
    pub text: String,
}

/// Words of others that are folded away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folded {
    pub title: String,
    pub text: String,
}

impl Outgoing {
    /// A silent sentence.
    pub fn note(text: impl Into<String>) -> Outgoing {
        Outgoing::of(Body::Note {
            text: text.into(),
            quoted: None,
        })
    }

    /// Silent, an answer to nothing, without buttons.
    pub fn of(body: Body) -> Outgoing {
        Outgoing {
            body,
            loud: false,
            reply_to: None,
            buttons: Vec::new(),
            urgency: Urgency::default(),
            preface: None,
            wants_reply: None,
        }
    }

    /// Words of others below the sentence, as they are; nothing where they are blank.
    pub fn quoting(mut self, words: impl Into<String>) -> Outgoing {
        let words = words.into();
        if let Body::Note { quoted, .. } = &mut self.body {
            *quoted = (!words.trim().is_empty()).then_some(words);
        }
        self
    }

    pub fn loud(mut self) -> Outgoing {
        self.loud = true;
        self
    }

    /// Rings only if it should and this holds.
    pub fn ringing_if(mut self, worth_it: bool) -> Outgoing {
        self.loud &= worth_it;
        self
    }

    /// A note with one more sentence.
    pub fn adding(mut self, sentence: &str) -> Outgoing {
        if let Body::Note { text, .. } | Body::Evidence { text, .. } = &mut self.body {
            text.push(' ');
            text.push_str(sentence);
        }
        self
    }

    /// Goes before what waits.
    pub fn urgent(mut self) -> Outgoing {
        self.urgency = Urgency::Stop;
        self
    }

    /// The client opens a reply to it.
    pub fn asking_for_reply(mut self) -> Outgoing {
        self.wants_reply = Some(WantsReply::OfAnybody);
        self
    }

    /// Goes behind answers that wait.
    pub fn after_answers(mut self) -> Outgoing {
        self.urgency = Urgency::Evidence;
        self
    }

    pub fn with_button(mut self, label: impl Into<String>, press: Press) -> Outgoing {
        self.buttons.push(Button {
            label: label.into(),
            press,
        });
        self
    }

    /// Everything that it says, to be changed in place.
    pub fn texts_mut(&mut self) -> impl Iterator<Item = &mut String> {
        let Outgoing {
            body,
            buttons,
            preface,
            ..
        } = self;
        let texts: Vec<&mut String> = match body {
            Body::Note { text, quoted } => std::iter::once(text).chain(quoted).collect(),
            Body::Answer { markdown, footer } => vec![markdown, footer],
            Body::Evidence { text, folded } => {
                let folded = folded
                    .iter_mut()
                    .flat_map(|folded| [&mut folded.title, &mut folded.text]);
                std::iter::once(text).chain(folded).collect()
            }
            Body::Question { text, code, below } => [text, below]
                .into_iter()
                .chain(code.as_mut().map(|code| &mut code.text))
                .collect(),
            Body::File {
                name,
                content,
                caption,
            } => vec![name, content, caption],
            Body::Stored(Stored { name, caption, .. }) => vec![name, caption],
        };
        let labels = buttons.iter_mut().map(|button| &mut button.label);
        texts.into_iter().chain(labels).chain(preface)
    }

    pub fn replying_to(mut self, message: Option<MessageId>) -> Outgoing {
        self.reply_to = message;
        self
    }
}
