//! A text with styles, and how it is cut into messages.
//!
//! Styles are byte ranges here and become entities in UTF-16 units at the end, as the Bot API wants them
//! (`MessageEntity`). A cut clips the ranges: a code block continues in the next message with its language, and nothing
//! has to be escaped.

use std::ops::Range;

use serde::Serialize;
use unicode_segmentation::UnicodeSegmentation;

/// Bot API: a message's text in UTF-16 units.
pub const MESSAGE_UNITS: usize = 4096;
/// Bot API: a caption's text in UTF-16 units.
pub const CAPTION_UNITS: usize = 1024;
/// Bot API: entities beyond this many are dropped by the server.
const ENTITIES: usize = 100;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Style {
    Bold,
    Italic,
    Strikethrough,
    Code,
    Pre {
        language: Option<String>,
    },
    Link {
        url: String,
    },
    /// A folded one opens at a touch.
    Quote {
        folded: bool,
    },
    /// Unix seconds, and the Bot API's `date_time_format`.
    Time {
        at: i64,
        format: &'static str,
    },
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rich {
    pub text: String,
    /// The styles' ranges in bytes, ordered by start.
    pub styles: Vec<(Range<usize>, Style)>,
}

/// Bot API: `MessageEntity`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entity {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub offset: usize,
    pub length: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unix_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date_time_format: Option<&'static str>,
}

impl Rich {
    pub fn plain(text: impl Into<String>) -> Rich {
        Rich {
            text: text.into(),
            styles: Vec::new(),
        }
    }

    /// Appends another text with its styles.
    pub fn append(&mut self, other: Rich) {
        let start = self.text.len();
        self.text.push_str(&other.text);
        self.styles.extend(
            other
                .styles
                .into_iter()
                .map(|(range, style)| (start + range.start..start + range.end, style)),
        );
    }

    /// Appends a text in one style.
    pub fn push(&mut self, text: &str, style: Option<Style>) {
        let start = self.text.len();
        self.text.push_str(text);
        if let Some(style) = style
            && !text.is_empty()
        {
            self.styles.push((start..self.text.len(), style));
        }
    }

    /// The styles in UTF-16 units, at most as many as a message may have.
    pub fn entities(&self) -> Vec<Entity> {
        let mut units = Units::new(&self.text);
        let mut entities: Vec<Entity> = self
            .styles
            .iter()
            .map(|(range, style)| {
                let offset = units.at(range.start);
                let length = self.text[range.clone()].encode_utf16().count();
                entity(style, offset, length)
            })
            .filter(|entity| entity.length > 0)
            .collect();
        entities.truncate(ENTITIES);
        entities
    }

    /// The text without links: each address stands behind its words, unless the words are the address. `None` if that
    /// is longer than `most` UTF-16 units.
    pub fn with_links_spelled_out(&self, most: usize) -> Option<Rich> {
        let mut links: Vec<(usize, &str)> = self
            .styles
            .iter()
            .filter_map(|(range, style)| match style {
                Style::Link { url } if !says(&self.text[range.clone()], url) => {
                    Some((range.end, url.as_str()))
                }
                _ => None,
            })
            .collect();
        links.sort_by_key(|(end, _)| *end);
        let mut text = String::with_capacity(self.text.len());
        let mut from = 0;
        // For each link's end: how much longer the text behind it becomes.
        let mut grown: Vec<(usize, usize)> = Vec::with_capacity(links.len());
        for (end, url) in links {
            text.push_str(&self.text[from..end]);
            text.push_str(&format!(" ({url})"));
            grown.push((end, text.len() - end));
            from = end;
        }
        text.push_str(&self.text[from..]);
        if text.encode_utf16().count() > most {
            return None;
        }
        let moved = |at: usize, links_before: usize| match links_before {
            0 => at,
            some => at + grown[some - 1].1,
        };
        let styles = self
            .styles
            .iter()
            .filter(|(_, style)| !matches!(style, Style::Link { .. }))
            .map(|(range, style)| {
                let start = grown.partition_point(|(end, _)| *end <= range.start);
                let end = match style {
                    // The address of its last words belongs to a quote.
                    Style::Quote { .. } => grown.partition_point(|(end, _)| *end <= range.end),
                    _ => grown.partition_point(|(end, _)| *end < range.end),
                };
                let range = moved(range.start, start)..moved(range.end, end.max(start));
                (range, style.clone())
            })
            .collect();
        Some(Rich { text, styles })
    }

    /// Cuts into parts that each fit one message: at a paragraph's end if there is one, else a line's, else a word's,
    /// and never inside what a reader sees as one character. A code block that fits a message of its own is not cut.
    /// The white space at a cut is dropped, but not the indentation of code; nothing else is.
    pub fn split(&self, units: usize) -> Vec<Rich> {
        self.first_parts(units, usize::MAX)
    }

    /// As [`Rich::split`], the first `most` parts only.
    pub fn first_parts(&self, units: usize, most: usize) -> Vec<Rich> {
        let mut parts = Vec::new();
        let mut start = self.next_start(0);
        while start < self.text.len() && parts.len() < most {
            let limit = self.window_end(start, units);
            let end = if limit == self.text.len() {
                limit
            } else {
                self.cut(start, limit, units)
            };
            let part = self.slice(start..trim_end(&self.text, start, end));
            if !part.text.is_empty() {
                parts.push(part);
            }
            start = self.next_start(end);
        }
        parts
    }

    /// The farthest byte up to which text and entities fit.
    fn window_end(&self, start: usize, units: usize) -> usize {
        let mut end = start;
        let mut used = 0;
        for character in self.text[start..].chars() {
            used += character.len_utf16();
            if used > units {
                break;
            }
            end += character.len_utf8();
        }
        let mut begun = self
            .styles
            .iter()
            .filter(|(range, _)| range.end > start && range.start < end);
        match begun.nth(ENTITIES) {
            Some((range, _)) => self.text.ceil_char_boundary(range.start.max(start + 1)),
            None => end,
        }
    }

    /// Where to cut, at most at `limit`.
    fn cut(&self, start: usize, limit: usize, units: usize) -> usize {
        let block = self.block_around(limit);
        if let Some(block) = &block
            && block.start > start
            && self.text[block.clone()].encode_utf16().count() <= units
            // A cut before the block must not leave next to nothing.
            && !self.text[start..block.start].trim().is_empty()
        {
            return block.start;
        }
        let floor = block.map_or(start, |block| block.start.max(start));
        let window = &self.text[floor..limit];
        let least = window.len() / 3;
        let cut_behind = |separator: &str| {
            window
                .rfind(separator)
                .map(|at| at + separator.len())
                .filter(|at| *at > least)
                .map(|at| floor + at)
        };
        cut_behind("\n\n")
            .or_else(|| cut_behind("\n"))
            .or_else(|| cut_behind(" "))
            .unwrap_or_else(|| self.grapheme_before(start, limit))
    }

    fn block_around(&self, at: usize) -> Option<Range<usize>> {
        self.styles
            .iter()
            .find(|(range, style)| {
                matches!(style, Style::Pre { .. }) && range.start < at && at < range.end
            })
            .map(|(range, _)| range.clone())
    }

    /// The last edge between two visible characters, not behind `limit`; `limit` if there is none.
    fn grapheme_before(&self, start: usize, limit: usize) -> usize {
        // Far enough back for the longest sequences that are in use.
        let from = self
            .text
            .ceil_char_boundary(limit.saturating_sub(200).max(start));
        let to = self.text.floor_char_boundary(limit + 200);
        self.text[from..to]
            .grapheme_indices(true)
            .map(|(at, _)| from + at)
            .take_while(|at| *at <= limit)
            .last()
            .filter(|at| *at > start)
            .unwrap_or(limit)
    }

    /// Where the next part begins: white space is skipped, but the indentation of a line of code is kept.
    fn next_start(&self, at: usize) -> usize {
        let rest = &self.text[at..];
        let blanks = &rest[..rest.len() - rest.trim_start().len()];
        let word = at + blanks.len();
        let line = blanks.rfind('\n').map_or(at, |end| at + end + "\n".len());
        self.styles
            .iter()
            .find(|(range, style)| {
                matches!(style, Style::Pre { .. } | Style::Code) && range.contains(&word)
            })
            .map_or(word, |(code, _)| line.max(code.start))
    }

    fn slice(&self, range: Range<usize>) -> Rich {
        let styles = self
            .styles
            .iter()
            .filter_map(|(styled, style)| {
                let start = styled.start.max(range.start);
                let end = styled.end.min(range.end);
                (start < end).then(|| (start - range.start..end - range.start, style.clone()))
            })
            .collect();
        Rich {
            text: self.text[range].to_owned(),
            styles,
        }
    }
}

/// Byte offsets to UTF-16 offsets, cheap as long as they are asked for in order.
struct Units<'a> {
    text: &'a str,
    byte: usize,
    unit: usize,
}

impl<'a> Units<'a> {
    fn new(text: &'a str) -> Units<'a> {
        Units {
            text,
            byte: 0,
            unit: 0,
        }
    }

    fn at(&mut self, byte: usize) -> usize {
        if byte < self.byte {
            *self = Units::new(self.text);
        }
        self.unit += self.text[self.byte..byte].encode_utf16().count();
        self.byte = byte;
        self.unit
    }
}

fn entity(style: &Style, offset: usize, length: usize) -> Entity {
    let kind = match style {
        Style::Bold => "bold",
        Style::Italic => "italic",
        Style::Strikethrough => "strikethrough",
        Style::Code => "code",
        Style::Pre { .. } => "pre",
        Style::Link { .. } => "text_link",
        Style::Quote { folded: false } => "blockquote",
        Style::Quote { folded: true } => "expandable_blockquote",
        Style::Time { .. } => "date_time",
    };
    let (unix_time, date_time_format) = match style {
        Style::Time { at, format } => (Some(*at), Some(*format)),
        _ => (None, None),
    };
    Entity {
        kind,
        offset,
        length,
        url: match style {
            Style::Link { url } => Some(url.clone()),
            _ => None,
        },
        language: match style {
            Style::Pre { language } => language.clone(),
            _ => None,
        },
        unix_time,
        date_time_format,
    }
}

/// Whether a link's words are its address.
pub(super) fn says(words: &str, url: &str) -> bool {
    words == url || url.strip_prefix("mailto:") == Some(words)
}

fn trim_end(text: &str, start: usize, end: usize) -> usize {
    start + text[start..end].trim_end().len()
}
