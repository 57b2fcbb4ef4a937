//! Private keys in PEM form (RFC 7468), whole or cut off at either end.
//!
//! Found by hand rather than by a pattern: a pattern would read to the end of the text from every line that begins
//! a key and never ends it.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memmem;

use super::{By, Secret};

const KIND: &str = "private key";
/// Part of the first and the last line of every such key.
const NAME: &str = "PRIVATE KEY";
/// The shortest line of a key's middle, in characters.
const LEAST_LINE: usize = 32;

/// The private keys in a text, in their order.
pub fn find(text: &str) -> Vec<Secret<'static>> {
    let mut found: Vec<Secret<'static>> = Vec::new();
    let mut done = 0;
    for name in memmem::find_iter(text.as_bytes(), NAME) {
        if name < done {
            continue;
        }
        let Some((edge, marker)) = marker_around(text, name) else {
            continue;
        };
        let range = match edge {
            Edge::Begin => marker.start..end_of_key(text, marker.end),
            // Two such lines may share their dashes.
            Edge::End => start_of_key(text, done.min(marker.start), marker.start)..marker.end,
        };
        // A line alone is only text about keys.
        if range == marker {
            continue;
        }
        done = range.end;
        found.push(Secret {
            range,
            kind: Cow::Borrowed(KIND),
            by: By::Place,
        });
    }
    found
}

/// Where a key begins whose end may be still to come.
pub fn begun(text: &str) -> Option<usize> {
    let mut names = memmem::rfind_iter(text.as_bytes(), NAME).take(2);
    names.find_map(|name| {
        let (edge, marker) = marker_around(text, name)?;
        let body = &text.as_bytes()[marker.end..];
        let is_open = edge == Edge::Begin && length_of_body(body.iter().copied()) == body.len();
        is_open.then_some(marker.start)
    })
}

/// Follows lines one by one, so that none of a key's is shown alone.
#[derive(Default)]
pub struct Lines {
    is_within: bool,
}

impl Lines {
    /// The line, or what is shown in its place.
    pub fn shown(&mut self, line: String) -> String {
        let edge = memmem::rfind(line.as_bytes(), NAME.as_bytes())
            .and_then(|name| marker_around(&line, name))
            .map(|(edge, _)| edge);
        let was_within = self.is_within;
        self.is_within = match edge {
            Some(edge) => edge == Edge::Begin,
            None => was_within && length_of_body(line.bytes()) == line.len(),
        };
        match was_within && (self.is_within || edge.is_some()) || edge == Some(Edge::Begin) {
            true => format!("[redacted: {KIND}]"),
            false => line,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Edge {
    Begin,
    End,
}

/// The line `-----BEGIN … PRIVATE KEY-----` or `-----END …` around its last words.
fn marker_around(text: &str, name: usize) -> Option<(Edge, Range<usize>)> {
    let bytes = text.as_bytes();
    // `ENCRYPTED`, `OPENSSH`, `RSA`, … and what is before.
    let words = bytes[..name]
        .iter()
        .rev()
        .take(32)
        .take_while(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || **byte == b' ')
        .count();
    let before = &text[..name - words];
    let title = &text[name - words..name];
    let start = before.strip_suffix("-----")?.len();
    let edge = match title.split(' ').next() {
        Some("BEGIN") => Edge::Begin,
        Some("END") => Edge::End,
        _ => return None,
    };
    let rest = &text[name + NAME.len()..];
    let dashes = ["-----", " BLOCK-----"]
        .into_iter()
        .find(|dashes| rest.starts_with(dashes))?;
    Some((edge, start..name + NAME.len() + dashes.len()))
}

/// The end of the key's last line, or of the last line that belongs to it.
fn end_of_key(text: &str, from: usize) -> usize {
    let rest = &text[from..];
    let body = length_of_body(rest.bytes());
    let behind = rest[body..].trim_start_matches('-');
    let Some(title) = behind.strip_prefix("END ") else {
        return from + lines_of_a_key(&rest[..body]);
    };
    let close = title
        .bytes()
        .take(64)
        .take_while(|byte| byte.is_ascii_uppercase() || *byte == b' ')
        .count();
    let dashes = title[close..]
        .bytes()
        .take(5)
        .take_while(|byte| *byte == b'-');
    text.len() - title.len() + close + dashes.count()
}

/// The length of a key's middle: up to the next line of dashes, so that no text is read twice.
fn length_of_body(bytes: impl Iterator<Item = u8>) -> usize {
    let mut length = 0;
    let mut was_dash = false;
    for byte in bytes {
        let is_dash = byte == b'-';
        if is_dash && was_dash {
            return length - 1;
        }
        if !is_of_a_key(byte) {
            break;
        }
        was_dash = is_dash;
        length += 1;
    }
    length
}

/// The length of a text's first lines that belong to a key.
fn lines_of_a_key(body: &str) -> usize {
    let mut end = 0;
    let mut at = 0;
    for word in body.split_inclusive(|c: char| !is_base64(c)) {
        at += word.len();
        let letters = word.trim_end_matches(|c: char| !is_base64(c)).len();
        if letters >= LEAST_LINE {
            end = at - (word.len() - letters);
        } else if letters > 2 {
            // A shorter word ends it; `n` and `r` are the rest of a line break in quotes.
            if end > 0 && at - word.len() - end <= 4 {
                end = at - (word.len() - letters);
            }
            break;
        }
    }
    end
}

/// The start of the lines before a key's last one that belong to it; not before `floor`.
fn start_of_key(text: &str, floor: usize, until: usize) -> usize {
    let body = length_of_body(text.as_bytes()[floor..until].iter().rev().copied());
    let body = &text[until - body..until];
    let mut start = until;
    let mut at = until - body.len();
    for word in body.split_inclusive(|c: char| !is_base64(c)) {
        let letters = word.trim_end_matches(|c: char| !is_base64(c)).len();
        if letters >= LEAST_LINE && start == until {
            start = at;
        } else if letters > 2 && letters < LEAST_LINE {
            // Only the last line may be short.
            let is_last = at + word.len() + 4 >= until;
            if !is_last {
                start = until;
            }
        }
        at += word.len();
    }
    start
}

fn is_base64(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=')
}

/// Base64, the lines that an encrypted key begins with, line ends (as they are and as `\n`), and what a diff or a
/// quote puts before a line.
fn is_of_a_key(byte: u8) -> bool {
    is_base64(char::from(byte))
        || matches!(
            byte,
            b'\n' | b'\r' | b'\t' | b' ' | b'\\' | b'>' | b'|' | b'-' | b':' | b','
        )
}
