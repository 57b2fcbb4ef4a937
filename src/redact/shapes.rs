//! Finds secrets by their form: looks where one of the anchors of [`forms`] stands.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};
use regex::Regex;

use super::forms::{self, Before, Form};
use super::judge::Found;
use super::{By, Secret};

struct Searcher {
    anchors: AhoCorasick,
    /// The forms that each anchor begins.
    of_anchors: Vec<Vec<usize>>,
    forms: Vec<(&'static Form, Regex)>,
}

static SEARCHER: LazyLock<Searcher> = LazyLock::new(|| {
    let mut by_anchor: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (number, form) in forms::all().enumerate() {
        for anchor in form.anchors {
            by_anchor.entry(anchor).or_default().push(number);
        }
    }
    let mistake = "what is a constant is right or wrong at the first test";
    Searcher {
        anchors: AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(by_anchor.keys())
            .expect(mistake),
        forms: forms::all()
            .map(|form| {
                let pattern = format!(r"\A(?:{})", form.pattern);
                (form, Regex::new(&pattern).expect(mistake))
            })
            .collect(),
        of_anchors: by_anchor.into_values().collect(),
    }
});

/// The secrets in a text that have a known form, in the order of their anchors.
pub fn find(text: &str) -> Vec<Secret<'static>> {
    let searcher = &*SEARCHER;
    let mut found = Vec::new();
    for anchor in searcher.anchors.find_iter(text) {
        for &number in &searcher.of_anchors[anchor.pattern()] {
            let (form, pattern) = &searcher.forms[number];
            let secret = range_of(form, pattern, text, anchor.start());
            found.extend(secret.map(|range| Secret {
                range,
                kind: Cow::Borrowed(form.kind),
                by: if form.is_token { By::Form } else { By::Place },
            }));
        }
    }
    found
}

/// The place of a secret of this form whose anchor is at `at`.
fn range_of(form: &Form, pattern: &Regex, text: &str, at: usize) -> Option<Range<usize>> {
    let own = own_before(form.before, &text[..at])?;
    let matched = pattern.captures(&text[at..])?;
    let whole = matched.get(0)?;
    let behind = &text[at + whole.end()..];
    let secret = matched.name("secret").unwrap_or(whole);
    let goes_on = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if secret.end() == whole.end() && behind.bytes().next().is_some_and(goes_on) {
        return None;
    }
    let named = |name| matched.name(name).map(|group| group.as_str());
    let found = Found {
        secret: secret.as_str(),
        name: named("name"),
        head: named("head"),
        behind,
    };
    (form.judge)(&found).then(|| at + secret.start() - own..at + secret.end())
}

/// How many bytes before an anchor belong to the secret; `None` if none can begin here.
fn own_before(before: Before, text: &str) -> Option<usize> {
    match before {
        Before::Anything => Some(0),
        Before::Edge => is_edge(text).then_some(0),
        Before::TokenEdge => (is_edge(text) && !text.ends_with('-')).then_some(0),
        Before::JwtEdge => (is_edge(text) && !text.ends_with(['-', '.'])).then_some(0),
        Before::BotNumber => {
            let digits = text
                .bytes()
                .rev()
                .take(11)
                .take_while(u8::is_ascii_digit)
                .count();
            let before = &text[..text.len() - digits];
            // In an address of the Bot API the word `bot` stands before it.
            let is_begun = is_edge(before) || before.ends_with("bot");
            ((8..=10).contains(&digits) && is_begun).then_some(digits)
        }
    }
}

/// Whether a word can begin behind this text: no letter, digit or `_` before it, unless that is part of an escape.
fn is_edge(text: &str) -> bool {
    let bytes = text.as_bytes();
    let Some(last) = bytes.last() else {
        return true;
    };
    if !last.is_ascii_alphanumeric() && *last != b'_' {
        return true;
    }
    match bytes {
        [.., b'\\', b'n' | b'r' | b't'] => true,
        [.., b'%', high, low] => high.is_ascii_hexdigit() && low.is_ascii_hexdigit(),
        // A colour of a terminal.
        [.., b'm'] => {
            let colour = text.trim_end_matches('m');
            let before = colour.trim_end_matches(|c: char| c.is_ascii_digit() || c == ';');
            colour.len() - before.len() < 20 && before.ends_with("\u{1b}[")
        }
        _ => false,
    }
}
