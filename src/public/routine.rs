//! A routine.

use serde::Serialize;

use super::time;
use crate::domain::routine::{self, Missed, Occurrence, State};

/// A routine: one of `routine list`.
#[derive(Clone, Debug, Serialize)]
pub struct Routine {
    /// Its name.
    pub routine: String,
    pub chat: i64,
    /// The topic, in a forum; else `None`.
    pub topic: Option<i32>,
    /// When it begins, in words.
    pub when: String,
    /// The name of its time zone.
    pub zone: String,
    pub prompt: String,
    /// Whether each run has a new session.
    pub fresh: bool,
    /// What becomes of moments that pass without a run: `once`, `skip` or `all`.
    pub missed: &'static str,
    /// `kept` or `paused`.
    pub state: &'static str,
    /// Its next moment; `None` while it is paused, and if only calls begin it.
    pub next: Option<String>,
    /// What came of its last moments, newest first.
    pub last: Vec<Came>,
}

/// What came of a moment.
#[derive(Clone, Debug, Serialize)]
pub struct Came {
    pub planned: String,
    /// `None` if it was left out, or if the run is not kept any more.
    pub run: Option<String>,
    /// How the run ended; `None` while it goes on, and without one.
    pub outcome: Option<String>,
    /// So many moments before it passed without a run.
    pub missed: u32,
}

impl Routine {
    pub fn new(routine: &routine::Routine, last: &[Occurrence]) -> Routine {
        Routine {
            routine: routine.id.0.clone(),
            chat: routine.at.chat.0,
            topic: routine.at.thread.map(|topic| topic.0),
            when: routine.when_in_words(),
            zone: routine.zone.clone(),
            prompt: routine.prompt.shown(),
            fresh: routine.is_fresh,
            missed: Missed::name(routine.missed),
            state: Routine::state(routine),
            next: routine.planned_at.map(time),
            last: last.iter().map(Came::from).collect(),
        }
    }

    /// Its state in one word.
    pub fn state(routine: &routine::Routine) -> &'static str {
        match routine.state {
            State::Offered => "offered",
            State::Kept => "kept",
            State::Paused(_) => "paused",
            State::Over => "over",
        }
    }
}

impl From<&Occurrence> for Came {
    fn from(occurrence: &Occurrence) -> Came {
        Came {
            planned: time(occurrence.planned_at),
            run: occurrence.run.map(|run| run.to_string()),
            outcome: occurrence.outcome.clone(),
            missed: occurrence.missed,
        }
    }
}
