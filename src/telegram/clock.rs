//! The time of day, by which a chat's quiet hours are told.

use jiff::Zoned;

/// By this machine's clock and time zone.
pub fn minute_of_day() -> u16 {
    let now = Zoned::now();
    u16::try_from(now.hour()).unwrap_or(0) * 60 + u16::try_from(now.minute()).unwrap_or(0)
}
