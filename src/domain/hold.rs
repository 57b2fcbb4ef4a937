//! A hold: nothing begins in a chat until it is gone.

use jiff::Timestamp;
use jiff::Zoned;
use jiff::tz::TimeZone;

/// Nothing begins in a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    pub why: HoldCause,
    /// Unix milliseconds; none: until somebody has done something.
    pub until: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldCause {
    /// A usage limit.
    Limit,
    /// claude is not logged in.
    Login,
}

impl HoldCause {
    /// One word, as the store has it.
    pub fn name(self) -> &'static str {
        match self {
            HoldCause::Limit => "limit",
            HoldCause::Login => "login",
        }
    }

    pub fn named(name: &str) -> Option<HoldCause> {
        [HoldCause::Limit, HoldCause::Login]
            .into_iter()
            .find(|why| why.name() == name)
    }
}

impl Hold {
    /// Its end, as a clock in this zone shows it.
    pub fn end_in(&self, zone: TimeZone) -> Option<Zoned> {
        let until = Timestamp::from_millisecond(self.until?).ok()?;
        Some(until.to_zoned(zone))
    }
}
