//! Markdown as claude writes it, as markup.
//!
//! Reads what the chat reads ([`chat::markdown`](crate::chat::markdown)). HTML in it is shown as text, a picture is a
//! link to it, and only addresses in the web or of mail are links: the words of every other one stay, and its address
//! follows them. No word and no address of a text is lost.

mod blocks;
mod links;
mod notes;

use maud::{Markup, PreEscaped, Render, html};
use pulldown_cmark::{Event, Parser, Tag, TagEnd, TextMergeStream};

use super::Place;
use super::outline::Outline;
use crate::chat::markdown as reading;
use blocks::Block;
use links::Link;
use notes::Notes;

/// Quotes, lists and styles deeper than this are shown without their tags: a browser has its limits, too.
const DEEPEST: usize = 60;

/// A whole text as markup. Never fails: text that is not Markdown is shown as it is.
pub fn markup(markdown: &str, place: Place<'_>) -> Markup {
    let markdown = reading::escaped(markdown);
    let parser = Parser::new_ext(&markdown, reading::OPTIONS);
    let defined = links::defined(&parser);
    let mut writer = Writer {
        out: String::with_capacity(markdown.len() * 2),
        open: Vec::new(),
        depth: 0,
        outline: Outline::new(place),
        notes: Notes::new(place.name),
        block: None,
        is_head: false,
        alignments: Vec::new(),
        cell: 0,
        links: Vec::new(),
        targets: Vec::new(),
    };
    // The parser alone would split words where markup could begin.
    for event in TextMergeStream::new(parser) {
        writer.event(event);
    }
    writer.finish(defined)
}

struct Writer<'a> {
    out: String,
    /// What ends each open element; nothing for one without tags.
    open: Vec<&'static str>,
    /// How many of them have tags.
    depth: usize,
    outline: Outline,
    notes: Notes<'a>,
    /// The code block that is open.
    block: Option<Block>,
    /// The row is the head of its table.
    is_head: bool,
    alignments: Vec<pulldown_cmark::Alignment>,
    /// The column of the next cell.
    cell: usize,
    /// Links and pictures that are open, the innermost last.
    links: Vec<Link>,
    /// The addresses of all links so far.
    targets: Vec<String>,
}

impl Writer<'_> {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => self.text(&text),
            Event::Code(code) => self.write(&html! { code { (&*code) } }),
            Event::Html(html) | Event::InlineHtml(html) => self.html(&html),
            Event::InlineMath(math) if reading::is_formula(&math) => {
                self.write(&html! { code.formula { "$" (&*math) "$" } });
            }
            Event::DisplayMath(math) if reading::is_formula(&math) => {
                self.write(&html! { code.formula { "$$" (&*math) "$$" } });
            }
            Event::InlineMath(math) => self.text(&format!("${math}$")),
            Event::DisplayMath(math) => self.text(&format!("$${math}$$")),
            Event::FootnoteReference(name) => {
                let is_within = !self.links.is_empty();
                let reference = self.notes.reference(&name, is_within);
                self.write(&reference);
            }
            Event::SoftBreak | Event::HardBreak => self.raw("<br>\n"),
            Event::Rule => self.raw("<hr>\n"),
            Event::TaskListMarker(done) => {
                let (sign, word) = if done {
                    ("☑", "done")
                } else {
                    ("☐", "to do")
                };
                self.write(&html! { span.task role="img" aria-label=(word) { (sign) } " " });
            }
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Paragraph => self.open("<p>", "</p>\n"),
            Tag::HtmlBlock => self.open("<p class=\"source\">", "</p>\n"),
            Tag::Heading { level, .. } => {
                let level = self.outline.level(level as u8);
                let (start, end) = blocks::heading(level);
                self.open(start, end);
            }
            Tag::BlockQuote(kind) => {
                self.open("<blockquote>\n", "</blockquote>\n");
                if let Some(kind) = kind {
                    let title = blocks::title_of(kind);
                    self.write(&html! { p { strong { (title) } } "\n" });
                }
            }
            Tag::CodeBlock(kind) => self.block = Some(Block::new(&kind)),
            Tag::List(None) => self.open("<ul>\n", "</ul>\n"),
            Tag::List(Some(1)) => self.open("<ol>\n", "</ol>\n"),
            Tag::List(Some(first)) => {
                self.open("", "</ol>\n");
                self.raw(&format!("<ol start=\"{first}\">\n"));
            }
            Tag::Item => self.open("<li>", "</li>\n"),
            Tag::FootnoteDefinition(name) => {
                let start = self.notes.definition(&name);
                self.open("", "</div>\n");
                self.write(&start);
            }
            Tag::Emphasis => self.open("<em>", "</em>"),
            Tag::Strong => self.open("<strong>", "</strong>"),
            Tag::Strikethrough => self.open("<del>", "</del>"),
            Tag::Link {
                dest_url, title, ..
            } => self.link(Link::new(&dest_url, &title)),
            Tag::Image {
                dest_url, title, ..
            } => self.link(Link::picture(&dest_url, &title)),
            Tag::Table(alignments) => {
                self.alignments = alignments;
                self.open(
                    "<div class=\"wide\" tabindex=\"0\"><table>\n",
                    "</tbody></table></div>\n",
                );
            }
            Tag::TableHead => {
                (self.is_head, self.cell) = (true, 0);
                self.open("<thead><tr>", "</tr></thead>\n<tbody>\n");
            }
            Tag::TableRow => {
                (self.is_head, self.cell) = (false, 0);
                self.open("<tr>", "</tr>\n");
            }
            Tag::TableCell => self.cell(),
            _ => self.open("", ""),
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::CodeBlock => {
                if let Some(block) = self.block.take() {
                    self.write(&block.markup());
                }
            }
            TagEnd::Link | TagEnd::Image => self.end_link(),
            _ => self.close(),
        }
    }

    fn text(&mut self, text: &str) {
        match &mut self.block {
            Some(block) => block.code.push_str(text),
            None => text.render_to(&mut self.out),
        }
    }

    /// HTML is text. Only a line break, which models write in the cells of tables, is what it says.
    fn html(&mut self, html: &str) {
        let is_break = matches!(html.trim(), "<br>" | "<br/>" | "<br />");
        if is_break {
            return self.raw("<br>\n");
        }
        for (number, line) in html.trim_end_matches('\n').split('\n').enumerate() {
            if number > 0 {
                self.raw("<br>\n");
            }
            self.text(line);
        }
        if html.ends_with('\n') {
            self.raw("<br>\n");
        }
    }

    fn write(&mut self, markup: &Markup) {
        self.out.push_str(&markup.0);
    }

    /// Only for what these modules themselves say.
    fn raw(&mut self, markup: &str) {
        self.out.push_str(markup);
    }

    fn open(&mut self, start: &'static str, end: &'static str) {
        let is_shown = self.depth < DEEPEST;
        self.depth += 1;
        self.open.push(if is_shown { end } else { "" });
        if is_shown {
            self.raw(start);
        }
    }

    fn close(&mut self) {
        if let Some(end) = self.open.pop() {
            self.depth -= 1;
            self.raw(end);
        }
    }

    fn finish(mut self, defined: Vec<links::Defined>) -> Markup {
        while !self.open.is_empty() {
            self.close();
        }
        self.unused(defined);
        html! { div.markdown { (PreEscaped(self.out)) } }
    }
}
