//! Shortens other people's text: takes the secrets out of all of it, then cuts.
//!
//! Whoever cuts first leaves pieces that nobody recognises. Texts for claude are cut by `domain::shown`: they stay as
//! they were written.

use std::borrow::Cow;

use super::Redactor;
use crate::domain::shown;

/// The first line, at most `characters` of it.
pub fn one_line(text: &str, characters: usize) -> String {
    shown::one_line(&whole(text), characters)
}

/// The beginning of a text, lines and all.
pub fn beginning(text: &str, characters: usize) -> String {
    shown::beginning(&whole(text), characters)
}

/// The last words of an unfinished text, from a word's start if there is one.
pub fn newest_words(text: &str, characters: usize) -> String {
    shown::newest_words(&whole(text), characters)
}

/// The last whole lines of a text, at most `bytes` long.
pub fn last_lines(text: &str, bytes: usize) -> String {
    shown::last_lines(&whole(text), bytes).to_owned()
}

/// As [`one_line`], for a text that a person judges.
pub fn one_line_to_judge(text: &str, characters: usize) -> String {
    shown::one_line(&whole_to_judge(text), characters)
}

/// The beginning and the end of a text that a person judges.
pub fn without_middle_to_judge(text: &str, characters: usize) -> String {
    shown::without_middle(&whole_to_judge(text), characters)
}

fn whole(text: &str) -> Cow<'_, str> {
    Redactor::of_this_process().text(text)
}

fn whole_to_judge(text: &str) -> Cow<'_, str> {
    Redactor::of_this_process().text_to_judge(text)
}
