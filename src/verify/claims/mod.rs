//! What an answer says about its own work, to compare with what was found: "It says the tests pass; 2 fail".
//!
//! A wrong alarm costs more trust than a missed one, so a claim counts only in a few plain forms: in the first person
//! ("I've fixed the parser"), as the first word of a sentence or of a point in a summary ("Added `--since`"), as a
//! sentence about all the tests ("All 12 tests pass", "Tests: 12 passed") or about the linter ("clippy is clean").
//! Anything that could be a wish, a condition, a plan, history, a quotation or somebody else's words does not count.
//! English only: an answer in another language claims nothing.
//!
//! `prose` takes the sentences out of the Markdown, `words` the words out of a sentence, and `heading` judges whose
//! they are; `work` looks for what was done, `checks` for what passed, `admits` for what did not.

mod admits;
mod checks;
mod heading;
mod prose;
mod words;
mod work;

use crate::domain::evidence::Claims;
use prose::Sentence;

/// A longer sentence is not plain.
const LONGEST_SENTENCE: usize = 150;

/// Reads an answer in Markdown. Text in code, quotations, tables and headings is not a claim.
pub fn of(answer: &str) -> Claims {
    let mut claims = Claims::default();
    let mut admits_failures = false;
    let mut admits_warnings = false;
    let sentences = prose::sentences(answer);
    for sentence in &sentences {
        admits_failures |= admits::failures(sentence);
        admits_warnings |= admits::warnings(sentence);
        let is_plain = !sentence.is_question && sentence.words.len() <= LONGEST_SENTENCE;
        if sentence.is_own && is_plain {
            let done = work::of(sentence);
            claims.changed |= done.changed;
            claims.committed |= done.committed;
            claims.pushed |= done.pushed;
            let passed = checks::of(sentence);
            claims.tests_pass |= passed.tests;
            claims.lint_clean |= passed.lint;
        }
    }
    claims.changed |= says_done(&sentences);
    claims.changed &= !sentences.iter().any(work::takes_back);
    claims.tests_pass &= !admits_failures;
    claims.lint_clean &= !admits_warnings;
    claims
}

/// An answer that is "Done.", or begins so and then tells of a change.
fn says_done(sentences: &[Sentence]) -> bool {
    let [first, rest @ ..] = sentences else {
        return false;
    };
    let is_alone = rest.is_empty() && first.words.len() <= 3;
    work::is_done(first)
        && (is_alone || sentences.iter().any(work::tells_of_change))
        && !sentences.iter().any(work::explains_done)
}
