//! Links and pictures: which become links of the message. The others are spelled out.

use std::net::Ipv4Addr;

use reqwest::Url;

use super::{Open, Renderer};
use crate::domain::shown::is_blank;
use crate::telegram::rich::{Style, says};

/// A longer address is spelled out; in bytes.
const LONGEST: usize = 2_048;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Link,
    Picture,
}

/// A link or a picture while its words are read.
pub(super) struct Link {
    kind: Kind,
    url: String,
    /// The words that a page shows under the pointer.
    title: String,
    /// Where its words begin.
    start: usize,
    /// The links and pictures among its words: Telegram has no link within a link.
    within: Vec<(Kind, String)>,
}

impl Kind {
    /// The words of one that has none of its own.
    fn name(self) -> &'static str {
        match self {
            Kind::Link => "link",
            Kind::Picture => "image",
        }
    }
}

impl Link {
    pub(super) fn is_taken(&self) -> bool {
        is_taken(&self.url)
    }
}

impl Renderer {
    pub(super) fn link(&mut self, kind: Kind, url: &str, title: &str) {
        self.targets.push(url.to_owned());
        self.open.push(Open::Link(Link {
            kind,
            url: url.to_owned(),
            title: title.to_owned(),
            start: self.out.text.len(),
            within: Vec::new(),
        }));
    }

    /// The outermost link that is open.
    pub(super) fn link_around(&mut self) -> Option<&mut Link> {
        self.open.iter_mut().find_map(|open| match open {
            Open::Link(link) => Some(link),
            Open::Styled(..) => None,
        })
    }

    pub(super) fn end_link(&mut self, link: Link) {
        if is_blank(&self.out.text[link.start..]) && link.kind == Kind::Picture {
            self.text(link.kind.name());
        }
        let words = self.out.text[link.start..].to_lowercase();
        let has_title = !is_blank(&link.title) && words != link.title.to_lowercase();
        if let Some(around) = self.link_around() {
            around.within.push((link.kind, link.url));
        } else {
            self.point_at(link.start, &link.url);
            for (kind, url) in link.within.into_iter().filter(|(_, url)| *url != link.url) {
                self.text(" (");
                let start = self.out.text.len();
                if is_taken(&url) {
                    self.text(kind.name());
                }
                self.point_at(start, &url);
                self.text(")");
            }
        }
        if has_title {
            self.text(&format!(" ({})", link.title));
        }
    }

    /// Makes the words from `start` a link; of one that Telegram would not take, the address follows the words as
    /// code: a touch copies it.
    fn point_at(&mut self, start: usize, url: &str) {
        let words = self.out.text[start..].trim();
        let has_words = !is_blank(words);
        if is_taken(url) {
            let start = if has_words {
                start
            } else {
                self.out.text.len()
            };
            if !has_words {
                self.text(url);
            }
            let style = Style::Link {
                url: url.to_owned(),
            };
            self.out.styles.push((start..self.out.text.len(), style));
        } else if !has_words {
            self.code(url);
        } else if !url.is_empty() && !says(words, url) {
            self.text(" (");
            self.code(url);
            self.text(")");
        }
    }
}

/// Whether Telegram takes an address as a link. Because of another one it drops the link or refuses the message.
fn is_taken(address: &str) -> bool {
    let Some((scheme, rest)) = address.split_once("://") else {
        return false;
    };
    let is_web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    // The parser of `url` forgives these, Telegram's does not.
    let is_strict = !rest.starts_with('/')
        && !address.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\');
    is_web
        && is_strict
        && address.len() <= LONGEST
        && Url::parse(address)
            .is_ok_and(|url| url.port() != Some(0) && url.host_str().is_some_and(is_whole))
}

/// A name with its domain, or an IP address; `localhost` and other names of a local network are neither.
fn is_whole(host: &str) -> bool {
    let is_domain = |(name, last): (&str, &str)| {
        !name.is_empty() && last.len() > 1 && last.starts_with(|c: char| c.is_ascii_alphabetic())
    };
    host.starts_with('[')
        || host.parse::<Ipv4Addr>().is_ok()
        || host.rsplit_once('.').is_some_and(is_domain)
}
