//! Decides when a live message's newest state is shown: not too often, and only if it changed.
//!
//! No I/O; time is an argument.

use std::time::Duration;

use tokio::time::Instant;

use crate::domain::live::LiveText;

#[derive(Debug)]
pub struct Pace {
    shown: LiveText,
    /// The text to show next; the newest wins.
    wanted: Option<LiveText>,
    not_before: Instant,
}

impl Pace {
    pub fn new(now: Instant) -> Pace {
        Pace {
            shown: LiveText::default(),
            wanted: None,
            not_before: now,
        }
    }

    pub fn want(&mut self, text: LiveText) {
        self.wanted = Some(text);
    }

    /// When the wanted text may be shown; the budget may say later.
    pub fn due_at(&self) -> Option<Instant> {
        self.wanted.as_ref().map(|_| self.not_before)
    }

    /// Takes the newest text, if it differs from the shown one.
    pub fn take(&mut self) -> Option<LiveText> {
        let text = self.wanted.take()?;
        (text != self.shown).then_some(text)
    }

    /// `text` was shown; the next one waits `pause`.
    pub fn shown(&mut self, text: LiveText, now: Instant, pause: Duration) {
        self.shown = text;
        self.not_before = now + pause;
    }

    /// `text` could not be shown; a newer one may replace it until `at`.
    pub fn again(&mut self, text: LiveText, at: Instant) {
        self.wanted.get_or_insert(text);
        self.not_before = at;
    }
}
