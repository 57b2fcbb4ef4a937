//! HTML in an answer, as text: a chat has no use for tags that only say how something looks.
//!
//! `Vec<S>` and `Option<b>` look like tags, too. Only a pair in lower case is taken for tags.

use std::collections::{HashMap, VecDeque};

use pulldown_cmark::Event;

/// Tags that are left out; the text between them stays.
const LOOKS: [&str; 30] = [
    "b", "big", "center", "code", "del", "details", "div", "em", "font", "h1", "h2", "h3", "h4",
    "h5", "h6", "i", "ins", "kbd", "mark", "p", "s", "samp", "small", "span", "strong", "sub",
    "summary", "sup", "u", "var",
];
/// Their attributes that say nothing to a reader; a tag with another one stays as it is written.
const SILENT: [&str; 16] = [
    "align", "bgcolor", "border", "class", "color", "dir", "face", "height", "id", "lang", "open",
    "size", "style", "type", "valign", "width",
];

/// The tags of a whole text, in their order: which of them are left out.
#[derive(Default)]
pub(super) struct Tags {
    is_pair: VecDeque<bool>,
}

enum Piece<'a> {
    Words(&'a str),
    Tag(Tag<'a>),
}

struct Tag<'a> {
    source: &'a str,
    name: &'a str,
    closes: bool,
}

impl Tags {
    /// Finds for each tag the one that closes it.
    pub(super) fn of(events: &[Event<'_>]) -> Tags {
        let mut is_pair = VecDeque::new();
        let mut open: HashMap<&str, Vec<usize>> = HashMap::new();
        let html = events.iter().filter_map(|event| match event {
            Event::Html(html) | Event::InlineHtml(html) => Some(html.as_ref()),
            _ => None,
        });
        for piece in html.flat_map(pieces) {
            let Piece::Tag(tag) = piece else { continue };
            let same = open.entry(tag.name).or_default();
            let partner = if tag.closes { same.pop() } else { None };
            if let Some(partner) = partner {
                is_pair[partner] = true;
            } else if !tag.closes && LOOKS.contains(&tag.name) && tag.is_silent() {
                same.push(is_pair.len());
            }
            is_pair.push_back(partner.is_some());
        }
        Tags { is_pair }
    }

    /// The next HTML of the text without pairs of tags that only say how it looks; `<br>` is a new line, and every
    /// other tag stays as it is.
    pub(super) fn as_text(&mut self, html: &str) -> String {
        let mut text = String::with_capacity(html.len());
        let mut is_after_break = false;
        for piece in pieces(html) {
            let tag = match piece {
                Piece::Words(words) if is_after_break => {
                    text.push_str(words.strip_prefix('\n').unwrap_or(words));
                    is_after_break = false;
                    continue;
                }
                Piece::Words(words) => {
                    text.push_str(words);
                    continue;
                }
                Piece::Tag(tag) => tag,
            };
            let is_pair = self.is_pair.pop_front().unwrap_or_default();
            let is_void = !tag.closes && tag.is_silent();
            is_after_break = is_void && tag.name == "br";
            match tag.name {
                "br" if is_void => text.push('\n'),
                "hr" if is_void => text.push_str("———"),
                "summary" if is_pair && tag.closes => text.push('\n'),
                _ if is_pair => {}
                _ => text.push_str(tag.source),
            }
        }
        text
    }
}

impl Tag<'_> {
    /// Whether all its attributes are ones that say nothing to a reader.
    fn is_silent(&self) -> bool {
        let inside = self.source.trim_start_matches(['<', '/']);
        let inside = inside.trim_end_matches('>').trim_end_matches('/');
        let mut rest = inside.strip_prefix(self.name).unwrap_or(inside);
        loop {
            rest = rest.trim_start();
            if rest.is_empty() {
                return true;
            }
            let end = rest
                .find(|c: char| c == '=' || c.is_whitespace())
                .unwrap_or(rest.len());
            let (name, behind) = rest.split_at(end);
            if !SILENT.contains(&name) {
                return false;
            }
            rest = match behind.trim_start().strip_prefix('=') {
                Some(value) => behind_value(value.trim_start()),
                None => behind,
            };
        }
    }
}

/// What follows an attribute's value.
fn behind_value(text: &str) -> &str {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''));
    match quote {
        Some(quote) => text[1..].split_once(quote).map_or("", |(_, rest)| rest),
        None => text
            .split_once(char::is_whitespace)
            .map_or("", |(_, rest)| rest),
    }
}

/// Words and tags, in their order; together they are the text.
fn pieces(html: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = html;
    while let Some((before, from)) = rest.find('<').map(|start| rest.split_at(start)) {
        let Some((tag, _)) = from.split_once('>') else {
            break;
        };
        let (source, behind) = from.split_at(tag.len() + ">".len());
        if !before.is_empty() {
            pieces.push(Piece::Words(before));
        }
        let inside = tag.trim_start_matches('<');
        let name = inside.trim_start_matches('/');
        let end = name
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(name.len());
        pieces.push(Piece::Tag(Tag {
            source,
            name: name.split_at(end).0,
            closes: inside.starts_with('/'),
        }));
        rest = behind;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Words(rest));
    }
    pieces
}
