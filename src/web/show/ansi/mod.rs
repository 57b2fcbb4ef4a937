//! The output of a check, as a terminal would colour it.
//!
//! Colours and styles become classes; whatever else a terminal can be told is left out. Of a line that is written
//! again and again (a progress bar) the last version stays. Nothing is hidden: text that a terminal would not show is
//! shown.

mod colour;
mod style;

use maud::{Markup, PreEscaped, html};
use vte::{Params, Parser, Perform};

use super::line::visible;
use style::Style;

/// A whole output, for within a `pre`. Bytes that are no text are replaced.
pub fn markup(output: &[u8]) -> Markup {
    let mut screen = Screen::default();
    Parser::new().advance(&mut screen, output);
    screen.end_line();
    PreEscaped(screen.out)
}

#[derive(Default)]
struct Screen {
    out: String,
    /// The line that is still written, in pieces of one style.
    line: Vec<(Style, String)>,
    style: Style,
    /// The next character is the line's first again.
    is_at_start: bool,
}

impl Screen {
    fn push(&mut self, character: char) {
        if std::mem::take(&mut self.is_at_start) {
            self.line.clear();
        }
        match self.line.last_mut() {
            Some((style, text)) if *style == self.style => text.push(character),
            _ => self.line.push((self.style, character.to_string())),
        }
    }

    fn back(&mut self) {
        if let Some((_, text)) = self.line.last_mut() {
            text.pop();
            if text.is_empty() {
                self.line.pop();
            }
        }
    }

    fn end_line(&mut self) {
        self.is_at_start = false;
        for (style, text) in self.line.drain(..) {
            let mut shown = String::with_capacity(text.len());
            visible(&text, &mut shown);
            match style.classes() {
                Some(classes) => {
                    let piece = html! { span class=(classes) { (PreEscaped(shown)) } };
                    self.out.push_str(&piece.0);
                }
                None => self.out.push_str(&shown),
            }
        }
    }
}

impl Perform for Screen {
    fn print(&mut self, character: char) {
        self.push(character);
    }

    fn execute(&mut self, byte: u8) {
        match byte {
            b'\n' => {
                self.end_line();
                self.out.push('\n');
            }
            b'\r' => self.is_at_start = true,
            b'\t' => self.push('\t'),
            0x08 => self.back(),
            _ => {}
        }
    }

    fn csi_dispatch(&mut self, parameters: &Params, between: &[u8], _: bool, action: char) {
        let first = parameters
            .iter()
            .next()
            .and_then(|first| first.first().copied());
        match (action, first.unwrap_or_default()) {
            _ if !between.is_empty() => {}
            ('m', _) => self.style.apply(parameters),
            // The line is erased, whole or from its start on.
            ('K', 2) => self.line.clear(),
            ('K', 0) if self.is_at_start => self.line.clear(),
            // To the first column.
            ('G', 0 | 1) => self.is_at_start = true,
            _ => {}
        }
    }
}
