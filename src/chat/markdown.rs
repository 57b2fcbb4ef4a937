//! How claude's Markdown is read, in the chat and on the page: CommonMark with GFM's tables, task lists, strikethrough,
//! alerts and footnotes, and formulas.
//!
//! Tells formulas from prices: the parser takes two dollar signs in a sentence for a formula.

use std::borrow::Cow;

use pulldown_cmark::{Event, Options, Parser};

/// How often a text is read again: the dollar signs that are left may be taken for a formula with one another.
const READ_AGAIN: usize = 20;

/// What a model writes beyond CommonMark.
pub const OPTIONS: Options = Options::ENABLE_TABLES
    .union(Options::ENABLE_STRIKETHROUGH)
    .union(Options::ENABLE_TASKLISTS)
    .union(Options::ENABLE_FOOTNOTES)
    .union(Options::ENABLE_MATH)
    .union(Options::ENABLE_GFM);

/// The text with each dollar sign escaped that would begin a formula which is none.
pub fn escaped(markdown: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(markdown);
    if !markdown.contains('$') {
        return text;
    }
    for _ in 0..READ_AGAIN {
        let found: Vec<(usize, &str)> = Parser::new_ext(&text, OPTIONS)
            .into_offset_iter()
            .filter_map(|(event, range)| match event {
                Event::InlineMath(source) if !is_formula(&source) => Some((range.start, "$")),
                Event::DisplayMath(source) if !is_formula(&source) => Some((range.start, "$$")),
                _ => None,
            })
            .collect();
        if found.is_empty() {
            break;
        }
        let mut escaped = String::with_capacity(text.len() + 2 * found.len());
        let mut rest = text.as_ref();
        let mut from = 0;
        for (start, signs) in found {
            let (before, behind) = rest.split_at(start - from);
            escaped.push_str(before);
            rest = behind.strip_prefix(signs).unwrap_or(behind);
            from = text.len() - rest.len();
            for sign in signs.chars() {
                escaped.extend(['\\', sign]);
            }
        }
        escaped.push_str(rest);
        text = Cow::Owned(escaped);
    }
    text
}

/// Whether the text between dollar signs is a formula: two prices in a sentence are not.
pub fn is_formula(source: &str) -> bool {
    let has_command = source
        .as_bytes()
        .windows(2)
        .any(|pair| pair[0] == b'\\' && pair[1].is_ascii_alphabetic());
    let has_script = source.contains(['^', '_']) && !source.contains("  ");
    let is_short = source.len() <= 12
        && !source.contains(' ')
        && !source.starts_with(|c: char| c.is_ascii_digit());
    has_command || (has_script && source.len() <= 60) || is_short
}
