//! The answer of a turn, whole: which of claude's texts a person should read, and how they are joined.
//!
//! claude's `result` is only the last text of a turn. What it found out before a last small tool call, or wrote before
//! its connection was cut, is in earlier texts. Words between two tool calls mostly say what comes next: those stay in
//! the live message and in `/logs`. The rule, in the order of the texts:
//!
//! 1. A text that no tool call follows belongs to the answer.
//! 2. A text before a tool call belongs to it if it is long (`LONG`) or written as an answer is: a heading, a list, a
//!    table or a block of code.
//! 3. If the last text is short (`SHORT`), the newest text before it with more than `TELLING` characters belongs to
//!    it too: findings, a small tool, "Done."
//!
//! A text that continues one that was cut off is joined to it by a blank, any other by an empty line. Pure.

use crate::domain::progress::{Progress, Said};

/// In characters.
const LONG: usize = 400;
const SHORT: usize = 200;
const TELLING: usize = 120;

/// The whole answer. `result` is the last text as claude's `result` has it; empty if it has none.
pub fn whole(progress: &Progress, result: &str) -> String {
    let said = &progress.said;
    let last = said.last();
    // Slash commands answer in the result alone.
    let is_said = last.is_some_and(|last| last.text.trim() == result.trim());
    let result = Some(result).filter(|result| !is_said && !result.trim().is_empty());
    let end = result.or(last.map(|last| &*last.text)).unwrap_or_default();
    let earlier = if result.is_some() {
        said.len()
    } else {
        said.len().saturating_sub(1)
    };
    let is_short = end.chars().nth(SHORT).is_none();
    let finding = said[..earlier]
        .iter()
        .rposition(|said| said.text.chars().nth(TELLING).is_some())
        .filter(|_| is_short);
    let mut answer = String::new();
    let mut follows = false;
    for (at, part) in said[..earlier].iter().enumerate() {
        let is_in = belongs(part) || finding == Some(at);
        if is_in {
            join(&mut answer, &part.text, part.continues && follows);
        }
        follows = is_in;
    }
    let continues = follows && result.is_none() && last.is_some_and(|last| last.continues);
    join(&mut answer, end, continues);
    answer
}

fn belongs(said: &Said) -> bool {
    !said.before_tool
        || said.text.chars().nth(LONG).is_some()
        || is_written_as_an_answer(&said.text)
}

/// Markdown that nobody writes to say what comes next.
fn is_written_as_an_answer(text: &str) -> bool {
    let mut items = 0;
    for line in text.lines().map(str::trim_start) {
        if line.starts_with("```") || line.starts_with('#') || line.starts_with('|') {
            return true;
        }
        let is_numbered = line.split_once(['.', ')']).is_some_and(|(number, _)| {
            !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
        });
        items += usize::from(line.starts_with("- ") || line.starts_with("* ") || is_numbered);
    }
    items >= 2
}

fn join(answer: &mut String, text: &str, continues: bool) {
    if text.trim().is_empty() {
        return;
    }
    let is_apart = answer.is_empty()
        || answer.ends_with(char::is_whitespace)
        || text.starts_with(char::is_whitespace);
    match continues {
        true if is_apart => {}
        true => answer.push(' '),
        false if answer.is_empty() => {}
        false => answer.push_str("\n\n"),
    }
    answer.push_str(text);
}
