//! Routines: work that begins without a message. When its moments are, and how a person writes them.
//!
//! Pure: `now` is a parameter, and nothing here waits, stores or sends. The one thing that is read from the machine is
//! its time zone database, when a zone is named.
//!
//! Moments are Unix milliseconds. A time of day is one of the clocks in the routine's zone. One that the clocks skip
//! runs at the instant of their change; one that they show twice runs the first time. Nothing runs twice.

mod civil;
mod cron;
pub mod filter;
mod hook;
mod kept;
mod read;
mod when;
mod words;

pub use cron::Fault as CronFault;
pub use hook::{NoHook, WantedHook, read_hook, secret};
pub use kept::{Occurrence, PausedFor, Routine, State};
pub use read::{Form, NotUnderstood, Wanted, read};
pub use when::{MOST_COUNTED, Passed};

use serde::{Deserialize, Serialize};

/// When the work of a routine begins. Kept as JSON with the routine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// Unix milliseconds.
    Once(i64),
    /// Five fields of crontab(5), in the routine's zone.
    Cron(String),
    /// Again and again, counted from the first moment, whatever the clocks do. Milliseconds both.
    Every { from: i64, pause: i64 },
    /// An incoming call.
    Call,
}

/// What happens to moments that passed while the bot was away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missed {
    /// The work begins once, however many they are.
    #[default]
    Once,
    /// The work begins at the next moment.
    Skip,
    /// The work begins once for each.
    All,
}
