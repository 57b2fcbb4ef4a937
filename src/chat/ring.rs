//! When the phone rings: not in the quiet hours, and not for runs that were over in a moment.

use std::time::Duration;

use jiff::Zoned;

/// Minutes of the day; `from` may be after `to`, over midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuietHours {
    pub from: u16,
    pub to: u16,
}

/// What a chat wants to hear.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ring {
    /// Nothing rings in these hours, by the machine's clock.
    pub quiet: Option<QuietHours>,
    /// Only a run that took longer than this, in seconds, rings at its end.
    pub after_s: u32,
}

impl QuietHours {
    /// Reads `22:00-08:00`, `22-8`.
    pub fn parse(text: &str) -> Option<QuietHours> {
        let (from, to) = text.split_once(['-', '–'])?;
        let (from, to) = (minute_of(from)?, minute_of(to)?);
        (from != to).then_some(QuietHours { from, to })
    }

    /// Whether a minute of the day is in them.
    pub fn contains(self, minute: u16) -> bool {
        if self.from <= self.to {
            (self.from..self.to).contains(&minute)
        } else {
            minute >= self.from || minute < self.to
        }
    }
}

impl std::fmt::Display for QuietHours {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [from, to] = [self.from, self.to].map(|minute| (minute / 60, minute % 60));
        write!(f, "{:02}:{:02}–{:02}:{:02}", from.0, from.1, to.0, to.1)
    }
}

impl Ring {
    /// Whether a message that should ring does, at this minute of the day.
    pub fn rings_at(self, minute: u16) -> bool {
        !self.quiet.is_some_and(|quiet| quiet.contains(minute))
    }

    /// Whether the end of a run that took so long is worth a ring.
    pub fn is_worth_it(self, elapsed: Duration) -> bool {
        elapsed >= Duration::from_secs(self.after_s.into())
    }
}

/// The minute of the day that a clock shows.
pub fn minute_of_day(now: &Zoned) -> u16 {
    u16::try_from(now.hour()).unwrap_or(0) * 60 + u16::try_from(now.minute()).unwrap_or(0)
}

/// `22`, `22:30`, `8:05`, as a minute of the day.
fn minute_of(text: &str) -> Option<u16> {
    let text = text.trim();
    let (hour, minute) = text.split_once(':').unwrap_or((text, "0"));
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    ((hour < 24 && minute < 60) || (hour == 24 && minute == 0))
        .then_some((hour * 60 + minute) % 1440)
}
