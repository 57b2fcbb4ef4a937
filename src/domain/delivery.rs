//! Messages that did not arrive.

/// Why a message is kept unsent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parked {
    /// It was sent twice, and nobody knows whether it arrived.
    Unconfirmed,
    /// The bot was blocked, removed, or may not write.
    Unreachable,
    /// Telegram does not take it as it is.
    Refused,
    /// The row cannot be read.
    Unreadable,
}

impl Parked {
    pub fn name(self) -> &'static str {
        match self {
            Parked::Unconfirmed => "unconfirmed",
            Parked::Unreachable => "unreachable",
            Parked::Refused => "refused",
            Parked::Unreadable => "unreadable",
        }
    }
}

/// What `/status` tells of a chat's messages that did not arrive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NotDelivered {
    pub count: u64,
    /// Why the newest of them was not, in the words of whoever refused it.
    pub reason: Option<String>,
}
