//! Markdown as models write it (CommonMark with GFM's tables, task lists, strikethrough, alerts and footnotes) to
//! styled text.
//!
//! The output is entities, not HTML or MarkdownV2: nothing needs escaping, and nothing can fail to parse. Markup that
//! Telegram lacks becomes readable text: headings are bold, images are links, formulas keep their source. A long code
//! block becomes a file (`code`), a wide table a list (`table`). `nesting` knows which styles may nest.

mod code;
mod html;
mod nesting;
mod table;
mod words;

use pulldown_cmark::{
    BlockQuoteKind, CodeBlockKind, Event, Options, Parser, Tag, TagEnd, TextMergeStream,
};

use super::rich::{Rich, Style};
use code::Block;
use table::Table;

const BULLET: &str = "• ";
/// The deepest indentation of a list: a phone is narrow.
const DEEPEST: usize = 6;
/// A longer quote is folded, and opens at a touch.
const QUOTE_LINES: usize = 4;
const QUOTE_LENGTH: usize = 400;

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
    let mut end = bytes.min(markdown.len());
    while !markdown.is_char_boundary(end) {
        end -= 1;
    }
    let whole_lines = markdown[..end].rfind('\n').unwrap_or(end);
    render_in_place(&markdown[..whole_lines])
}

fn rendered(markdown: &str, with_files: bool) -> Rendered {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_MATH
        | Options::ENABLE_GFM;
    let parser = Parser::new_ext(markdown, options);
    let mut defined: Vec<_> = parser.reference_definitions().iter().collect();
    defined.sort_by_key(|(_, link)| link.span.start);
    let defined: Vec<(String, String)> = defined
        .into_iter()
        .map(|(name, link)| (name.to_owned(), link.dest.to_string()))
        .collect();
    let mut renderer = Renderer {
        with_files,
        ..Renderer::default()
    };
    // The parser alone would split a path at an underscore or a tilde.
    for event in TextMergeStream::new(parser) {
        renderer.event(event);
    }
    renderer.finish(defined)
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
    /// For each open quote: where it starts, and where its own text starts.
    quotes: Vec<(usize, usize)>,
    /// The next number of each open list; `None` for bullets.
    lists: Vec<Option<u64>>,
    block: Option<Block>,
    table: Option<Table>,
    /// Link targets so far.
    targets: Vec<String>,
    /// The last inline code and where it ended: it may name the code block that follows.
    last_code: Option<(usize, String)>,
}

/// An inline element that has begun.
enum Open {
    Styled(Style, usize),
    /// A link whose target is no address for Telegram: its text is followed by the target.
    SpelledOut(String),
    Image {
        url: String,
        start: usize,
    },
}

impl Renderer {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => self.words(&text),
            Event::Code(code) => self.code(&code),
            Event::Html(html) | Event::InlineHtml(html) => self.text(&html::as_text(&html)),
            Event::InlineMath(math) if words::is_formula(&math) => {
                self.code(&format!("${math}$"));
            }
            Event::InlineMath(math) => self.text(&format!("${math}$")),
            Event::DisplayMath(math) if words::is_formula(&math) => self.formula(&math),
            Event::DisplayMath(math) => self.text(&format!("$${math}$$")),
            Event::FootnoteReference(name) => self.text(&format!("[{name}]")),
            Event::SoftBreak | Event::HardBreak => self.text("\n"),
            Event::Rule => {
                self.paragraph();
                self.text("———");
            }
            Event::TaskListMarker(done) => {
                if self.out.text.ends_with(BULLET) {
                    self.out.text.truncate(self.out.text.len() - BULLET.len());
                }
                self.text(if done { "☑ " } else { "☐ " });
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
                    self.out.push(title_of(kind), Some(Style::Bold));
                    self.out.text.push('\n');
                }
                self.quotes.push((start, self.out.text.len()));
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
            }
            Tag::Emphasis => self.open_style(Style::Italic),
            Tag::Strong => self.open_style(Style::Bold),
            Tag::Strikethrough => self.open_style(Style::Strikethrough),
            Tag::Link { dest_url, .. } => {
                let url = dest_url.into_string();
                self.targets.push(url.clone());
                if is_address(&url) {
                    self.open_style(Style::Link { url });
                } else {
                    self.open.push(Open::SpelledOut(url));
                }
            }
            Tag::Image { dest_url, .. } => {
                let url = dest_url.into_string();
                self.targets.push(url.clone());
                let start = self.out.text.len();
                self.open.push(Open::Image { url, start });
            }
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
        let in_link = self.open.iter().any(
            |open| !matches!(open, Open::Styled(style, _) if !matches!(style, Style::Link { .. })),
        );
        if self.block.is_some() || in_link {
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

    fn code(&mut self, code: &str) {
        self.out.push(code, Some(Style::Code));
        self.last_code = Some((self.out.text.len(), code.to_owned()));
    }

    fn formula(&mut self, source: &str) {
        if self.table.is_some() {
            return self.code(&format!("$${source}$$"));
        }
        self.new_line();
        let language = Some("latex".to_owned());
        self.out.push(source.trim(), Some(Style::Pre { language }));
        self.new_line();
    }

    /// The name that stands right before a code block, as in "`src/main.rs`:".
    fn named_before(&self) -> Option<String> {
        let (end, name) = self.last_code.as_ref()?;
        let behind = self.out.text.get(*end..)?;
        let is_right_before = behind.trim_matches([':', '*', ' ', '\n']).is_empty();
        is_right_before.then(|| name.clone())
    }

    fn end_block(&mut self, block: Block) {
        if let Some(command) = block.command() {
            self.commands.push(command.to_owned());
        }
        match block.as_file().filter(|_| self.with_files) {
            Some(file) => {
                let lines = file.content.lines().count();
                self.out.push(&file.title, Some(Style::Code));
                self.out.push(
                    &format!(" ({lines} lines) comes as a file."),
                    Some(Style::Italic),
                );
                self.files.push(file);
            }
            None => {
                let language = block.language();
                self.out.push(&block.shown(), Some(Style::Pre { language }));
            }
        }
    }

    fn end_table(&mut self, mut table: Table) {
        self.out = table.take_before();
        match table.as_file().filter(|_| self.with_files) {
            Some(file) => {
                self.out.push(&file.title, Some(Style::Code));
                self.out.push(" comes as a file.", Some(Style::Italic));
                self.files.push(file);
            }
            None => self.out.append(table.shown()),
        }
    }

    fn end_quote(&mut self) {
        let Some((start, _)) = self.quotes.pop() else {
            return;
        };
        let quoted = &self.out.text[start..];
        // Quotes do not nest in Telegram: only the outermost stays.
        if !self.quotes.is_empty() || quoted.trim().is_empty() {
            return;
        }
        let folded = quoted.lines().count() > QUOTE_LINES || quoted.len() > QUOTE_LENGTH;
        self.out
            .styles
            .push((start..self.out.text.len(), Style::Quote { folded }));
    }

    fn open_style(&mut self, style: Style) {
        self.open.push(Open::Styled(style, self.out.text.len()));
    }

    fn close(&mut self) {
        match self.open.pop() {
            Some(Open::Styled(style, start)) if start < self.out.text.len() => {
                self.out.styles.push((start..self.out.text.len(), style));
            }
            // A link without a text is its address.
            Some(Open::Styled(Style::Link { url }, _)) => {
                self.out.push(&url.clone(), Some(Style::Link { url }));
            }
            Some(Open::SpelledOut(target)) => self.spell_out(&target),
            Some(Open::Image { url, start }) => {
                if self.out.text.len() == start {
                    self.text("image");
                }
                if is_address(&url) {
                    let link = Style::Link { url };
                    self.out.styles.push((start..self.out.text.len(), link));
                } else {
                    self.spell_out(&url);
                }
            }
            _ => {}
        }
    }

    /// Writes a link's target behind its text as code: a touch copies it.
    fn spell_out(&mut self, target: &str) {
        if target.is_empty() || self.out.text.ends_with(target) {
            return;
        }
        self.text(" (");
        self.code(target);
        self.text(")");
    }

    /// Begins a paragraph: after a blank line, or in a list a new one.
    fn paragraph(&mut self) {
        if self.out.text.is_empty()
            || self.quotes.last().map(|quote| quote.1) == Some(self.out.text.len())
        {
            return;
        }
        // The first paragraph of an item follows its bullet.
        if !self.lists.is_empty() {
            if !self.out.text.ends_with(' ') {
                self.new_line();
            }
            return;
        }
        if self.out.text.ends_with("] ") {
            // A footnote's own text follows its number.
            return;
        }
        while !self.out.text.ends_with("\n\n") {
            self.out.text.push('\n');
        }
    }

    fn new_line(&mut self) {
        if !self.out.text.is_empty() && !self.out.text.ends_with('\n') {
            self.out.text.push('\n');
        }
    }

    fn item(&mut self) {
        self.new_line();
        let depth = self.lists.len().saturating_sub(1).min(DEEPEST);
        self.out.text.push_str(&"   ".repeat(depth));
        match self.lists.last_mut() {
            Some(Some(number)) => {
                self.out.text.push_str(&format!("{number}. "));
                *number += 1;
            }
            _ => self.out.text.push_str(BULLET),
        }
    }

    /// `defined` are the text's link definitions: one that no link uses is shown.
    fn finish(mut self, defined: Vec<(String, String)>) -> Rendered {
        for (name, target) in defined {
            if !self.targets.contains(&target) {
                self.paragraph();
                self.text(&format!("[{name}]: {target}"));
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

fn title_of(kind: BlockQuoteKind) -> &'static str {
    match kind {
        BlockQuoteKind::Note => "Note",
        BlockQuoteKind::Tip => "Tip",
        BlockQuoteKind::Important => "Important",
        BlockQuoteKind::Warning => "Warning",
        BlockQuoteKind::Caution => "Caution",
    }
}

/// Telegram opens only these; for any other address its server drops the link.
fn is_address(url: &str) -> bool {
    ["http://", "https://", "tg://", "mailto:"]
        .iter()
        .any(|scheme| url.starts_with(scheme))
}
