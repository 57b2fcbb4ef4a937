//! Takes the secrets out of what a chat sees: messages and live messages.

use std::borrow::Cow;
use std::ops::Range;

use super::Redactor;
use crate::domain::live::LiveText;
use crate::domain::outgoing::{Body, Outgoing};

/// How every stand-in begins.
const STANDS_IN: &str = "[redacted: ";
/// Below a text that a person judges.
const HIDDEN: &str = "A secret in it is not shown.";
/// Below a patch.
const DOES_NOT_APPLY: &str = "A secret in it is not shown, so it does not apply as it is.";

impl Redactor {
    /// Takes the secrets out of everything that a message says.
    pub fn clean_message(&self, message: &mut Outgoing) {
        let is_to_judge = message.is_to_judge();
        let mut has_hidden = false;
        for text in message.texts_mut() {
            if let Cow::Owned(shown) = self.of_message(is_to_judge, text) {
                *text = shown;
            }
            // What was shortened before lacks it already.
            has_hidden |= text.contains(STANDS_IN);
        }
        if has_hidden {
            say_so(&mut message.body, is_to_judge);
        }
    }

    /// A text of a message without its secrets.
    pub fn of_message<'a>(&self, is_to_judge: bool, text: &'a str) -> Cow<'a, str> {
        match is_to_judge {
            true => self.text_to_judge(text),
            false => self.text(text),
        }
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

/// Says that something is not shown, where it matters that everything is there.
fn say_so(body: &mut Body, is_to_judge: bool) {
    match body {
        Body::Question { below, .. } => *below = format!("{HIDDEN}\n{below}").trim_end().to_owned(),
        Body::File {
            content, caption, ..
        } if is_to_judge && content.contains(STANDS_IN) => {
            *caption = format!("{caption} {HIDDEN}");
        }
        Body::File {
            name,
            content,
            caption,
        } if name.ends_with(".diff") && content.contains(STANDS_IN) => {
            *caption = format!("{caption}. {DOES_NOT_APPLY}");
        }
        Body::Answer { markdown, footer } if is_patch(markdown) && markdown.contains(STANDS_IN) => {
            *footer = format!("{footer}. {DOES_NOT_APPLY}");
        }
        _ => {}
    }
}

/// Whether the whole text is one block of a patch, as `chat::changes` writes it.
fn is_patch(markdown: &str) -> bool {
    let block = markdown.trim_start_matches('`');
    block.len() + 3 <= markdown.len() && block.starts_with("diff\ndiff --git ")
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
