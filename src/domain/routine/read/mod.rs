//! A command's argument: options, the *when*, and behind it the prompt to the byte.
//!
//! Options stand before the when, so that no word of a prompt is taken for one. Nothing is guessed: what is not
//! understood is refused with the reason. The sentences about it are `chat`'s.

mod repeated;
mod single;
mod words;

use jiff::tz::TimeZone;

use super::{CronFault, Missed, When};
use crate::domain::shown;
pub(super) use words::Words;

/// `/every hour`, as fields of crontab(5).
pub(super) const HOURLY: &str = "0 * * * *";
/// The days of `weekday`, as a field of crontab(5).
pub(super) const WORKDAYS: &str = "1-5";

/// A command's argument, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted<'a> {
    pub when: When,
    /// The zone that was named, as the time zone database spells it.
    pub zone: Option<String>,
    /// A new session each time.
    pub is_fresh: bool,
    pub missed: Missed,
    pub prompt: &'a str,
}

/// The command, which says what forms its when has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `15:00`, `tomorrow 9:00`, `monday 9:00`, `2026-12-24 18:00`: once, at a time on the clocks.
    At,
    /// `20m`, `1h30m`, `3d`: once, after this time has gone by.
    In,
    /// `2h`, `weekday 9:00`, `mon,wed 9:00`, `hour`, `"0 9 * * 1-5"`: again and again.
    Every,
}

/// Why an argument is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotUnderstood {
    /// There is no when in one of the command's forms.
    NoWhen,
    /// Behind the when stands nothing.
    NoPrompt,
    /// The moment has passed.
    Past,
    /// Shorter than a second, or than a minute if it is again and again.
    TooShort,
    /// Longer than 366 days, or behind the calendar's end.
    TooLong,
    /// The time zone database has no such name.
    UnknownZone(String),
    /// This option stands in the way of one before it.
    Twice(String),
    Cron(CronFault),
}

/// Reads a command's argument at the moment `now`. `zone` holds if the argument names none.
pub fn read<'a>(
    form: Form,
    text: &'a str,
    now: i64,
    zone: &TimeZone,
) -> Result<Wanted<'a>, NotUnderstood> {
    let mut words = Words::of(text);
    let options = Options::read(&mut words)?;
    let zone = options.zone.as_ref().unwrap_or(zone);
    let when = match form {
        Form::At => single::at(&mut words, now, zone)?,
        Form::In => single::after(&mut words, now)?,
        Form::Every => repeated::every(&mut words, now, zone)?,
    };
    let prompt = words.behind_separator();
    if shown::is_blank(prompt) {
        return Err(NotUnderstood::NoPrompt);
    }
    Ok(Wanted {
        when,
        zone: options.zone_name,
        is_fresh: options.is_fresh,
        missed: options.missed.unwrap_or_default(),
        prompt,
    })
}

#[derive(Default)]
struct Options {
    is_fresh: bool,
    missed: Option<Missed>,
    zone: Option<TimeZone>,
    zone_name: Option<String>,
}

impl Options {
    /// Takes the options off the beginning.
    fn read(words: &mut Words) -> Result<Options, NotUnderstood> {
        let mut options = Options::default();
        loop {
            let word = words.peek();
            let is_new = match word.to_ascii_lowercase().as_str() {
                "fresh" => !std::mem::replace(&mut options.is_fresh, true),
                "skip" => options.missed.replace(Missed::Skip).is_none(),
                "all" => options.missed.replace(Missed::All).is_none(),
                lower if is_zone(lower) => options.take_zone(word)?,
                _ => return Ok(options),
            };
            if !is_new {
                return Err(NotUnderstood::Twice(word.to_owned()));
            }
            words.take();
        }
    }

    fn take_zone(&mut self, name: &str) -> Result<bool, NotUnderstood> {
        let unknown = || NotUnderstood::UnknownZone(name.to_owned());
        let zone = TimeZone::get(name).map_err(|_| unknown())?;
        let is_new = self.zone_name.is_none();
        self.zone_name = Some(zone.iana_name().unwrap_or(name).to_owned());
        self.zone = Some(zone);
        Ok(is_new)
    }
}

/// Looks like the name of a zone. Fields of crontab(5) have slashes, too.
fn is_zone(word: &str) -> bool {
    word == "utc" || (word.contains('/') && !word.starts_with(words::is_quote))
}
