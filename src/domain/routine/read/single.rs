//! The forms of `/at` and `/in`, and times and lengths as all forms write them.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

use super::super::civil;
use super::{NotUnderstood, When, Words};

/// The longest way ahead, in milliseconds: 366 days.
pub const LONGEST: i64 = 366 * DAY;

const SECOND: i64 = 1000;
const DAY: i64 = 24 * 60 * 60 * SECOND;

/// The units of a length, from the largest on, in milliseconds.
const UNITS: [(char, i64); 4] = [
    ('d', DAY),
    ('h', 60 * 60 * SECOND),
    ('m', 60 * SECOND),
    ('s', SECOND),
];

/// Reads the when of `/at`.
pub fn at(words: &mut Words, now: i64, zone: &TimeZone) -> Result<When, NotUnderstood> {
    if let Some(time) = words.take_last(time) {
        return coming(&fields(time, "*"), now, zone);
    }
    if let Some(time) = words.take_last(date_and_time) {
        return fixed(time, now, zone);
    }
    let day = words.take();
    let mut time = || words.take_last(time).ok_or(NotUnderstood::NoWhen);
    if let Some(number) = weekday(day) {
        return coming(&fields(time()?, &number.to_string()), now, zone);
    }
    let today = || civil::shown(zone, now).map(DateTime::date);
    let date = match day.to_ascii_lowercase().as_str() {
        "today" => today(),
        "tomorrow" => today().and_then(|today| today.tomorrow().ok()),
        written => Some(date(written).ok_or(NotUnderstood::NoWhen)?),
    };
    let date = date.ok_or(NotUnderstood::TooLong)?;
    fixed(date.to_datetime(time()?), now, zone)
}

/// Reads the when of `/in`.
pub fn after(words: &mut Words, now: i64) -> Result<When, NotUnderstood> {
    let length = words.take_last(length).ok_or(NotUnderstood::NoWhen)?;
    if length < SECOND {
        return Err(NotUnderstood::TooShort);
    }
    once(now, length)
}

fn once(now: i64, length: i64) -> Result<When, NotUnderstood> {
    let moment = now.checked_add(length).filter(|_| length <= LONGEST);
    let moment = moment.filter(|moment| jiff::Timestamp::from_millisecond(*moment).is_ok());
    moment.map(When::Once).ok_or(NotUnderstood::TooLong)
}

/// The next moment that these fields of crontab(5) name.
fn coming(fields: &str, now: i64, zone: &TimeZone) -> Result<When, NotUnderstood> {
    let next = When::Cron(fields.to_owned()).next(zone, now);
    next.map(When::Once).ok_or(NotUnderstood::TooLong)
}

fn fixed(time: DateTime, now: i64, zone: &TimeZone) -> Result<When, NotUnderstood> {
    let moment = civil::moment(zone, time).ok_or(NotUnderstood::TooLong)?;
    if moment <= now {
        return Err(NotUnderstood::Past);
    }
    Ok(When::Once(moment))
}

/// A time on these days of the week, as fields of crontab(5).
pub fn fields(time: Time, weekdays: &str) -> String {
    format!("{} {} * * {weekdays}", time.minute(), time.hour())
}

/// Reads `15:00`, `9:00`, `9am`, `3:30pm`.
pub fn time(word: &str) -> Option<Time> {
    let word = word.to_ascii_lowercase();
    let half = [("am", 0), ("pm", 12)]
        .into_iter()
        .find_map(|(name, hours)| Some((word.strip_suffix(name)?, hours)));
    let Some((clock, hours)) = half else {
        let (hour, minute) = word.split_once(':')?;
        return Time::new(digits(hour, 1..=2)?, digits(minute, 2..=2)?, 0, 0).ok();
    };
    let (hour, minute) = clock.split_once(':').unwrap_or((clock, "00"));
    let hour: i8 = digits(hour, 1..=2)?;
    if !(1..=12).contains(&hour) {
        return None;
    }
    Time::new(hour % 12 + hours, digits(minute, 2..=2)?, 0, 0).ok()
}

/// Reads `1h30m`, `3d`, `90s`, in milliseconds: each unit at most once, the larger one first. What is too large for a
/// number is the largest one.
pub fn length(word: &str) -> Option<i64> {
    let word = word.to_ascii_lowercase();
    let (mut rest, mut units, mut length) = (word.as_str(), UNITS.as_slice(), 0_i64);
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, behind) = rest.split_at(end);
        let mut behind = behind.chars();
        let unit = behind.next()?;
        let place = units.iter().position(|(name, _)| *name == unit)?;
        let number = match number {
            "" => return None,
            number => number.parse().unwrap_or(i64::MAX),
        };
        length = length.saturating_add(number.saturating_mul(units[place].1));
        (rest, units) = (behind.as_str(), &units[place + 1..]);
    }
    (!word.is_empty()).then_some(length)
}

/// Reads `monday` and `mon` as 1, `sunday` and `sun` as 7.
pub fn weekday(word: &str) -> Option<u8> {
    const NAMES: [&str; 7] = [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ];
    let word = word.to_ascii_lowercase();
    (1..)
        .zip(NAMES)
        .find(|(_, name)| *name == word || name[..3] == word)
        .map(|(number, _)| number)
}

/// Reads `2026-12-24`.
fn date(word: &str) -> Option<Date> {
    let (year, rest) = word.split_once('-')?;
    let (month, day) = rest.split_once('-')?;
    Date::new(
        digits(year, 4..=4)?,
        digits(month, 2..=2)?,
        digits(day, 2..=2)?,
    )
    .ok()
}

/// Reads `2026-12-24T18:00`.
fn date_and_time(word: &str) -> Option<DateTime> {
    let (day, clock) = word.split_once(['T', 't'])?;
    Some(date(day)?.to_datetime(time(clock)?))
}

/// Digits and nothing else, this many.
fn digits<T: std::str::FromStr>(text: &str, count: std::ops::RangeInclusive<usize>) -> Option<T> {
    let are_digits = count.contains(&text.len()) && text.bytes().all(|c| c.is_ascii_digit());
    are_digits.then(|| text.parse().ok()).flatten()
}
