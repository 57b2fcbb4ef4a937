//! The colours of code, as classes: of a diff's lines, a block in an answer, a whole file.
//!
//! A reader of our own, line by line, in linear time and without memory that stays: it knows words, strings, numbers
//! and comments of the languages in `languages`, no grammar. It never fails: at worst a word has no colour. A diff shows
//! parts of files, of which no grammar could be sure either.

mod languages;
mod read;

use maud::{Markup, html};

pub use languages::Language;

use super::line::{self, Colour};
use read::State;

/// A larger text has no colours; in bytes.
pub(super) const LARGEST: usize = 512 * 1024;
/// Nor has a longer line.
const LONGEST: usize = 2_000;

/// Finds the colours of lines that follow one another.
pub struct Painter {
    language: Option<&'static Language>,
    state: State,
}

impl Painter {
    /// `None` is a text of which the language is not known.
    pub fn new(language: Option<&'static Language>) -> Painter {
        Painter {
            language,
            state: State::default(),
        }
    }

    /// The parts of the next line that have a colour, in their order, with its class.
    pub(super) fn line(&mut self, text: &str) -> Vec<Colour> {
        match self.language {
            Some(language) if text.len() <= LONGEST => read::line(language, text, &mut self.state),
            _ => Vec::new(),
        }
    }
}

/// A text's lines with their colours, for within a `pre`.
pub fn block(code: &str, language: Option<&'static Language>) -> Markup {
    let mut painter = Painter::new(language.filter(|_| code.len() <= LARGEST));
    html! {
        @for (number, text) in code.split('\n').enumerate() {
            @if number > 0 { "\n" }
            (line::markup(text, &painter.line(text), &[]))
        }
    }
}

/// A file's text, a row for each line. The first line's row has the id `n1`.
pub fn file(path: &str, text: &str) -> Markup {
    let language = Language::of_file(path).filter(|_| text.len() <= LARGEST);
    let mut painter = Painter::new(language);
    let text = text.strip_suffix('\n').unwrap_or(text);
    html! {
        div.lines tabindex="0" {
            table {
                tbody {
                    @for (number, text) in (1..).zip(text.split('\n')) {
                        tr id={ "n" (number) } {
                            td.number { a href={ "#n" (number) } tabindex="-1" { (number) } }
                            td.line { (line::markup(text, &painter.line(text), &[])) }
                        }
                        "\n"
                    }
                }
            }
        }
    }
}
