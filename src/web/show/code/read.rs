//! Reads one line of code for its colours.

use super::languages::{Language, Shape, Text};
use crate::web::show::line::Colour;

const COMMENT: &str = "c-comment";
const TEXT: &str = "c-text";
const NUMBER: &str = "c-number";
const KEYWORD: &str = "c-keyword";
const TYPE: &str = "c-type";
const CALL: &str = "c-call";
const KEY: &str = "c-key";

/// What a line begins in.
#[derive(Clone, Copy, Default)]
pub(super) enum State {
    #[default]
    Code,
    Comment {
        depth: u32,
    },
    Text(&'static Text),
    /// Within the angle brackets of a tag.
    Tag,
}

/// The colours of a line. `state` is what the line begins in, and then what the next one does.
pub(super) fn line(language: &'static Language, text: &str, state: &mut State) -> Vec<Colour> {
    let mut reader = Reader {
        language,
        text,
        at: 0,
        colours: Vec::new(),
    };
    match language.shape {
        Shape::Prose => reader.prose(),
        Shape::Diff => reader.diff(),
        Shape::Code | Shape::Data | Shape::Tags => reader.code(state),
    }
    reader.colours
}

struct Reader<'a> {
    language: &'static Language,
    text: &'a str,
    at: usize,
    colours: Vec<Colour>,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Takes the next bytes, with or without a colour.
    fn take(&mut self, length: usize, class: Option<&'static str>) {
        let end = self.at + length;
        let class = class.filter(|_| length > 0);
        match (class, self.colours.last_mut()) {
            (Some(class), Some((last, same))) if last.end == self.at && *same == class => {
                last.end = end;
            }
            (Some(class), _) => self.colours.push((self.at..end, class)),
            (None, _) => {}
        }
        self.at = end;
    }

    fn prose(&mut self) {
        let start = self.text.trim_start();
        let class = match start.as_bytes().first() {
            Some(b'#') => KEYWORD,
            Some(b'>') => COMMENT,
            _ => return,
        };
        self.take(self.text.len(), Some(class));
    }

    fn diff(&mut self) {
        let class = match self.text.as_bytes().first() {
            Some(b'+') => "c-added",
            Some(b'-') => "c-removed",
            Some(b'@') => KEY,
            _ => return,
        };
        self.take(self.text.len(), Some(class));
    }

    fn code(&mut self, state: &mut State) {
        loop {
            *state = match *state {
                State::Comment { depth } => self.comment(depth),
                State::Text(text) => self.text(text),
                open => open,
            };
            // A comment or a text that is still open has the whole line.
            let Some(next) = self.rest().chars().next() else {
                break;
            };
            self.next(next, state);
        }
    }

    fn next(&mut self, next: char, state: &mut State) {
        let is_within_tag = matches!(state, State::Tag);
        let has_words = self.language.shape != Shape::Tags || is_within_tag;
        if next.is_whitespace() {
            self.take(next.len_utf8(), None);
        } else if let Some(length) = self.comment_starts().filter(|_| !is_within_tag) {
            self.take(length, Some(COMMENT));
            *state = State::Comment { depth: 1 };
        } else if self.is_line_comment() {
            self.take(self.rest().len(), Some(COMMENT));
        } else if self.language.shape == Shape::Tags && !is_within_tag {
            self.tag(next, state);
        } else if is_within_tag && next == '>' {
            self.take(1, Some(KEYWORD));
            *state = State::Code;
        } else if let Some(length) = self.character() {
            self.take(length, Some(TEXT));
        } else if let Some(text) = self.text_starts() {
            self.take(text.start.len(), Some(TEXT));
            *state = self.text(text).or(*state);
            self.name_in_quotes();
        } else if next.is_ascii_digit() {
            self.number();
        } else if self.is_of_word(next) && has_words {
            self.word();
        } else {
            self.take(next.len_utf8(), None);
        }
    }

    /// Goes to the end of a comment, if it is in this line.
    fn comment(&mut self, mut depth: u32) -> State {
        let Some((start, end)) = self.language.comment else {
            return State::Code;
        };
        let rest = self.rest();
        let mut length = 0;
        while depth > 0 {
            let behind = &rest[length..];
            let Some(at) = behind.find(end) else {
                self.take(rest.len(), Some(COMMENT));
                return State::Comment { depth };
            };
            let inner = behind[..at].find(start);
            match inner.filter(|_| self.language.comments_nest) {
                Some(inner) => (depth, length) = (depth + 1, length + inner + start.len()),
                None => (depth, length) = (depth - 1, length + at + end.len()),
            }
        }
        self.take(length, Some(COMMENT));
        State::Code
    }

    /// Goes to the end of a text, if it is in this line.
    fn text(&mut self, text: &'static Text) -> State {
        let rest = self.rest();
        let mut from = 0;
        let end = loop {
            let Some(end) = rest[from..].find(text.end).map(|at| from + at) else {
                break None;
            };
            let before = &rest[..end];
            let backslashes = before.len() - before.trim_end_matches('\\').len();
            if !text.escapes || backslashes.is_multiple_of(2) {
                break Some(end + text.end.len());
            }
            from = end + text.end.len();
        };
        self.take(end.unwrap_or(rest.len()), Some(TEXT));
        match end {
            None if text.goes_on => State::Text(text),
            _ => State::Code,
        }
    }

    fn comment_starts(&self) -> Option<usize> {
        let (start, _) = self.language.comment?;
        self.rest().starts_with(start).then_some(start.len())
    }

    fn is_line_comment(&self) -> bool {
        let comments = self.language.line_comments;
        let Some(start) = comments
            .iter()
            .find(|start| self.rest().starts_with(**start))
        else {
            return false;
        };
        // In a shell `$#` and `a#b` are none.
        *start != "#"
            || self.text[..self.at]
                .chars()
                .next_back()
                .is_none_or(char::is_whitespace)
    }

    /// A character as Rust, C, Go and Java write it. Rust's lifetimes begin like one.
    fn character(&self) -> Option<usize> {
        let inside = self.rest().strip_prefix('\'')?;
        if !self.language.has_characters {
            return None;
        }
        let first = inside.chars().next()?;
        let from = if first == '\\' { 2 } else { first.len_utf8() };
        let end = inside.get(from..)?.find('\'')? + from;
        (end == from || (first == '\\' && end <= 12)).then_some(end + 2)
    }

    fn text_starts(&self) -> Option<&'static Text> {
        let texts = self.language.texts;
        let text = texts
            .iter()
            .find(|text| self.rest().starts_with(text.start))?;
        // The apostrophe in `it's`.
        let is_within_word = self.text[..self.at].ends_with(char::is_alphanumeric);
        (self.language.shape != Shape::Data || !is_within_word).then_some(text)
    }

    /// The text that has just ended may be a name, as in JSON.
    fn name_in_quotes(&mut self) {
        let is_name =
            self.language.shape == Shape::Data && self.rest().trim_start().starts_with(':');
        if let Some((_, class)) = self.colours.last_mut().filter(|_| is_name) {
            *class = KEY;
        }
    }

    fn number(&mut self) {
        let rest = self.rest();
        let mut length = 0;
        for (at, c) in rest.char_indices() {
            let goes_on = c.is_ascii_alphanumeric()
                || c == '_'
                || (c == '.' && rest[at + 1..].starts_with(|c: char| c.is_ascii_digit()));
            if !goes_on {
                break;
            }
            length = at + 1;
        }
        self.take(length, Some(NUMBER));
    }

    fn word(&mut self) {
        let rest = self.rest();
        let length = rest.find(|c| !self.is_of_word(c)).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(length);
        self.take(length, self.class_of(word, behind));
    }

    fn class_of(&self, word: &str, behind: &str) -> Option<&'static str> {
        let language = self.language;
        let next = behind.trim_start();
        let is_key = match language.shape {
            Shape::Data => next.starts_with([':', '=']),
            Shape::Tags => true,
            _ => language.has_keys && next.starts_with(':'),
        };
        if language.is_keyword(word) {
            Some(KEYWORD)
        } else if is_key || word.starts_with(['$', '@']) {
            Some(KEY)
        } else if behind.starts_with('(') || (behind.starts_with("!(") && language.has_characters) {
            Some(CALL)
        } else if language.has_types && word.starts_with(char::is_uppercase) {
            Some(TYPE)
        } else {
            None
        }
    }

    /// The next piece between tags.
    fn tag(&mut self, next: char, state: &mut State) {
        let rest = self.rest();
        let name = rest.trim_start_matches(['<', '/', '!', '?']);
        if next != '<' || !name.starts_with(char::is_alphabetic) {
            let length = rest[next.len_utf8()..]
                .find('<')
                .map_or(rest.len(), |at| at + next.len_utf8());
            return self.take(length, None);
        }
        let signs = rest.len() - name.len();
        let end = name.find(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | ':' | '.')));
        self.take(signs + end.unwrap_or(name.len()), Some(KEYWORD));
        *state = State::Tag;
    }

    fn is_of_word(&self, c: char) -> bool {
        c.is_alphanumeric() || c == '_' || self.language.in_words.contains(c)
    }
}

impl State {
    /// The state behind a text: of a tag's value it is the tag.
    fn or(self, around: State) -> State {
        match self {
            State::Code => around,
            open => open,
        }
    }
}
