//! A hold: while it lasts, nothing begins in a chat.

use jiff::Timestamp;
use jiff::Zoned;
use jiff::tz::TimeZone;

/// A hold of a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    pub why: HoldCause,
    /// Unix milliseconds; `None`: until a person acts.
    pub until: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldCause {
    /// A usage limit.
    Limit,
    /// claude is not logged in.
    Login,
    /// The API is overloaded or fails.
    Overload,
    /// claude cannot be started.
    Start,
}

impl HoldCause {
    /// The store's word for it.
    pub fn name(self) -> &'static str {
        match self {
            HoldCause::Limit => "limit",
            HoldCause::Login => "login",
            HoldCause::Overload => "overload",
            HoldCause::Start => "start",
        }
    }

    pub fn named(name: &str) -> Option<HoldCause> {
        const ALL: [HoldCause; 4] = [
            HoldCause::Limit,
            HoldCause::Login,
            HoldCause::Overload,
            HoldCause::Start,
        ];
        ALL.into_iter().find(|why| why.name() == name)
    }
}

impl Hold {
    /// Its end in this time zone.
    pub fn end_in(&self, zone: TimeZone) -> Option<Zoned> {
        let until = Timestamp::from_millisecond(self.until?).ok()?;
        Some(until.to_zoned(zone))
    }
}
