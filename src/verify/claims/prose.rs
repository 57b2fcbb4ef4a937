//! The sentences of an answer, as words, and whose they are.
//!
//! Code, quotations, tables, headings, footnotes and struck-out text are left out.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::heading::{Owner, owner};
use super::words::{stand_in, words};

/// One sentence.
#[derive(Debug)]
pub(super) struct Sentence {
    /// In lower case and without punctuation; a comma, a colon and the like are words of their own: `,`.
    pub words: Vec<String>,
    pub is_question: bool,
    /// A point of a list.
    pub is_item: bool,
    /// As far as headings and introductions tell, it is about this turn's work.
    pub is_own: bool,
}

/// All sentences, in order.
pub(super) fn sentences(markdown: &str) -> Vec<Sentence> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_GFM;
    let mut reader = Reader {
        sentences: Vec::new(),
        text: String::new(),
        left_out: 0,
        heading: Owner::Work,
        introduction: None,
        lists: Vec::new(),
        is_draft: false,
    };
    for event in Parser::new_ext(markdown, options) {
        reader.event(event);
    }
    reader.end_block();
    reader.sentences
}

struct Reader {
    sentences: Vec<Sentence>,
    /// Of the current block.
    text: String,
    /// How many open elements are left out.
    left_out: usize,
    /// Before the first heading: the answer's own work.
    heading: Owner,
    /// Of a paragraph that introduces a list or a text.
    introduction: Option<Owner>,
    /// Of each open list, innermost last.
    lists: Vec<Owner>,
    is_draft: bool,
}

impl Reader {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(&tag),
            Event::End(tag) => self.end(tag),
            _ if self.left_out > 0 => {}
            Event::Text(text) => self.text.push_str(&text.replace('`', " ")),
            Event::Code(code) => {
                self.text.push(' ');
                self.text.push_str(stand_in(&code));
            }
            Event::SoftBreak | Event::InlineHtml(_) => self.text.push(' '),
            Event::HardBreak => self.end_block(),
            Event::Rule => self.introduction = None,
            Event::TaskListMarker(done) => self.text.push_str(if done { "" } else { "❌ " }),
            _ => {}
        }
    }

    fn start(&mut self, tag: &Tag<'_>) {
        match tag {
            Tag::BlockQuote(_)
            | Tag::CodeBlock(_)
            | Tag::Table(_)
            | Tag::FootnoteDefinition(_)
            | Tag::HtmlBlock => {
                self.end_block();
                self.left_out += 1;
            }
            Tag::Strikethrough | Tag::Image { .. } => self.left_out += 1,
            Tag::List(_) => {
                self.end_block();
                let owner = self.list_owner();
                self.lists.push(owner);
            }
            Tag::Paragraph | Tag::Item | Tag::Heading { .. } => self.end_block(),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::BlockQuote(_)
            | TagEnd::CodeBlock
            | TagEnd::Table
            | TagEnd::FootnoteDefinition
            | TagEnd::HtmlBlock
            | TagEnd::Strikethrough
            | TagEnd::Image => self.left_out = self.left_out.saturating_sub(1),
            TagEnd::Heading(_) => {
                let words = words(&std::mem::take(&mut self.text)).concat();
                self.heading = owner(&words);
                self.is_draft |= self.heading == Owner::Draft;
                self.introduction = None;
            }
            TagEnd::List(_) => {
                self.end_block();
                self.lists.pop();
                self.introduction = None;
            }
            TagEnd::Paragraph | TagEnd::Item => self.end_block(),
            _ => {}
        }
    }

    /// Turns the collected text into sentences.
    fn end_block(&mut self) {
        let text = std::mem::take(&mut self.text);
        if text.trim().is_empty() {
            return;
        }
        let is_own = self.is_own();
        let sentences = words(&text);
        self.introduction = sentences
            .last()
            .filter(|words| introduces(&text, words))
            .map(|words| owner(words));
        for words in sentences {
            self.sentences.push(Sentence {
                is_question: words.last().is_some_and(|word| word == "?"),
                is_item: !self.lists.is_empty(),
                is_own,
                words,
            });
        }
        self.is_draft |= text.trim_end().ends_with(':') && self.introduction == Some(Owner::Draft);
    }

    /// A list's owner: that of the line before it, or else of its surroundings.
    fn list_owner(&mut self) -> Owner {
        match (self.introduction.take(), self.lists.last()) {
            (Some(owner @ (Owner::Other | Owner::Draft)), Some(_)) => owner,
            (_, Some(around)) => *around,
            (Some(owner), None) => owner,
            (None, None) => self.heading,
        }
    }

    fn is_own(&self) -> bool {
        let around = match self.lists.last() {
            Some(list) => *list == Owner::Work,
            None => {
                self.heading != Owner::Other
                    && !matches!(self.introduction, Some(Owner::Other | Owner::Draft))
            }
        };
        around && !self.is_draft
    }
}

/// "What I changed:", or without the colon if it is as short as a heading.
fn introduces(text: &str, words: &[String]) -> bool {
    const SHORT: usize = 6;
    let text = text.trim_end();
    text.ends_with(':') || (words.len() <= SHORT && !text.ends_with(['.', '!', '?', ')']))
}
