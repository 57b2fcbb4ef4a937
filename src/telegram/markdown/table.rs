//! A narrow table is an aligned code block, a wide one a list of records, a wide and long one a file.

use pulldown_cmark::Alignment;
use unicode_width::UnicodeWidthStr;

use super::File;
use crate::telegram::rich::{Rich, Style};

/// How many monospaced characters fit a line on a phone.
const PHONE_WIDTH: usize = 36;
/// A wide table with more text is sent as a file; in bytes.
const LONGEST: usize = 6_000;
const GAP: &str = "  ";

/// A table while it is read.
pub(super) struct Table {
    alignments: Vec<Alignment>,
    /// The first one is the head.
    rows: Vec<Vec<Rich>>,
    /// The text before the table.
    before: Rich,
}

impl Table {
    pub(super) fn new(alignments: Vec<Alignment>, before: Rich) -> Table {
        Table {
            alignments,
            rows: Vec::new(),
            before,
        }
    }

    pub(super) fn begin_row(&mut self) {
        self.rows.push(Vec::new());
    }

    pub(super) fn end_cell(&mut self, cell: Rich) {
        if let Some(row) = self.rows.last_mut() {
            row.push(cell);
        }
    }

    /// Takes back the text before the table.
    pub(super) fn take_before(&mut self) -> Rich {
        std::mem::take(&mut self.before)
    }

    /// As a message shows it.
    pub(super) fn shown(&self) -> Rich {
        if self.width() <= PHONE_WIDTH && !self.has_links() {
            let mut shown = Rich::default();
            shown.push(&self.aligned(), Some(Style::Pre { language: None }));
            return shown;
        }
        self.records()
    }

    /// The table as a file, if it is too long for a chat.
    pub(super) fn as_file(&self) -> Option<File> {
        let is_wide = self.width() > PHONE_WIDTH;
        let length: usize = self.rows.iter().flatten().map(|cell| cell.text.len()).sum();
        (is_wide && length > LONGEST).then(|| File {
            name: "table.txt".to_owned(),
            title: "table.txt".to_owned(),
            content: self.without_links().aligned(),
        })
    }

    /// A file has no links: their addresses stand behind their words.
    fn without_links(&self) -> Table {
        let spelled_out = |cell: &Rich| cell.with_links_spelled_out(usize::MAX).unwrap_or_default();
        Table {
            alignments: self.alignments.clone(),
            rows: self
                .rows
                .iter()
                .map(|row| row.iter().map(spelled_out).collect())
                .collect(),
            before: Rich::default(),
        }
    }

    fn columns(&self) -> usize {
        self.rows.iter().map(Vec::len).max().unwrap_or(0)
    }

    fn widths(&self) -> Vec<usize> {
        (0..self.columns())
            .map(|column| {
                self.rows
                    .iter()
                    .filter_map(|row| row.get(column))
                    .map(|cell| cell.text.trim().width())
                    .max()
                    .unwrap_or(0)
            })
            .collect()
    }

    fn width(&self) -> usize {
        let widths = self.widths();
        widths.iter().sum::<usize>() + GAP.len() * widths.len().saturating_sub(1)
    }

    fn has_links(&self) -> bool {
        self.rows
            .iter()
            .flatten()
            .flat_map(|cell| &cell.styles)
            .any(|(_, style)| matches!(style, Style::Link { .. }))
    }

    /// Columns of equal width, the first row underlined.
    fn aligned(&self) -> String {
        let widths = self.widths();
        let mut lines = Vec::with_capacity(self.rows.len() + 1);
        for (number, row) in self.rows.iter().enumerate() {
            let cells: Vec<String> = widths
                .iter()
                .enumerate()
                .map(|(column, width)| {
                    let cell = row.get(column).map_or("", |cell| cell.text.trim());
                    self.padded(column, cell, *width)
                })
                .collect();
            lines.push(cells.join(GAP).trim_end().to_owned());
            if number == 0 {
                let rule: Vec<String> = widths.iter().map(|width| "─".repeat(*width)).collect();
                lines.push(rule.join(GAP));
            }
        }
        lines.join("\n")
    }

    fn padded(&self, column: usize, cell: &str, width: usize) -> String {
        let missing = width.saturating_sub(cell.width());
        let left = match self.alignments.get(column) {
            Some(Alignment::Right) => missing,
            Some(Alignment::Center) => missing / 2,
            _ => 0,
        };
        format!("{}{cell}{}", " ".repeat(left), " ".repeat(missing - left))
    }

    /// One record a row: a line for each cell, with the column's name; the first one in bold.
    fn records(&self) -> Rich {
        let none = Vec::new();
        let (head, rows) = match self.rows.split_first() {
            Some((head, rows)) if !rows.is_empty() => (head, rows),
            Some((head, _)) => (&none, std::slice::from_ref(head)),
            None => return Rich::default(),
        };
        let is_empty = |row: &Vec<Rich>, column: usize| {
            row.get(column)
                .is_none_or(|cell| cell.text.trim().is_empty())
        };
        // A name's links are there where it is seen first.
        let mut names: Vec<Rich> = head.iter().map(name).collect();
        let mut shown = Rich::default();
        for (number, row) in rows.iter().enumerate() {
            if !shown.text.is_empty() {
                shown.text.push_str("\n\n");
            }
            let start = shown.text.len();
            for (column, cell) in row.iter().enumerate() {
                let names_nothing = number == 0 && rows.iter().all(|row| is_empty(row, column));
                if is_empty(row, column) && !names_nothing {
                    continue;
                }
                if shown.text.len() > start {
                    shown.text.push('\n');
                }
                if let Some(name) = names.get_mut(column).filter(|name| !name.text.is_empty()) {
                    shown.append(name.clone());
                    name.styles.clear();
                    shown.push(": ", None);
                }
                if is_empty(row, column) {
                    shown.push("–", None);
                    continue;
                }
                let cell_start = shown.text.len();
                shown.append(cell.clone());
                if column == 0 {
                    shown
                        .styles
                        .push((cell_start..shown.text.len(), Style::Bold));
                }
            }
        }
        shown
    }
}

/// The name of a column, with its links only.
fn name(cell: &Rich) -> Rich {
    let mut name = cell.first_parts(usize::MAX, 1).pop().unwrap_or_default();
    name.styles
        .retain(|(_, style)| matches!(style, Style::Link { .. }));
    name
}
