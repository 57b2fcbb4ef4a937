//! Markdown as models write it (CommonMark with GFM's tables, task lists, strikethrough, alerts and footnotes) to
//! styled text.
//!
//! The output is entities, not HTML or MarkdownV2: nothing needs escaping, and nothing can fail to parse. Markup that
//! Telegram lacks becomes readable text: headings are bold, images are links, formulas keep their source. A long code
//! block becomes a file (`code`), a wide table a list (`table`), an address that Telegram would refuse is spelled out
//! (`links`). `nesting` knows which styles may nest. No word and no address of a text is lost.

mod blocks;
mod code;
mod html;
mod links;
mod nesting;
mod table;
mod words;

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd, TextMergeStream};

use super::rich::{Rich, Style};
use crate::chat::markdown as reading;
use crate::domain::shown::is_blank;
use code::Block;
use html::Tags;
use links::{Kind, Link};
use table::Table;

const BULLET: &str = "• ";

/// A Markdown text as a chat can show it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rendered {
    pub text: Rich,
    /// Parts too long for the chat, in the order in which the text names them.
    pub files: Vec<File>,
    /// Commands that a button can copy.
    pub commands: Vec<String>,
}

/// A part of an answer that is sent as a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Without folders.
    pub name: String,
    /// Its name in the text: a path, if it has one.
    pub title: String,
    pub content: String,
}

/// Renders a whole text. Never fails: text that is not Markdown is shown as is.
pub fn render(markdown: &str) -> Rendered {
    rendered(markdown, true)
}

/// Renders a text and makes no files of it.
pub fn render_in_place(markdown: &str) -> Rich {
    rendered(markdown, false).text
}

/// Renders the first lines of a text that is too long for a chat anyway.
pub fn render_beginning(markdown: &str, bytes: usize) -> Rich {
    let beginning = &markdown[..markdown.floor_char_boundary(bytes)];
    let whole_lines = beginning
        .rsplit_once('\n')
        .map_or(beginning, |(lines, _)| lines);
    render_in_place(whole_lines)
}

fn rendered(markdown: &str, with_files: bool) -> Rendered {
    let markdown = reading::escaped(markdown);
    let parser = Parser::new_ext(&markdown, reading::OPTIONS);
    let mut defined: Vec<_> = parser.reference_definitions().iter().collect();
    defined.sort_by_key(|(_, link)| link.span.start);
    let defined: Vec<Defined> = defined
        .into_iter()
        .map(|(name, link)| Defined {
            name: name.to_owned(),
            target: link.dest.to_string(),
            title: link.title.as_deref().unwrap_or_default().to_owned(),
        })
        .collect();
    // The parser alone would split a path at an underscore or a tilde.
    let events: Vec<Event<'_>> = TextMergeStream::new(parser).collect();
    let mut renderer = Renderer {
        with_files,
        tags: Tags::of(&events),
        ..Renderer::default()
    };
    for event in events {
        renderer.event(event);
    }
    renderer.finish(defined)
}

/// A link's address, defined apart from its words.
struct Defined {
    name: String,
    target: String,
    title: String,
}

#[derive(Default)]
struct Renderer {
    out: Rich,
    /// Long parts become files.
    with_files: bool,
    files: Vec<File>,
    commands: Vec<String>,
    /// Inline elements that are open, innermost last.
    open: Vec<Open>,
    /// Where each open quote starts.
    quotes: Vec<usize>,
    /// Where the last bullet, number or title ended: what is written there follows it on its line.
    begun: Option<usize>,
    /// The next number of each open list; `None` for bullets.
    lists: Vec<Option<u64>>,
    block: Option<Block>,
    table: Option<Table>,
    /// Link targets so far.
    targets: Vec<String>,
    /// The tags that are still to come.
    tags: Tags,
    /// The last inline code and where it ended: it may name the code block that follows.
    last_code: Option<(usize, String)>,
}

/// An inline element that has begun.
enum Open {
    Styled(Style, usize),
    Link(Link),
}

impl Renderer {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => self.words(&text),
            Event::Code(code) => self.code(&code),
            Event::Html(html) | Event::InlineHtml(html) => {
                let text = self.tags.as_text(&html);
                self.text(&text);
            }
            Event::InlineMath(math) if reading::is_formula(&math) => {
                self.code(&format!("${math}$"));
            }
            Event::InlineMath(math) => self.text(&format!("${math}$")),
            Event::DisplayMath(math) if reading::is_formula(&math) => self.formula(&math),
            Event::DisplayMath(math) => self.text(&format!("$${math}$$")),
            Event::FootnoteReference(name) => self.text(&format!("[{name}]")),
            Event::SoftBreak | Event::HardBreak => self.text("\n"),
            Event::Rule => {
                self.paragraph();
                self.text("———");
            }
            Event::TaskListMarker(done) => {
                // The box stands in the bullet's place, but behind a number.
                if let Some(before) = self.out.text.strip_suffix(BULLET) {
                    self.out.text.truncate(before.len());
                }
                self.text(if done { "☑ " } else { "☐ " });
                self.begun = Some(self.out.text.len());
            }
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Paragraph | Tag::HtmlBlock => self.paragraph(),
            Tag::Heading { .. } => {
                self.paragraph();
                self.open_style(Style::Bold);
            }
            Tag::BlockQuote(kind) => {
                self.paragraph();
                let start = self.out.text.len();
                if let Some(kind) = kind {
                    self.out.push(blocks::title_of(kind), Some(Style::Bold));
                    self.out.text.push('\n');
                }
                self.quotes.push(start);
                self.begun = Some(self.out.text.len());
            }
            Tag::CodeBlock(kind) => {
                self.paragraph();
                let info = match kind {
                    CodeBlockKind::Fenced(info) => info.into_string(),
                    CodeBlockKind::Indented => String::new(),
                };
                self.block = Some(Block::new(&info, self.named_before()));
            }
            Tag::List(first) => {
                if self.lists.is_empty() {
                    self.paragraph();
                }
                self.lists.push(first);
            }
            Tag::Item => self.item(),
            Tag::FootnoteDefinition(name) => {
                self.paragraph();
                self.text(&format!("[{name}] "));
                self.begun = Some(self.out.text.len());
            }
            Tag::Emphasis => self.open_style(Style::Italic),
            Tag::Strong => self.open_style(Style::Bold),
            Tag::Strikethrough => self.open_style(Style::Strikethrough),
            Tag::Link {
                dest_url, title, ..
            } => self.link(Kind::Link, &dest_url, &title),
            Tag::Image {
                dest_url, title, ..
            } => self.link(Kind::Picture, &dest_url, &title),
            Tag::Table(alignments) => {
                self.paragraph();
                self.table = Some(Table::new(alignments, std::mem::take(&mut self.out)));
            }
            Tag::TableHead | Tag::TableRow => {
                if let Some(table) = &mut self.table {
                    table.begin_row();
                }
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_)
            | TagEnd::Emphasis
            | TagEnd::Strong
            | TagEnd::Strikethrough
            | TagEnd::Link
            | TagEnd::Image => self.close(),
            TagEnd::BlockQuote(_) => self.end_quote(),
            TagEnd::CodeBlock => {
                if let Some(block) = self.block.take() {
                    self.end_block(block);
                }
            }
            TagEnd::List(_) => {
                self.lists.pop();
            }
            TagEnd::TableCell => {
                let cell = std::mem::take(&mut self.out);
                if let Some(table) = &mut self.table {
                    table.end_cell(cell);
                }
            }
            TagEnd::Table => {
                if let Some(table) = self.table.take() {
                    self.end_table(table);
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        if let Some(block) = &mut self.block {
            block.code.push_str(text);
        } else if self.table.is_some() {
            self.out.text.push_str(&text.replace('\n', " "));
        } else {
            self.out.text.push_str(text);
        }
    }

    /// Shows the paths in a text as code: a touch copies them, and no client makes links of them.
    fn words(&mut self, text: &str) {
        if self.block.is_some() || self.link_around().is_some() {
            return self.text(text);
        }
        for (piece, is_path) in words::with_paths(text) {
            if is_path {
                self.code(piece);
            } else {
                self.text(piece);
            }
        }
    }

    /// Within a link it is only words: Telegram has no code that can be followed.
    fn code(&mut self, code: &str) {
        let is_link = self.link_around().is_some_and(|link| link.is_taken());
        self.out.push(code, (!is_link).then_some(Style::Code));
        self.last_code = Some((self.out.text.len(), code.to_owned()));
    }

    fn open_style(&mut self, style: Style) {
        self.open.push(Open::Styled(style, self.out.text.len()));
    }

    fn close(&mut self) {
        match self.open.pop() {
            Some(Open::Styled(style, start)) if start < self.out.text.len() => {
                self.out.styles.push((start..self.out.text.len(), style));
            }
            Some(Open::Link(link)) => self.end_link(link),
            _ => {}
        }
    }

    /// `defined` are the text's link definitions: one that no link uses is shown.
    fn finish(mut self, defined: Vec<Defined>) -> Rendered {
        for link in defined {
            if !self.targets.contains(&link.target) {
                self.paragraph();
                self.text(&format!("[{}]: {}", link.name, link.target));
                if !is_blank(&link.title) {
                    self.text(&format!(" ({})", link.title));
                }
            }
        }
        let length = self.out.text.trim_end().len();
        self.out.text.truncate(length);
        nesting::untangle(&mut self.out.styles, length);
        Rendered {
            text: self.out,
            files: self.files,
            commands: self.commands,
        }
    }
}
