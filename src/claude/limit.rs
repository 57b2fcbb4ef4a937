//! Usage limits: the forms in which claude reports one, read into one type.
//!
//! Pure: the clock and the machine's zone are arguments. claude reports a limit in the text of a failed turn, in
//! `rate_limit_event` lines ([`LimitReport`]), or as a 429 of the API without any time. `run::hold` acts on it.

use std::sync::LazyLock;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan, Zoned};
use regex::{Captures, Regex};

use crate::domain::event::{ApiProblem, LimitReport, Standing};

/// A time of day that passed less than this ago meant today: the clocks differ, or the limit ends late.
const JUST_OVER: SignedDuration = SignedDuration::from_mins(15);
/// No limit lasts longer; a later time was misread.
const LONGEST: SignedDuration = SignedDuration::from_hours(40 * 24);

/// A usage limit that was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// When it ends; `None` if claude does not say so in a known form.
    pub until: Option<Timestamp>,
}

impl Limit {
    /// The limit that a turn has reached, if it has. It is told by the turn's words, whether the turn failed, the API
    /// problem that claude named, and the last report about limits.
    pub fn of_turn(
        words: &str,
        has_failed: bool,
        problem: Option<&ApiProblem>,
        report: Option<&LimitReport>,
        now: &Zoned,
    ) -> Option<Limit> {
        let named = has_failed && problem == Some(&ApiProblem::RateLimited);
        let said = Limit::of_words(words, now).filter(|_| has_failed || is_bare(words));
        if !named && said.is_none() {
            return None;
        }
        let reported = report
            .filter(|report| report.standing == Standing::Rejected)
            .and_then(|report| Timestamp::from_second(report.resets_at?).ok())
            .filter(|until| makes_sense(*until, now));
        // The report has the second, the words only the minute.
        let until = reported
            .or_else(|| said.and_then(|limit| limit.until))
            .or_else(|| until(&plain(words), now));
        Some(Limit { until })
    }

    /// The limit that claude's words report; `None` if they are about something else.
    pub fn of_words(words: &str, now: &Zoned) -> Option<Limit> {
        let words = plain(words);
        is_about_a_limit(&words).then(|| Limit {
            until: until(&words, now),
        })
    }
}

/// Whether a text begins as one about a limit, in any version seen so far: "You've hit your session limit · resets 8pm
/// (Europe/Berlin)", "5-hour limit reached ∙ resets 3am", "Claude AI usage limit reached|1760000000".
fn is_about_a_limit(words: &str) -> bool {
    static BEGINNING: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"(?i-u)^\s*(?:api error: )?(?:you've (?:hit|reached) (?:your|the) (?:[a-z0-9'-]+ ){0,4}limit|you're out of (?:extra )?usage|your org is out of usage|(?:(?:claude|ai|your|the|session|daily|weekly|hourly|5-hour|five-hour|usage|rate|opus|sonnet|haiku|fable|spend|spending|account|org) ){1,4}limit reached)",
        )
        .expect("the pattern is well-formed")
    });
    BEGINNING.is_match(words)
}

/// The one form that older versions also give as an answer; the text has nothing else in it.
fn is_bare(words: &str) -> bool {
    static BARE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i-u)^\s*claude(?: ai)? usage limit reached\|[0-9]{10,13}\s*$")
            .expect("the pattern is well-formed")
    });
    BARE.is_match(words)
}

/// Replaces typographic apostrophes, blanks and dots by ASCII.
fn plain(words: &str) -> String {
    words
        .chars()
        .map(|letter| match letter {
            '\u{2019}' => '\'',
            '\u{a0}' | '\u{202f}' | '·' | '∙' | '•' => ' ',
            letter => letter,
        })
        .collect()
}

/// When the limit ends, as plain words say it.
fn until(words: &str, now: &Zoned) -> Option<Timestamp> {
    let found = epoch(words)
        .or_else(|| after_a_while(words, now))
        .or_else(|| at_a_clock(words, now))?;
    makes_sense(found, now).then_some(found)
}

fn makes_sense(until: Timestamp, now: &Zoned) -> bool {
    let left = until.duration_since(now.timestamp());
    left.is_positive() && left <= LONGEST
}

/// `…|1760000000`, in seconds or milliseconds.
fn epoch(words: &str) -> Option<Timestamp> {
    static EPOCH: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"\|([0-9]{10,13})(?-u:\b)").expect("the pattern is well-formed")
    });
    let number: i64 = EPOCH.captures(words)?[1].parse().ok()?;
    Timestamp::from_second(seconds(number)).ok()
}

/// Unix seconds, from a time that claude gives in seconds or in milliseconds.
pub(super) fn seconds(number: i64) -> i64 {
    const NO_SECONDS: i64 = 100_000_000_000;
    if number < NO_SECONDS {
        number
    } else {
        number / 1000
    }
}

/// "resets in 2h 14m".
fn after_a_while(words: &str, now: &Zoned) -> Option<Timestamp> {
    static WHILE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"(?i-u)\bresets? in (?:([0-9]{1,2}) ?d(?:ays?)?,? ?)?(?:([0-9]{1,3}) ?h(?:ours?|rs?)?,? ?)?(?:([0-9]{1,3}) ?m(?:in(?:utes?)?)?\b)?",
        )
        .expect("the pattern is well-formed")
    });
    let found = WHILE.captures(words)?;
    let number = |at: usize| -> i64 {
        found
            .get(at)
            .and_then(|part| part.as_str().parse().ok())
            .unwrap_or(0)
    };
    let minutes = (number(1) * 24 + number(2)) * 60 + number(3);
    (minutes > 0)
        .then(|| {
            now.timestamp()
                .checked_add(SignedDuration::from_mins(minutes))
        })?
        .ok()
}

/// "resets 8pm (Europe/Berlin)", "resets Nov 28, 9am (UTC)", "will reset at 9:30 AM".
fn at_a_clock(words: &str, now: &Zoned) -> Option<Timestamp> {
    static CLOCK: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(concat!(
            r"(?i-u)\bresets?:? (?:at |on )?",
            r"(?:(?P<month>[a-z]{3,9})\.? (?P<day>[0-9]{1,2})(?:, ?(?P<year>[0-9]{4}))?,? (?:at )?)?",
            r"(?P<hour>[0-9]{1,2})(?::(?P<minute>[0-9]{2}))? ?(?:(?P<half>[ap])\.?m\b\.?)?",
            r"(?: ?\((?P<zone>[a-z0-9_+/-]+)\))?",
        ))
        .expect("the pattern is well-formed")
    });
    let found = CLOCK.captures(words)?;
    let time = time_of(&found)?;
    let zone = found
        .name("zone")
        .and_then(|zone| zone_named(zone.as_str()))
        .unwrap_or_else(|| now.time_zone().clone());
    let here = now.with_time_zone(zone.clone());
    let at = |date: Date| date.to_datetime(time).to_zoned(zone.clone()).ok();
    if let Some(month) = found.name("month") {
        let date = date_of(month.as_str(), &found, here.date())?;
        return at(date).map(|moment| moment.timestamp());
    }
    let today = at(here.date())?;
    let over = now.timestamp().duration_since(today.timestamp());
    if over.is_negative() {
        return Some(today.timestamp());
    }
    if over < JUST_OVER {
        return None;
    }
    at(here.date().tomorrow().ok()?).map(|moment| moment.timestamp())
}

fn zone_named(name: &str) -> Option<TimeZone> {
    if name.eq_ignore_ascii_case("UTC") || name.eq_ignore_ascii_case("GMT") {
        return Some(TimeZone::UTC);
    }
    TimeZone::get(name).ok()
}

fn time_of(found: &Captures<'_>) -> Option<Time> {
    let hour: i8 = found["hour"].parse().ok()?;
    let minute = found.name("minute").map(|part| part.as_str().parse());
    let minute: i8 = minute.transpose().ok()?.unwrap_or(0);
    let hour = match found.name("half").map(|half| half.as_str()) {
        Some(half) if (1..=12).contains(&hour) => {
            hour % 12
                + if half.eq_ignore_ascii_case("p") {
                    12
                } else {
                    0
                }
        }
        Some(_) => return None,
        // A bare number is not a time of day.
        None if found.name("minute").is_none() => return None,
        None => hour,
    };
    Time::new(hour, minute, 0, 0).ok()
}

/// Without a year, the next such day is meant.
fn date_of(month: &str, found: &Captures<'_>, today: Date) -> Option<Date> {
    const MONTHS: [&str; 12] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    let month = month.to_ascii_lowercase();
    let at = MONTHS.iter().position(|name| month.starts_with(name))?;
    let month = i8::try_from(at + 1).ok()?;
    let day: i8 = found["day"].parse().ok()?;
    if let Some(year) = found.name("year") {
        return Date::new(year.as_str().parse().ok()?, month, day).ok();
    }
    let in_this_year = Date::new(today.year(), month, day).ok();
    let yesterday = today.checked_sub(1.day()).ok()?;
    match in_this_year {
        Some(date) if date >= yesterday => Some(date),
        _ => Date::new(today.year() + 1, month, day).ok(),
    }
}
