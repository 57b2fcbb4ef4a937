//! One line of code: its colours, the words in it that changed, and what would not be seen.

use std::ops::Range;

use maud::{Markup, PreEscaped, Render, html};

use crate::domain::shown::is_unseen;

/// How much of a longer line is shown; in bytes.
const LONGEST: usize = 4_000;

/// A part of a line, in bytes, and the class of its colour.
pub(super) type Colour = (Range<usize>, &'static str);

/// A line as markup. `colours` and `words` are in order and each without overlaps.
pub(super) fn markup(text: &str, colours: &[Colour], words: &[Range<usize>]) -> Markup {
    let shown = &text[..text.floor_char_boundary(LONGEST.min(text.len()))];
    let mut out = String::with_capacity(shown.len() * 2);
    let mut at = 0;
    for word in words {
        let start = word.start.min(shown.len()).max(at);
        let end = word.end.min(shown.len()).max(start);
        coloured(shown, at..start, colours, &mut out);
        if start < end {
            out.push_str("<mark>");
            coloured(shown, start..end, colours, &mut out);
            out.push_str("</mark>");
        }
        at = end;
    }
    coloured(shown, at..shown.len(), colours, &mut out);
    let left_out = text[shown.len()..].chars().count();
    if left_out > 0 {
        let words = html! { " " span.hidden-sign { "… " (left_out) " more characters" } };
        out.push_str(&words.0);
    }
    PreEscaped(out)
}

fn coloured(text: &str, part: Range<usize>, colours: &[Colour], out: &mut String) {
    let mut at = part.start;
    let first = colours.partition_point(|(range, _)| range.end <= part.start);
    for (range, class) in &colours[first..] {
        if range.start >= part.end {
            break;
        }
        let (start, end) = (range.start.max(at), range.end.min(part.end));
        visible(&text[at..start], out);
        out.push_str("<span class=\"");
        out.push_str(class);
        out.push_str("\">");
        visible(&text[start..end], out);
        out.push_str("</span>");
        at = end;
    }
    visible(&text[at..part.end], out);
}

/// Text in which a character that cannot be seen, or turns the others around, is told by its number.
pub(super) fn visible(text: &str, out: &mut String) {
    let is_hidden = |c: char| is_unseen(c) && !matches!(c, '\t' | '\n');
    let mut rest = text;
    while let Some((at, hidden)) = rest.char_indices().find(|(_, c)| is_hidden(*c)) {
        rest[..at].render_to(out);
        let name = match hidden {
            '\r' => "CR".to_owned(),
            other => format!("U+{:04X}", u32::from(other)),
        };
        out.push_str(&html! { span.hidden-sign { (name) } }.0);
        rest = &rest[at + hidden.len_utf8()..];
    }
    rest.render_to(out);
}
