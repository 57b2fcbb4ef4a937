//! Paragraphs, lists, quotes, code blocks and tables: where each begins, and what is made of it at its end.

use pulldown_cmark::BlockQuoteKind;

use super::code::Block;
use super::table::Table;
use super::{BULLET, Renderer};
use crate::telegram::rich::Style;

/// The deepest indentation of a list: a phone is narrow.
const DEEPEST: usize = 6;
/// A longer quote is folded, and opens at a touch.
const QUOTE_LINES: usize = 4;
const QUOTE_LENGTH: usize = 400;

impl Renderer {
    /// Begins a paragraph: after a blank line, or in a list a new one.
    pub(super) fn paragraph(&mut self) {
        if self.out.text.is_empty() || self.begun == Some(self.out.text.len()) {
            return;
        }
        if !self.lists.is_empty() {
            return self.new_line();
        }
        while !self.out.text.ends_with("\n\n") {
            self.out.text.push('\n');
        }
    }

    pub(super) fn new_line(&mut self) {
        if !self.out.text.is_empty() && !self.out.text.ends_with('\n') {
            self.out.text.push('\n');
        }
    }

    pub(super) fn item(&mut self) {
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
        self.begun = Some(self.out.text.len());
    }

    pub(super) fn formula(&mut self, source: &str) {
        if self.table.is_some() || self.link_around().is_some() {
            return self.code(&format!("$${source}$$"));
        }
        self.new_line();
        let language = Some("latex".to_owned());
        self.out.push(source.trim(), Some(Style::Pre { language }));
        self.new_line();
    }

    /// The name that stands right before a code block, as in "`src/main.rs`:".
    pub(super) fn named_before(&self) -> Option<String> {
        let (end, name) = self.last_code.as_ref()?;
        let behind = self.out.text.get(*end..)?;
        let is_right_before = behind.trim_matches([':', '*', ' ', '\n']).is_empty();
        is_right_before.then(|| name.clone())
    }

    pub(super) fn end_block(&mut self, block: Block) {
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
                if let Some(path) = block.named_by_fence() {
                    self.out.push(path, Some(Style::Code));
                    self.new_line();
                }
                let language = block.language();
                self.out.push(&block.shown(), Some(Style::Pre { language }));
            }
        }
    }

    pub(super) fn end_table(&mut self, mut table: Table) {
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

    pub(super) fn end_quote(&mut self) {
        let Some(start) = self.quotes.pop() else {
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
