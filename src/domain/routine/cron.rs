//! Five fields of crontab(5), and the times on a clock that they name.
//!
//! `cronexpr` reads the fields and finds the times, as if in UTC: what the clocks of a zone do with a time is
//! [`super::civil`]'s. Where both a day of the month and a day of the week are named, either is enough.

use cronexpr::{Crontab, FallbackTimezoneOption, ParseOptions};
use jiff::civil::{DateTime, date};
use jiff::tz::TimeZone;

/// The longest expression, in bytes.
const MOST_BYTES: usize = 200;
/// From this year on, no time is searched: the calendar is near its end.
const LAST_YEAR: i16 = 9900;
/// How often a search goes on. Each goes through four years; together they meet 29 February on every day of the week,
/// also across a year like 2100.
const SEARCHES: usize = 11;
const SEARCHED_YEARS: i16 = 4;

/// Why an expression is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Not five fields: a nickname such as `@daily`, a zone, seconds.
    NotFive,
    /// `L`, `W`, `#` or `H`, which other programs know and crontab(5) does not.
    Extension,
    /// What is wrong in a field, in cronexpr's words; one line.
    Field(String),
    /// No day of the calendar fits, as with 30 February.
    NeverComes,
}

/// An expression that was understood.
pub struct Cron(Crontab);

impl Cron {
    pub fn parse(text: &str) -> Result<Cron, Fault> {
        let fields: Vec<&str> = text.split_ascii_whitespace().collect();
        let &[_, _, days, _, weekdays] = fields.as_slice() else {
            return Err(Fault::NotFive);
        };
        let has = |field: &str, letters: &str| {
            field
                .chars()
                .any(|c| letters.contains(c.to_ascii_uppercase()))
        };
        if has(text, "#") || has(days, "LW") || has(weekdays, "L") || fields.contains(&"H") {
            return Err(Fault::Extension);
        }
        let known = |c: char| c.is_ascii_alphanumeric() || "*,-/".contains(c);
        let fields = fields.join(" ");
        if let Some(c) = fields.chars().find(|&c| c != ' ' && !known(c)) {
            return Err(Fault::Field(format!("unknown character {c:?}")));
        }
        if fields.len() > MOST_BYTES {
            return Err(Fault::Field(format!("longer than {MOST_BYTES} characters")));
        }
        let mut options = ParseOptions::default();
        options.fallback_timezone_option = FallbackTimezoneOption::UTC;
        let parsed = cronexpr::parse_crontab_with(&fields, options);
        parsed
            .map(Cron)
            .map_err(|error| Fault::Field(reason(&error.to_string())))
    }

    /// The first time on a clock behind `time` that the fields name.
    pub fn next(&self, time: DateTime) -> Option<DateTime> {
        let (mut year, mut from) = (time.year(), time);
        for _ in 0..SEARCHES {
            if year >= LAST_YEAR {
                return None;
            }
            let after = from.to_zoned(TimeZone::UTC).ok()?.timestamp();
            if let Ok(found) = self.0.find_next(after) {
                return Some(found.datetime());
            }
            // The last minute before a year, so that the year is searched from its beginning.
            year += SEARCHED_YEARS;
            from = date(year - 1, 12, 31).at(23, 59, 0, 0);
        }
        None
    }
}

/// The last line of cronexpr's message, behind the mark below the place.
fn reason(message: &str) -> String {
    let last = message.lines().last().unwrap_or_default().trim();
    last.trim_start_matches('^').trim().to_owned()
}
