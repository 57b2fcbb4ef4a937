//! Footnotes: numbers in the text's order, and the way there and back.

use maud::{Markup, PreEscaped, html};

pub(super) struct Notes<'a> {
    /// Begins their anchors.
    name: &'a str,
    /// By their names as written, in the order of their numbers.
    known: Vec<Note>,
}

struct Note {
    name: String,
    is_referred: bool,
    is_defined: bool,
}

impl<'a> Notes<'a> {
    pub(super) fn new(name: &'a str) -> Notes<'a> {
        Notes {
            name,
            known: Vec::new(),
        }
    }

    /// The number in the text. Within a link it is only that.
    pub(super) fn reference(&mut self, name: &str, is_within: bool) -> Markup {
        let number = self.number(name);
        if is_within {
            return html! { sup { (number) } };
        }
        let note = &mut self.known[number - 1];
        // Only one of them can be where the note leads back to.
        let own = (!note.is_referred).then(|| format!("{}-noted-{number}", self.name));
        note.is_referred = true;
        html! {
            sup { a id=[own] href={ "#" (self.name) "-note-" (number) } { (number) } }
        }
    }

    /// How the note itself begins; it ends with a `div`.
    pub(super) fn definition(&mut self, name: &str) -> Markup {
        let number = self.number(name);
        let note = &mut self.known[number - 1];
        let own = (!note.is_defined).then(|| format!("{}-note-{number}", self.name));
        note.is_defined = true;
        let is_referred = note.is_referred;
        let whole = html! {
            div.note id=[own] {
                @if is_referred {
                    a href={ "#" (self.name) "-noted-" (number) } { (number) }
                } @else {
                    (number)
                }
                " "
            }
        };
        PreEscaped(whole.0.trim_end_matches("</div>").to_owned())
    }

    fn number(&mut self, name: &str) -> usize {
        let at = self.known.iter().position(|note| note.name == name);
        let at = at.unwrap_or_else(|| {
            self.known.push(Note {
                name: name.to_owned(),
                is_referred: false,
                is_defined: false,
            });
            self.known.len() - 1
        });
        at + 1
    }
}
