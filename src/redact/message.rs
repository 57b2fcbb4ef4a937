//! Takes the secrets out of what a chat sees: messages and live messages.

use std::ops::Range;

use super::Redactor;
use crate::domain::live::LiveText;
use crate::domain::outgoing::Outgoing;

impl Redactor {
    /// Takes the secrets out of everything that a message says.
    pub fn clean_message(&self, message: &mut Outgoing) {
        message.texts_mut().for_each(|text| self.clean(text));
    }

    /// The live text without its secrets; code stays marked as code.
    pub fn without_secrets(&self, mut live: LiveText) -> LiveText {
        self.clean(&mut live.words);
        let secrets = self.secrets(&live.text);
        if secrets.is_empty() {
            return live;
        }
        let mut shown = String::with_capacity(live.text.len());
        // Where each secret was, and where its stand-in is.
        let mut places: Vec<(Range<usize>, Range<usize>)> = Vec::with_capacity(secrets.len());
        for secret in secrets {
            let from = places.last().map_or(0, |(was, _)| was.end);
            shown.push_str(&live.text[from..secret.range.start]);
            let start = shown.len();
            shown.push_str(&secret.stand_in());
            places.push((secret.range, start..shown.len()));
        }
        let from = places.last().map_or(0, |(was, _)| was.end);
        shown.push_str(&live.text[from..]);
        let mut end_before = 0;
        for range in &mut live.code {
            // Two that share a secret do not share its stand-in.
            let start = moved(range.start, &places, |stand_in| stand_in.start).max(end_before);
            let end = moved(range.end, &places, |stand_in| stand_in.end).max(start);
            *range = start..end;
            end_before = end;
        }
        live.text = shown;
        live
    }
}

/// Where a place in a text is after secrets became stand-ins; one within a secret moves to an edge.
fn moved(
    at: usize,
    places: &[(Range<usize>, Range<usize>)],
    edge: impl Fn(&Range<usize>) -> usize,
) -> usize {
    match places.iter().rev().find(|(was, _)| was.start < at) {
        Some((was, stand_in)) if at < was.end => edge(stand_in),
        Some((was, stand_in)) => at - was.end + stand_in.end,
        None => at,
    }
}
