//! Files of messages that could not be fetched or used.

use serde::{Deserialize, Serialize};

/// A file missing from a prompt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missed {
    /// Its name for people.
    pub name: String,
    pub why: MissedCause,
}

/// Why a file is missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissedCause {
    /// Larger than the 20 MB that Telegram gives bots.
    TooLarge,
    /// Larger than telecoder's own limit.
    MuchTooLarge,
    /// Telegram does not have it any more.
    Gone,
    /// Every try failed; the last reason.
    CutOff(String),
    /// telecoder cannot read the local Bot API server's copy; its path.
    OutOfReach(String),
    /// The disk failed; the system's words.
    Disk(String),
    /// Speech, and no program to transcribe it.
    NoTranscriber,
    /// The program failed; the end of its output.
    NotTranscribed {
        how: String,
        words: String,
    },
    NothingHeard,
}

impl MissedCause {
    /// The cause in one word.
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
