//! Which words differ between lines that went and the lines that came in their place.

use std::ops::Range;

use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::{Line, LineKind};

/// Longer lines are not compared word by word; in bytes.
const LONGEST: usize = 1_000;
/// Nor are more lines in one place.
const MOST_LINES: usize = 60;

/// What may still be spent on one diff: pairs of words that could be compared.
pub(super) struct Effort(usize);

impl Default for Effort {
    fn default() -> Effort {
        Effort(30_000_000)
    }
}

/// A word, a run of blanks or a sign, and where it is.
struct Token<'a> {
    text: &'a str,
    line: usize,
    at: Range<usize>,
}

/// Marks the words of a hunk's lines.
pub(super) fn mark(lines: &mut [Line], effort: &mut Effort) {
    let mut rest = lines;
    while let Some(start) = rest.iter().position(|line| line.kind == LineKind::Removed) {
        rest = &mut rest[start..];
        let middle = length(rest, LineKind::Removed);
        let end = middle + length(&rest[middle..], LineKind::Added);
        let (place, behind) = rest.split_at_mut(end);
        let (old, new) = place.split_at_mut(middle);
        compare(old, new, effort);
        rest = behind;
    }
}

/// How many lines of a kind stand here, with what is said about the last one's end.
fn length(lines: &[Line], kind: LineKind) -> usize {
    let of_kind = |line: &&Line| line.kind == kind || line.kind == LineKind::NoNewline;
    lines.iter().take_while(of_kind).count()
}

fn compare(old: &mut [Line], new: &mut [Line], effort: &mut Effort) {
    let are_long = |lines: &[Line]| {
        lines.len() > MOST_LINES || lines.iter().any(|line| line.text.len() > LONGEST)
    };
    if new.is_empty() || are_long(old) || are_long(new) {
        return;
    }
    let (before, after) = (tokens(old), tokens(new));
    let cost = before.len() * after.len();
    if cost > effort.0 {
        return;
    }
    effort.0 -= cost;
    let texts = |tokens: &[Token<'_>]| -> Vec<String> {
        tokens.iter().map(|token| token.text.to_owned()).collect()
    };
    let operations = capture_diff_slices(Algorithm::Myers, &texts(&before), &texts(&after));
    if !are_alike(&before, &after, &operations) {
        return;
    }
    let mut went = vec![Vec::new(); old.len()];
    let mut came = vec![Vec::new(); new.len()];
    for operation in operations {
        if !matches!(operation, DiffOp::Equal { .. }) {
            note(&before[operation.old_range()], &mut went);
            note(&after[operation.new_range()], &mut came);
        }
    }
    set(old, went);
    set(new, came);
}

/// Whether enough of the shorter side stayed for its words to be of interest.
fn are_alike(before: &[Token<'_>], after: &[Token<'_>], operations: &[DiffOp]) -> bool {
    let weight = |tokens: &[Token<'_>]| -> usize {
        let words = tokens.iter().filter(|token| !token.text.trim().is_empty());
        words.map(|token| token.text.len()).sum()
    };
    let stayed: usize = operations
        .iter()
        .filter(|operation| matches!(operation, DiffOp::Equal { .. }))
        .map(|operation| weight(&before[operation.old_range()]))
        .sum();
    stayed * 3 >= weight(before).min(weight(after))
}

fn note(tokens: &[Token<'_>], words: &mut [Vec<Range<usize>>]) {
    for token in tokens.iter().filter(|token| !token.at.is_empty()) {
        words[token.line].push(token.at.clone());
    }
}

fn set(lines: &mut [Line], words: Vec<Vec<Range<usize>>>) {
    for (line, words) in lines.iter_mut().zip(words) {
        let words = joined(&line.text, words);
        let is_whole = words.len() == 1
            && line.text[..words[0].start].trim().is_empty()
            && line.text[words[0].end..].trim().is_empty();
        line.words = if is_whole { Vec::new() } else { words };
    }
}

/// Words with nothing but blanks between them become one.
fn joined(text: &str, words: Vec<Range<usize>>) -> Vec<Range<usize>> {
    let mut joined: Vec<Range<usize>> = Vec::with_capacity(words.len());
    for word in words {
        match joined.last_mut() {
            Some(last) if text[last.end..word.start].trim().is_empty() => last.end = word.end,
            _ => joined.push(word),
        }
    }
    joined
}

fn tokens(lines: &[Line]) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        if line.kind == LineKind::NoNewline {
            continue;
        }
        let mut start = 0;
        while start < line.text.len() {
            let end = start + first_token(&line.text[start..]);
            tokens.push(Token {
                text: &line.text[start..end],
                line: number,
                at: start..end,
            });
            start = end;
        }
        tokens.push(Token {
            text: "\n",
            line: number,
            at: start..start,
        });
    }
    tokens
}

/// How long the first word, run of blanks or sign is.
fn first_token(text: &str) -> usize {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let Some(first) = text.chars().next() else {
        return 0;
    };
    let end = if is_word(first) {
        text.find(|c: char| !is_word(c))
    } else if first.is_whitespace() {
        text.find(|c: char| !c.is_whitespace())
    } else {
        Some(first.len_utf8())
    };
    end.unwrap_or(text.len())
}
