//! Markdown as models write it (CommonMark with GFM's tables, task lists and strikethrough) to styled text.
//!
//! Entities, not HTML or MarkdownV2: nothing to escape, nothing that can fail to parse. What Telegram has no
//! style for becomes readable text: headings are bold, tables are aligned in a code block, images are links.

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use super::rich::{Rich, Style};

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
    /// Inline styles that are on, innermost last.
    open: Vec<Style>,
    /// Starts of quotes that are on.
    quotes: Vec<usize>,
    /// The next number of each list that is on; `None` for bullets.
    lists: Vec<Option<u64>>,
    code_block: Option<(Option<String>, String)>,
    table: Option<Table>,
    /// The text of a link whose target is no address for Telegram is followed by the target.
    spelled_out: Option<String>,
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
            Event::TaskListMarker(done) => self.text(if done { "☑ " } else { "☐ " }),
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Paragraph => self.paragraph(),
            Tag::Heading { .. } => {
                self.paragraph();
                self.open.push(Style::Bold);
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
            Tag::Emphasis => self.open.push(Style::Italic),
            Tag::Strong => self.open.push(Style::Bold),
            Tag::Strikethrough => self.open.push(Style::Strikethrough),
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                if is_address(&dest_url) {
                    self.open.push(Style::Link {
                        url: dest_url.into_string(),
                    });
                } else {
                    self.spelled_out = Some(dest_url.into_string());
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
            TagEnd::Heading(_) | TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough => {
                self.open.pop();
            }
            TagEnd::Link | TagEnd::Image => match self.spelled_out.take() {
                Some(target) => {
                    if !self.out.text.ends_with(&target) && !target.is_empty() {
                        self.text(&format!(" ({target})"));
                    }
                }
                None => {
                    self.open.pop();
                }
            },
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
            let start = self.out.text.len();
            self.out.text.push_str(text);
            self.style_from(start);
        }
    }

    fn code(&mut self, code: &str) {
        if let Some(table) = &mut self.table {
            table.cell.push_str(code);
            return;
        }
        // Nothing nests with code, so other styles end before it and go on behind it.
        self.out.push(code, Some(Style::Code));
    }

    fn pre(&mut self, code: &str, language: Option<String>) {
        self.out.push(code, Some(Style::Pre { language }));
    }

    /// Applies the open styles to what was written since `start`, joined to what went before.
    fn style_from(&mut self, start: usize) {
        let end = self.out.text.len();
        if start == end {
            return;
        }
        for (depth, style) in self.open.iter().enumerate() {
            if self.open[..depth].contains(style) {
                continue;
            }
            let joined = self
                .out
                .styles
                .iter_mut()
                .rev()
                .take(self.open.len() + 1)
                .find(|(range, other)| range.end == start && other == style);
            match joined {
                Some((range, _)) => range.end = end,
                None => self.out.styles.push((start..end, style.clone())),
            }
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
        let depth = self.lists.len().saturating_sub(1);
        self.out.text.push_str(&"   ".repeat(depth));
        match self.lists.last_mut() {
            Some(Some(number)) => {
                self.out.text.push_str(&format!("{number}. "));
                *number += 1;
            }
            _ => self.out.text.push_str("• "),
        }
    }

    fn finish(mut self) -> Rich {
        let length = self.out.text.trim_end().len();
        self.out.text.truncate(length);
        for (range, _) in &mut self.out.styles {
            range.end = range.end.min(length);
        }
        self.out.styles.retain(|(range, _)| range.start < range.end);
        self.out
            .styles
            .sort_by(|(a, _), (b, _)| a.start.cmp(&b.start).then(b.end.cmp(&a.end)));
        self.out
    }
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
