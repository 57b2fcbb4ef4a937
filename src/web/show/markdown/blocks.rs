//! Headings, alerts, code blocks and the cells of tables.

use maud::{Markup, html};
use pulldown_cmark::{Alignment, BlockQuoteKind, CodeBlockKind};

use super::Writer;
use crate::web::show::code::{self, Language};

/// A code block while it is read.
pub(super) struct Block {
    /// What stands behind the fence, as it was written.
    info: String,
    pub(super) code: String,
}

impl Block {
    pub(super) fn new(kind: &CodeBlockKind<'_>) -> Block {
        Block {
            info: match kind {
                CodeBlockKind::Fenced(info) => info.trim().to_owned(),
                CodeBlockKind::Indented => String::new(),
            },
            code: String::new(),
        }
    }

    /// Behind the language may stand the path of the file; it stays above the code.
    pub(super) fn markup(&self) -> Markup {
        let is_only_language = self.info.chars().all(|c| c.is_alphanumeric() || c == '+');
        let language = Language::of_fence(&self.info);
        let code = code::block(self.code.trim_end_matches('\n'), language);
        html! {
            @if !is_only_language { p.file-name { code { (self.info) } } }
            pre.code tabindex="0" { code { (code) } }
            "\n"
        }
    }
}

impl Writer<'_> {
    pub(super) fn cell(&mut self) {
        use Alignment::{Center, Left, None, Right};
        let alignment = self.alignments.get(self.cell).copied().unwrap_or(None);
        self.cell += 1;
        match (self.is_head, alignment) {
            (true, None | Left) => self.open("<th scope=\"col\">", "</th>"),
            (true, Center) => self.open("<th scope=\"col\" class=\"centre\">", "</th>"),
            (true, Right) => self.open("<th scope=\"col\" class=\"right\">", "</th>"),
            (false, None | Left) => self.open("<td>", "</td>"),
            (false, Center) => self.open("<td class=\"centre\">", "</td>"),
            (false, Right) => self.open("<td class=\"right\">", "</td>"),
        }
    }
}

/// How a heading begins and ends.
pub(super) fn heading(level: u8) -> (&'static str, &'static str) {
    match level {
        0 | 1 => ("<h1>", "</h1>\n"),
        2 => ("<h2>", "</h2>\n"),
        3 => ("<h3>", "</h3>\n"),
        4 => ("<h4>", "</h4>\n"),
        5 => ("<h5>", "</h5>\n"),
        _ => ("<h6>", "</h6>\n"),
    }
}

pub(super) fn title_of(kind: BlockQuoteKind) -> &'static str {
    match kind {
        BlockQuoteKind::Note => "Note",
        BlockQuoteKind::Tip => "Tip",
        BlockQuoteKind::Important => "Important",
        BlockQuoteKind::Warning => "Warning",
        BlockQuoteKind::Caution => "Caution",
    }
}
