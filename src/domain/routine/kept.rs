//! A routine as it is kept, and what became of its moments.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::{Missed, When};
use crate::domain::id::{ChatThread, RoutineId, RunId, UserId};
use crate::domain::prompt::Content;

#[derive(Clone, Debug, PartialEq)]
pub struct Routine {
    pub id: RoutineId,
    /// Of one that is called: its address ends with it.
    pub name: Option<String>,
    pub at: ChatThread,
    /// Who answers for it; `None`: somebody in a shell of the machine.
    pub user: Option<UserId>,
    pub when: When,
    /// The name of its time zone.
    pub zone: String,
    pub prompt: Content,
    /// Each time in a new session on the same repository.
    pub is_fresh: bool,
    pub missed: Missed,
    /// What the body of a call must say ([`super::filter`]); empty: anything.
    pub filter: String,
    pub state: State,
    /// Unix milliseconds; `None` if it never comes, or while it is paused.
    pub planned_at: Option<i64>,
    /// Unix milliseconds.
    pub made_at: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Its card waits for a press.
    Offered,
    Kept,
    Paused(PausedFor),
    /// Its only moment has passed.
    Over,
}

/// Why it is paused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PausedFor {
    /// A person wants it so.
    Wish,
    /// Three failures in a row.
    Failures,
    /// Who answers for it may not use the bot there any more.
    Removal,
}

impl PausedFor {
    pub const ALL: [PausedFor; 3] = [PausedFor::Wish, PausedFor::Failures, PausedFor::Removal];

    /// Its word in the store.
    pub fn name(self) -> &'static str {
        match self {
            PausedFor::Wish => "wish",
            PausedFor::Failures => "failures",
            PausedFor::Removal => "removal",
        }
    }
}

impl Missed {
    pub const ALL: [Missed; 3] = [Missed::Once, Missed::Skip, Missed::All];

    /// Its word in the store and in a command.
    pub fn name(self) -> &'static str {
        match self {
            Missed::Once => "once",
            Missed::Skip => "skip",
            Missed::All => "all",
        }
    }

    pub fn named(word: &str) -> Option<Missed> {
        Missed::ALL.into_iter().find(|missed| missed.name() == word)
    }
}

/// What became of a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// Unix milliseconds.
    pub planned_at: i64,
    /// `None` if it was left out, or if its run is not kept any more.
    pub run: Option<RunId>,
    /// How the run ended, as [`crate::domain::run::Outcome::name`]; `None` while it goes on.
    pub outcome: Option<String>,
    /// So many moments before it passed without a run.
    pub missed: u32,
}

impl Routine {
    /// Its time zone; UTC, if this machine does not know it any more.
    pub fn zone(&self) -> TimeZone {
        TimeZone::get(&self.zone).unwrap_or(TimeZone::UTC)
    }

    /// A moment in its time zone. `at`: Unix milliseconds.
    pub fn in_zone(&self, at: i64) -> Zoned {
        let at = Timestamp::from_millisecond(at).unwrap_or_default();
        at.to_zoned(self.zone())
    }

    /// Its next moment behind `after`, in Unix milliseconds; `None`: never again.
    pub fn next(&self, after: i64) -> Option<i64> {
        self.when.next(&self.zone(), after)
    }

    /// Its next moments behind `after`, at most so many.
    pub fn next_few(&self, after: i64, most: usize) -> Vec<Zoned> {
        std::iter::successors(self.next(after), |last| self.next(*last))
            .take(most)
            .map(|at| self.in_zone(at))
            .collect()
    }

    /// When it begins, as people say it.
    pub fn when_in_words(&self) -> String {
        match &self.name {
            Some(name) => format!("when {name} is called"),
            None => self.when.in_words(),
        }
    }
}
