//! Where on a page a text stands: its headings go on with the page's outline, its anchors are its own.

use maud::{Markup, html};

/// The deepest heading that HTML has.
const DEEPEST: u8 = 6;

/// A text's place on its page.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The level of the heading that the text stands below: 2 below an `h2`.
    pub below: u8,
    /// Begins the text's anchors: no two texts of a page may have the same one. Letters, digits and `-`.
    pub name: &'a str,
}

/// The headings of a text so far.
pub(super) struct Outline {
    below: u8,
    /// Levels as written, of the headings that the next one may stand below.
    above: Vec<u8>,
}

impl Outline {
    pub(super) fn new(place: Place<'_>) -> Outline {
        Outline {
            below: place.below,
            above: Vec::new(),
        }
    }

    /// The page's level for the next heading: one deeper than the heading it stands below, however it was written.
    pub(super) fn level(&mut self, written: u8) -> u8 {
        while self.above.last().is_some_and(|above| *above >= written) {
            self.above.pop();
        }
        self.above.push(written);
        let depth = u8::try_from(self.above.len()).unwrap_or(DEEPEST);
        self.below.saturating_add(depth).min(DEEPEST)
    }
}

/// A heading of the page itself.
pub(super) fn heading(level: u8, id: &str, words: &Markup) -> Markup {
    match level {
        0 | 1 => html! { h1 id=(id) { (words) } },
        2 => html! { h2 id=(id) { (words) } },
        3 => html! { h3 id=(id) { (words) } },
        4 => html! { h4 id=(id) { (words) } },
        5 => html! { h5 id=(id) { (words) } },
        _ => html! { h6 id=(id) { (words) } },
    }
}
