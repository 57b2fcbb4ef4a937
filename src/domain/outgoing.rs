//! Messages to send.

use crate::domain::button::{Button, Press};
use crate::domain::id::{ChatThread, MessageId, UserId};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A message that must arrive; the outbox keeps it until then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outgoing {
    pub body: Body,
    /// Whether the phone rings.
    pub loud: bool,
    /// The message that this one replies to; ignored if it was deleted.
    pub reply_to: Option<MessageId>,
    /// Whose message it answers, where it can not reply to it any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asker: Option<UserId>,
    /// Below the message: few in one row, many in rows of their own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub buttons: Vec<Button>,
    #[serde(default)]
    pub urgency: Urgency,
    /// A line above it that says why it was sent here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preface: Option<String>,
    /// The client opens a reply to it immediately. Bot API: `ForceReply`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wants_reply: Option<WantsReply>,
    /// Moments that a note tells. A client shows each in its reader's own time zone; an old one shows the words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub times: Vec<ToldTime>,
    /// A file with what a person is asked to allow.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_asked_about: bool,
    /// A button below its last part, if it has several: where it can be read in one piece.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_one_piece: Option<Box<Button>>,
}

/// A moment, as words in the time zone of this machine. Where a note has exactly these words, they are the moment: so
/// the note may be changed afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldTime {
    pub words: String,
    /// Unix seconds.
    pub at: i64,
    pub form: TimeForm,
}

/// How much of a moment is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeForm {
    Clock,
    DayAndClock,
    DateAndClock,
}

/// Whose client opens a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WantsReply {
    /// The client of the person who wrote the message replied to.
    OfAsker,
    OfAnybody,
}

/// The order of a chat's waiting messages; of equal urgency, the oldest goes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    /// The result of a stop.
    Stop = 0,
    #[default]
    Answer = 1,
    /// A question of claude's.
    Question = 2,
    /// Evidence; the next prompt's answer goes before it.
    Evidence = 3,
}

impl Urgency {
    /// As a row of the outbox has it.
    pub fn numbered(number: u8) -> Urgency {
        match number {
            0 => Urgency::Stop,
            1 => Urgency::Answer,
            2 => Urgency::Question,
            _ => Urgency::Evidence,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// The bot's sentence, shown as it is, and quoted words below it (git's, a log's).
    Note {
        text: String,
        quoted: Option<String>,
    },
    /// claude's words in Markdown, and the bot's line below them.
    Answer { markdown: String, footer: String },
    /// The bot's lines, and folded quotes below them that open at a touch.
    Evidence { text: String, folded: Vec<Folded> },
    /// A question of claude's: the bot's words above and below, its subject as code. Long code is cut.
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
    /// A file on this machine.
    Stored(Stored),
}

/// A file, read when it is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    pub path: PathBuf,
    /// Its name in the chat.
    pub name: String,
    pub caption: String,
    /// Sent as a picture, which Telegram shrinks, if Telegram accepts it as one.
    pub is_picture: bool,
}

/// Quoted words, shown as code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    pub language: Option<String>,
    pub text: String,
}

/// Quoted words, folded away.
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

    /// A silent message: no reply, no buttons.
    pub fn of(body: Body) -> Outgoing {
        let urgency = match body {
            Body::Question { .. } => Urgency::Question,
            _ => Urgency::default(),
        };
        Outgoing {
            body,
            loud: false,
            reply_to: None,
            asker: None,
            buttons: Vec::new(),
            urgency,
            preface: None,
            wants_reply: None,
            times: Vec::new(),
            is_asked_about: false,
            in_one_piece: None,
        }
    }

    /// Whether a person allows what it shows, so that it has to be shown as it is.
    pub fn is_to_judge(&self) -> bool {
        self.is_asked_about || matches!(self.body, Body::Question { .. })
    }

    /// Shows what a person is asked to allow.
    pub fn asked_about(mut self) -> Outgoing {
        self.is_asked_about = true;
        self
    }

    /// Adds a quote below the sentence, unchanged; none if the words are blank.
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

    /// Stays loud only if `worth_it`.
    pub fn ringing_if(mut self, worth_it: bool) -> Outgoing {
        self.loud &= worth_it;
        self
    }

    /// Adds a sentence.
    pub fn adding(mut self, sentence: &str) -> Outgoing {
        if let Body::Note { text, .. } | Body::Evidence { text, .. } = &mut self.body {
            text.push(' ');
            text.push_str(sentence);
        }
        self
    }

    /// Its sentence tells this moment.
    pub fn telling(mut self, time: impl Into<Option<ToldTime>>) -> Outgoing {
        self.times.extend(time.into());
        self
    }

    /// Goes before waiting answers.
    pub fn urgent(mut self) -> Outgoing {
        self.urgency = Urgency::Stop;
        self
    }

    /// Lets the client open a reply to it.
    pub fn asking_for_reply(mut self) -> Outgoing {
        self.wants_reply = Some(WantsReply::OfAnybody);
        self
    }

    /// Goes after waiting answers.
    pub fn after_answers(mut self) -> Outgoing {
        self.urgency = Urgency::Evidence;
        self
    }

    pub fn with_button(mut self, label: impl Into<String>, press: Press) -> Outgoing {
        self.buttons.push(Button {
            label: label.into(),
            press,
            is_over: false,
        });
        self
    }

    /// Its buttons stay readable, and do nothing any more.
    pub fn with_buttons_over(mut self) -> Outgoing {
        for button in &mut self.buttons {
            button.is_over = true;
        }
        self
    }

    /// All its texts, to be changed in place.
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

    /// Replies to nothing if the chat has another id by now: messages have other numbers there.
    pub fn after_move(mut self, from: ChatThread, to: ChatThread) -> Outgoing {
        if from.chat != to.chat {
            self.reply_to = None;
        }
        self
    }

    pub fn replying_to(mut self, message: Option<MessageId>) -> Outgoing {
        self.reply_to = message;
        self
    }
}
