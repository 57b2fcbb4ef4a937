//! The moments of a routine: the next one, and those that passed.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::When;
use super::civil;
use super::cron::Cron;

/// How far passed moments are counted; more are as many as this.
pub const MOST_COUNTED: usize = 1000;

/// Moments that passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passed {
    /// At most [`MOST_COUNTED`].
    pub count: usize,
    /// Unix milliseconds.
    pub newest: i64,
}

impl When {
    /// The first planned moment behind `after`, in that zone; `None`: never again.
    pub fn next(&self, zone: &TimeZone, after: i64) -> Option<i64> {
        let next = match self {
            When::Once(moment) => (*moment > after).then_some(*moment),
            When::Cron(fields) => next_of_cron(&Cron::parse(fields).ok()?, zone, after),
            When::Every { from, pause } => next_of_interval(*from, *pause, after),
            When::Call => None,
        };
        next.filter(|moment| Timestamp::from_millisecond(*moment).is_ok())
    }

    /// The planned moments behind `after`, up to and including `until`; `None`: there was none. Takes no longer for
    /// years of missed minutes than for a day of them.
    pub fn missed(&self, zone: &TimeZone, after: i64, until: i64) -> Option<Passed> {
        let next = |after| self.next(zone, after).filter(|moment| *moment <= until);
        let mut passed = Passed {
            count: 1,
            newest: next(after)?,
        };
        while let Some(moment) = next(passed.newest) {
            if passed.count == MOST_COUNTED {
                passed.newest = newest(moment, until, next);
                break;
            }
            passed.count += 1;
            passed.newest = moment;
        }
        Some(passed)
    }
}

/// The last moment up to `until`, from a `known` one on: each step halves what is left.
fn newest(known: i64, until: i64, next: impl Fn(i64) -> Option<i64>) -> i64 {
    let (mut newest, mut none_after) = (known, until);
    while newest < none_after {
        let middle = newest.saturating_add_unsigned(none_after.abs_diff(newest) / 2);
        match next(middle) {
            Some(moment) => newest = moment,
            None if middle == newest => break,
            None => none_after = middle,
        }
    }
    newest
}

fn next_of_cron(cron: &Cron, zone: &TimeZone, after: i64) -> Option<i64> {
    let mut time = civil::shown(zone, after)?;
    loop {
        time = cron.next(time)?;
        let moment = civil::moment(zone, time)?;
        // The clocks show this time for the second time, or skipped it at an instant that has passed.
        if moment > after {
            return Some(moment);
        }
    }
}

fn next_of_interval(from: i64, pause: i64, after: i64) -> Option<i64> {
    if after < from {
        return Some(from);
    }
    if pause <= 0 {
        return None;
    }
    let (from, pause, after) = (i128::from(from), i128::from(pause), i128::from(after));
    let next = from + ((after - from) / pause + 1) * pause;
    i64::try_from(next).ok()
}
