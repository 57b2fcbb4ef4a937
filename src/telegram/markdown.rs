//! Markdown as models write it (CommonMark with GFM's tables, task lists and strikethrough) to styled text.
//!
//! Entities, not HTML or MarkdownV2: nothing to escape, nothing that can fail to parse. What Telegram has no
//! style for becomes readable text: headings are bold, tables are aligned in a code block, images are links.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use super::rich::{Rich, Style};

const BULLET: &str = "• ";
/// A list is indented so many times at most: a phone is narrow.
const DEEPEST: usize = 6;

/// Renders a whole text. Never fails: what is no Markdown is shown as it stands.
pub fn render(markdown: &str) -> Rich {
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut renderer = Renderer::default();
    for event in Parser::new_ext(markdown, options) {
        renderer.event(event);
    }
    renderer.finish()
}

#[derive(Default)]
struct Renderer {
    out: Rich,
    /// Inline elements that are open, innermost last.
    open: Vec<Open>,
    /// Starts of quotes that are on.
    quotes: Vec<usize>,
    /// The next number of each list that is on; `None` for bullets.
    lists: Vec<Option<u64>>,
    code_block: Option<(Option<String>, String)>,
    table: Option<Table>,
}

/// An inline element that has begun.
enum Open {
    Styled(Style, usize),
    /// A link whose target is no address for Telegram: its text is followed by the target.
    SpelledOut(String),
}

#[derive(Default)]
struct Table {
    rows: Vec<Vec<String>>,
    cell: String,
}

impl Renderer {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => self.text(&text),
            Event::Code(code) => self.code(&code),
            Event::Html(html) | Event::InlineHtml(html) => self.text(&html),
            Event::InlineMath(math) | Event::DisplayMath(math) => self.text(&math),
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
            Tag::BlockQuote(_) => {
                self.paragraph();
                self.quotes.push(self.out.text.len());
            }
            Tag::CodeBlock(kind) => {
                let language = match kind {
                    CodeBlockKind::Fenced(info) => info
                        .split([' ', ',', '{'])
                        .next()
                        .filter(|language| !language.is_empty())
                        .map(str::to_owned),
                    CodeBlockKind::Indented => None,
                };
                self.paragraph();
                self.code_block = Some((language, String::new()));
            }
            Tag::List(first) => {
                if self.lists.is_empty() {
                    self.paragraph();
                }
                self.lists.push(first);
            }
            Tag::Item => self.item(),
            Tag::Emphasis => self.open_style(Style::Italic),
            Tag::Strong => self.open_style(Style::Bold),
            Tag::Strikethrough => self.open_style(Style::Strikethrough),
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                let url = dest_url.into_string();
                if is_address(&url) {
                    self.open_style(Style::Link { url });
                } else {
                    self.open.push(Open::SpelledOut(url));
                }
            }
            Tag::Table(_) => {
                self.paragraph();
                self.table = Some(Table::default());
            }
            Tag::TableHead | Tag::TableRow => {
                if let Some(table) = &mut self.table {
                    table.rows.push(Vec::new());
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
            TagEnd::BlockQuote(_) => {
                if let Some(start) = self.quotes.pop()
                    // Quotes do not nest in Telegram: the outermost one stands.
                    && self.quotes.is_empty()
                    && start < self.out.text.len()
                {
                    self.out
                        .styles
                        .push((start..self.out.text.len(), Style::Quote));
                }
            }
            TagEnd::CodeBlock => {
                if let Some((language, code)) = self.code_block.take() {
                    self.pre(code.trim_end_matches('\n'), language);
                }
            }
            TagEnd::List(_) => {
                self.lists.pop();
            }
            TagEnd::TableCell => {
                if let Some(table) = &mut self.table {
                    let cell = std::mem::take(&mut table.cell);
                    if let Some(row) = table.rows.last_mut() {
                        row.push(cell);
                    }
                }
            }
            TagEnd::Table => {
                if let Some(table) = self.table.take() {
                    self.pre(&aligned(&table.rows), None);
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        if let Some((_, code)) = &mut self.code_block {
            code.push_str(text);
        } else if let Some(table) = &mut self.table {
            table.cell.push_str(&text.replace('\n', " "));
        } else {
            self.out.text.push_str(text);
        }
    }

    fn code(&mut self, code: &str) {
        if let Some(table) = &mut self.table {
            table.cell.push_str(code);
            return;
        }
        self.out.push(code, Some(Style::Code));
    }

    fn pre(&mut self, code: &str, language: Option<String>) {
        self.out.push(code, Some(Style::Pre { language }));
    }

    fn open_style(&mut self, style: Style) {
        self.open.push(Open::Styled(style, self.out.text.len()));
    }

    fn close(&mut self) {
        match self.open.pop() {
            Some(Open::Styled(style, start)) if start < self.out.text.len() => {
                self.out.styles.push((start..self.out.text.len(), style));
            }
            Some(Open::SpelledOut(target))
                if !target.is_empty() && !self.out.text.ends_with(&target) =>
            {
                self.text(&format!(" ({target})"));
            }
            _ => {}
        }
    }

    /// A blank line, or in a list a new line, before what comes now.
    fn paragraph(&mut self) {
        if self.out.text.is_empty() || self.quotes.last() == Some(&self.out.text.len()) {
            return;
        }
        // The first paragraph of an item follows its bullet.
        if !self.lists.is_empty() {
            if !self.out.text.ends_with(' ') {
                self.new_line();
            }
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

    fn finish(mut self) -> Rich {
        let length = self.out.text.trim_end().len();
        self.out.text.truncate(length);
        let code: Vec<Range<usize>> = self
            .out
            .styles
            .iter()
            .filter(|(_, style)| matches!(style, Style::Code | Style::Pre { .. }))
            .map(|(range, _)| range.clone())
            .collect();
        self.out.styles = std::mem::take(&mut self.out.styles)
            .into_iter()
            .flat_map(|(range, style)| {
                let range = range.start..range.end.min(length);
                let pieces = match style {
                    Style::Code | Style::Pre { .. } | Style::Quote => vec![range],
                    _ => without(range, &code),
                };
                pieces.into_iter().map(move |piece| (piece, style.clone()))
            })
            .filter(|(range, _)| range.start < range.end)
            .collect();
        self.out
            .styles
            .sort_by(|(a, _), (b, _)| a.start.cmp(&b.start).then(b.end.cmp(&a.end)));
        self.out
    }
}

/// What is left of a range: nothing nests with code, so a style ends before it and goes on behind it.
fn without(range: Range<usize>, code: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let mut start = range.start;
    for hole in code {
        if hole.end <= start || hole.start >= range.end {
            continue;
        }
        pieces.push(start..hole.start.max(start));
        start = hole.end;
    }
    pieces.push(start..range.end.max(start));
    pieces
}

/// Telegram opens only these; anything else is dropped by its server together with the link.
fn is_address(url: &str) -> bool {
    ["http://", "https://", "tg://", "mailto:"]
        .iter()
        .any(|scheme| url.starts_with(scheme))
}

/// Columns of equal width, the first row underlined.
fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            rows.iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    let mut lines = Vec::with_capacity(rows.len() + 1);
    for (number, row) in rows.iter().enumerate() {
        let cells: Vec<String> = widths
            .iter()
            .enumerate()
            .map(|(column, width)| {
                let cell = row.get(column).map_or("", String::as_str);
                let padding = width - cell.chars().count();
                format!("{cell}{}", " ".repeat(padding))
            })
            .collect();
        lines.push(cells.join("  ").trim_end().to_owned());
        if number == 0 {
            let rule: Vec<String> = widths.iter().map(|width| "─".repeat(*width)).collect();
            lines.push(rule.join("  "));
        }
    }
    lines.join("\n")
}
