//! Files that came with a message and cannot be had.

use serde::{Deserialize, Serialize};

/// A file that a prompt has to do without.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missed {
    /// As a person calls it.
    pub name: String,
    pub why: MissedCause,
}

/// MissedCause a file cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissedCause {
    /// Telegram gives bots nothing that is larger than 20 MB.
    TooLarge,
    /// It is larger than anything that telecoder keeps.
    MuchTooLarge,
    /// Telegram does not have it any more.
    Gone,
    /// It was tried again and again.
    CutOff(String),
    /// A local Bot API server has it where telecoder cannot read it.
    OutOfReach(String),
    /// The disk here, in the system's words.
    Disk(String),
    /// Speech, and no program that turns it into text.
    NoTranscriber,
    /// That program failed; the end of what it said.
    NotTranscribed {
        how: String,
        words: String,
    },
    NothingHeard,
}

impl MissedCause {
    /// One word for it.
    pub fn name(&self) -> &'static str {
        match self {
            MissedCause::TooLarge | MissedCause::MuchTooLarge => "too_large",
            MissedCause::Gone => "gone",
            MissedCause::CutOff(_) => "cut_off",
            MissedCause::OutOfReach(_) => "out_of_reach",
            MissedCause::Disk(_) => "disk",
            MissedCause::NoTranscriber => "no_transcriber",
            MissedCause::NotTranscribed { .. } => "not_transcribed",
            MissedCause::NothingHeard => "nothing_heard",
        }
    }
}
