//! Words that are still being written, without secrets: a secret is shown as nothing until its end has come.
//!
//! Holds back the newest word while it may be a secret, and a private key from its first line on.

use super::{Redactor, private_key};

/// A text that is longer without a place at which it may be shown is not shown before it is complete.
const LONGEST_HELD: usize = 16 * 1024;
/// How much is remembered of what was shown: it may say that a secret follows.
const REMEMBERED: usize = 256;
/// A longer word without digits and capitals is held back, too.
const LONGEST_PLAIN: usize = 24;

/// One text of claude's, as its pieces come.
#[derive(Debug, Default)]
pub struct Streamed {
    /// The end of what was shown, and all that was not.
    text: String,
    /// How much of it was shown, in bytes.
    shown: usize,
    /// The rest waits for the complete text.
    is_given_up: bool,
}

impl Streamed {
    /// Another text begins.
    pub fn begin(&mut self) {
        *self = Streamed::default();
    }

    /// Takes the next piece; what may be shown now, perhaps nothing.
    pub fn take(&mut self, piece: &str, redactor: &Redactor) -> String {
        if self.is_given_up {
            return String::new();
        }
        self.text.push_str(piece);
        let mut until = self.word_start(redactor);
        if let Some(key) = private_key::begun(&self.text) {
            until = until.min(key);
        }
        let secrets = redactor.secrets(&self.text);
        for secret in &secrets {
            // It may go on.
            if secret.range.start < until && secret.range.end > until {
                until = secret.range.start;
            }
        }
        let mut words = String::new();
        for secret in &secrets {
            if secret.range.start >= until || secret.range.end <= self.shown {
                continue;
            }
            words.push_str(
                self.text
                    .get(self.shown..secret.range.start)
                    .unwrap_or_default(),
            );
            words.push_str(&secret.stand_in());
            self.shown = secret.range.end;
        }
        if self.shown < until {
            words.push_str(&self.text[self.shown..until]);
            self.shown = until;
        }
        self.forget();
        words
    }

    /// Where the newest word begins, if it may be a secret, or become one.
    fn word_start(&self, redactor: &Redactor) -> usize {
        let text = &self.text;
        let is_of_word = |byte: &u8| byte.is_ascii_graphic();
        let length = text.bytes().rev().take_while(is_of_word).count();
        let (before, word) = text.split_at(text.len() - length);
        let value = text.ceil_char_boundary(text.len() - redactor.begun_value(text));
        match is_plain(word) && !says_secret(before) {
            true => value,
            false => before.len().min(value),
        }
    }

    fn forget(&mut self) {
        if self.text.len() - self.shown > LONGEST_HELD {
            self.is_given_up = true;
            self.text = String::new();
            return;
        }
        // At a blank, so that no word without its beginning is taken for one.
        let old = self
            .text
            .floor_char_boundary(self.shown.saturating_sub(REMEMBERED));
        if let Some(blank) = self.text[..old].rfind(' ') {
            self.text.drain(..blank);
            self.shown -= blank;
        }
    }
}

/// A word of a language, with its punctuation.
fn is_plain(word: &str) -> bool {
    let word = word.trim_start_matches(['(', '"', '\'', '*', '`', '[', '#', '-']);
    let behind_first = word.get(1..).unwrap_or_default();
    word.len() <= LONGEST_PLAIN
        && !word.starts_with(|c: char| c.is_ascii_digit())
        && behind_first
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || b".,;!?)\"'*`]".contains(&byte))
}

/// Whether a secret may follow that looks like an ordinary word.
fn says_secret(before: &str) -> bool {
    let before = before.trim_end();
    let last = before
        .rsplit(char::is_whitespace)
        .next()
        .unwrap_or_default();
    last.ends_with(['=', ':'])
        || ["bearer", "basic"]
            .iter()
            .any(|word| last.to_ascii_lowercase().ends_with(word))
}
