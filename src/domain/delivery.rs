//! Messages that were not delivered.

/// Why a message is parked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parked {
    /// It was sent twice, and Telegram confirmed neither.
    Unconfirmed,
    /// The bot was blocked, removed, or may not write.
    Unreachable,
    /// Telegram refuses it.
    Refused,
    /// Its row cannot be read.
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

/// A chat's undelivered messages, for `/status`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NotDelivered {
    pub count: u64,
    /// Why the newest was not delivered, in the words of the refusing side.
    pub reason: Option<String>,
}
