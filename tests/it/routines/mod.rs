//! Routines: how a person writes when work begins, and the moments at which it does.

mod by_the_clock;
mod in_a_group;
mod in_the_chat;
mod moments;
mod reading;
mod year;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// `2026-12-24T18:00+01:00[Europe/Berlin]`, as Unix milliseconds.
fn moment(zoned: &str) -> i64 {
    let zoned: jiff::Zoned = zoned.parse().expect("a moment");
    zoned.timestamp().as_millisecond()
}

/// What the clocks of a zone show.
fn shown(zone: &TimeZone, moment: i64) -> DateTime {
    zone.to_datetime(jiff::Timestamp::from_millisecond(moment).expect("a moment"))
}
