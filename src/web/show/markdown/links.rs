//! Links and pictures: which can be followed. The others are spelled out.

use maud::{Markup, html};
use pulldown_cmark::Parser;

use super::Writer;

/// A longer address is spelled out; in bytes.
const LONGEST: usize = 2_048;
const SCHEMES: [&str; 3] = ["http://", "https://", "mailto:"];

/// A link or a picture while its words are read.
pub(super) struct Link {
    url: String,
    /// The words that a page shows under the pointer.
    title: String,
    is_picture: bool,
    /// Where its words begin.
    start: usize,
    /// Addresses and titles among its words: a page has no link within a link.
    within: Vec<(String, String)>,
}

/// A link's address, defined apart from its words.
pub(super) struct Defined {
    name: String,
    url: String,
    title: String,
}

/// The definitions of a text, in its order.
pub(super) fn defined(parser: &Parser<'_>) -> Vec<Defined> {
    let mut defined: Vec<_> = parser.reference_definitions().iter().collect();
    defined.sort_by_key(|(_, link)| link.span.start);
    defined
        .into_iter()
        .map(|(name, link)| Defined {
            name: name.to_owned(),
            url: link.dest.to_string(),
            title: link.title.as_deref().unwrap_or_default().to_owned(),
        })
        .collect()
}

impl Link {
    pub(super) fn new(url: &str, title: &str) -> Link {
        Link {
            url: url.to_owned(),
            title: title.to_owned(),
            is_picture: false,
            start: 0,
            within: Vec::new(),
        }
    }

    pub(super) fn picture(url: &str, title: &str) -> Link {
        Link {
            is_picture: true,
            ..Link::new(url, title)
        }
    }
}

impl Writer<'_> {
    pub(super) fn link(&mut self, mut link: Link) {
        self.targets.push(link.url.clone());
        if self.links.is_empty() && is_taken(&link.url) {
            let title = Some(&link.title).filter(|title| !title.trim().is_empty());
            self.write(&start(&link.url, title));
        }
        link.start = self.out.len();
        self.links.push(link);
    }

    pub(super) fn end_link(&mut self) {
        let Some(link) = self.links.pop() else {
            return;
        };
        let has_words = !self.out[link.start..].trim().is_empty();
        if !has_words {
            let name = if link.is_picture {
                "picture"
            } else {
                &link.url
            };
            self.text(name);
        }
        if let Some(around) = self.links.first_mut() {
            around.within.push((link.url, link.title));
            return;
        }
        if is_taken(&link.url) {
            self.raw("</a>");
        } else {
            self.spell_out(&link);
        }
        for (url, title) in &link.within {
            if *url != link.url {
                self.write(&html! { " (" (address(url)) ")" });
            }
            if !title.trim().is_empty() {
                self.write(&html! { " (" (title) ")" });
            }
        }
    }

    /// The address of a link that cannot be followed, behind its words, unless they say it.
    fn spell_out(&mut self, link: &Link) {
        let written = html! { (link.url) }.0;
        let words = &self.out[link.start..];
        if !link.url.is_empty() && !words.contains(&written) {
            self.write(&html! { " (" code { (link.url) } ")" });
        }
        if !link.title.trim().is_empty() {
            self.write(&html! { " (" (link.title) ")" });
        }
    }

    /// Definitions that no link uses are shown, too.
    pub(super) fn unused(&mut self, defined: Vec<Defined>) {
        for link in defined {
            if self.targets.contains(&link.url) {
                continue;
            }
            self.write(&html! {
                p {
                    "[" (link.name) "]: " (address(&link.url))
                    @if !link.title.trim().is_empty() { " (" (link.title) ")" }
                }
                "\n"
            });
        }
    }
}

/// An address that stands for itself.
fn address(url: &str) -> Markup {
    html! {
        @if is_taken(url) {
            (start(url, None)) (url) (maud::PreEscaped("</a>"))
        } @else {
            code { (url) }
        }
    }
}

fn start(url: &str, title: Option<&String>) -> Markup {
    let whole = html! { a href=(url) title=[title] rel="noopener noreferrer" target="_blank" {} };
    let start = whole.0.trim_end_matches("</a>").to_owned();
    maud::PreEscaped(start)
}

/// Whether a page may lead there.
fn is_taken(url: &str) -> bool {
    let has_scheme = SCHEMES.iter().any(|scheme| {
        let start = url.get(..scheme.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(scheme)) && url.len() > scheme.len()
    });
    has_scheme
        && url.len() <= LONGEST
        && !url.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\')
}
