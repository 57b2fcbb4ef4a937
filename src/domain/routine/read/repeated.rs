//! The forms of `/every`.

use jiff::tz::TimeZone;

use super::super::cron::Cron;
use super::single::{LONGEST, fields, length, time, weekday};
use super::{CronFault, HOURLY, NotUnderstood, WORKDAYS, When, Words};

/// The shortest pause, in milliseconds.
const SHORTEST: i64 = 60 * 1000;

/// Reads the when of `/every`. What is counted in hours or minutes begins after the first pause.
pub fn every(words: &mut Words, now: i64, zone: &TimeZone) -> Result<When, NotUnderstood> {
    if let Some(quoted) = words.take_quoted() {
        return cron(quoted, now, zone);
    }
    if let Some(pause) = words.take_last(length) {
        return interval(pause, now);
    }
    let is_hour = |word: &str| word.eq_ignore_ascii_case("hour").then_some(());
    if words.take_last(is_hour).is_some() {
        return Ok(When::Cron(HOURLY.to_owned()));
    }
    let days = days(words.take()).ok_or(NotUnderstood::NoWhen)?;
    let time = words.take_last(time).ok_or(NotUnderstood::NoWhen)?;
    Ok(When::Cron(fields(time, &days)))
}

fn interval(pause: i64, now: i64) -> Result<When, NotUnderstood> {
    if pause < SHORTEST {
        return Err(NotUnderstood::TooShort);
    }
    let from = now.checked_add(pause).filter(|_| pause <= LONGEST);
    let from = from.filter(|from| jiff::Timestamp::from_millisecond(*from).is_ok());
    let from = from.ok_or(NotUnderstood::TooLong)?;
    Ok(When::Every { from, pause })
}

fn cron(quoted: &str, now: i64, zone: &TimeZone) -> Result<When, NotUnderstood> {
    Cron::parse(quoted).map_err(NotUnderstood::Cron)?;
    let fields: Vec<&str> = quoted.split_ascii_whitespace().collect();
    let when = When::Cron(fields.join(" "));
    if when.next(zone, now).is_none() {
        return Err(NotUnderstood::Cron(CronFault::NeverComes));
    }
    Ok(when)
}

/// Reads `day`, `weekday`, `weekend`, `monday` and `mon,wed,fri` as a field of crontab(5).
fn days(word: &str) -> Option<String> {
    match word.to_ascii_lowercase().as_str() {
        "day" => return Some("*".to_owned()),
        "weekday" => return Some(WORKDAYS.to_owned()),
        "weekend" => return Some("6,7".to_owned()),
        _ => (),
    }
    let mut days: Vec<u8> = word.split(',').map(weekday).collect::<Option<_>>()?;
    days.sort_unstable();
    days.dedup();
    let days: Vec<String> = days.iter().map(u8::to_string).collect();
    Some(days.join(","))
}
