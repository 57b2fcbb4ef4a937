//! Text of others as a person can judge it: what cannot be seen is shown, what is too long keeps both its ends.
//!
//! Pure. What is masked because it is a secret is `redact`'s.

use crate::files::is_unseen;

/// A text as it is, with a mark in the place of each character that cannot be seen, or that makes what is around it
/// look like something else.
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '\n' | '\t') || !is_unseen(character) {
            shown.push(character);
        } else {
            shown.push_str(&format!("<U+{:04X}>", u32::from(character)));
        }
    }
    shown
}

/// Its beginning and its end, at most so many characters of it.
pub fn without_middle(text: &str, characters: usize) -> String {
    let count = text.chars().count();
    if count <= characters {
        return text.to_owned();
    }
    let half = characters / 2;
    let start: String = text.chars().take(half).collect();
    let end: String = text.chars().skip(count - half).collect();
    format!("{start}…{end}")
}

/// Whether nothing of it would be seen.
pub fn is_blank(text: &str) -> bool {
    text.chars()
        .all(|character| character.is_whitespace() || is_unseen(character))
}
