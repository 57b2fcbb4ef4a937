//! The instant at which the clocks of a zone show a time.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

/// The earliest moment whose time on a clock is asked for: the year 1. Every zone can show it.
const EARLIEST: i64 = -62_135_596_800_000;

/// The time that the clocks show at a moment; `None`: later than the calendar goes.
pub fn shown(zone: &TimeZone, moment: i64) -> Option<DateTime> {
    let moment = Timestamp::from_millisecond(moment.max(EARLIEST)).ok()?;
    Some(zone.to_datetime(moment))
}

/// The moment at which the clocks show this time. If they skip it, the instant of their change; if they show it twice,
/// the first time. A later time never has an earlier moment. `None`: outside the calendar.
pub fn moment(zone: &TimeZone, time: DateTime) -> Option<i64> {
    let moment = match zone.to_ambiguous_timestamp(time).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(time).ok()?,
        AmbiguousOffset::Fold { before, .. } => before.to_timestamp(time).ok()?,
        AmbiguousOffset::Gap { before, after } => change(zone, time, before, after)?,
    };
    Some(moment.as_millisecond())
}

/// The instant at which the clocks skip `time`: they go from the offset `before` to the offset `after`.
fn change(zone: &TimeZone, time: DateTime, before: Offset, after: Offset) -> Option<Timestamp> {
    let (earliest, latest) = (
        after.to_timestamp(time).ok()?,
        before.to_timestamp(time).ok()?,
    );
    let change = zone
        .following(earliest)
        .map(|change| (change.timestamp(), change.offset()))
        .take_while(|(at, _)| *at <= latest)
        .find(|(_, offset)| *offset == after);
    Some(change.map_or(latest, |(at, _)| at))
}
