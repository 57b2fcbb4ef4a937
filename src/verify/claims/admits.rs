//! What an answer admits. An admission overrides a claim that all is well.

use super::checks::{LINTERS, is_number};
use super::prose::Sentence;
use super::words::is;

/// Whether the sentence says that tests fail, or that they were not run.
pub(super) fn failures(sentence: &Sentence) -> bool {
    let words = &sentence.words;
    let denied = |at: usize| {
        let before = &words[at.saturating_sub(3)..at];
        before.iter().any(|word| {
            matches!(
                word.as_str(),
                "no" | "not" | "none" | "never" | "longer" | "0" | "zero"
            ) || word.ends_with("n't")
        })
    };
    words
        .iter()
        .enumerate()
        .any(|(at, word)| match word.as_str() {
            "fail" | "fails" | "failed" | "failing" | "failures" | "failure" if at > 0 => {
                let counted = is_number(&words[at - 1]) && words[at - 1] != "0";
                let present = matches!(word.as_str(), "fail" | "fails")
                    || matches!(words[at - 1].as_str(), "still" | "are" | "is");
                let only_then = words.get(at + 1).is_some_and(|next| {
                    matches!(next.as_str(), "without" | "before" | "if" | "when")
                });
                (counted || present) && !denied(at) && !only_then
            }
            "run" | "ran" | "pass" | "passes" | "passing" | "green" => {
                words[at.saturating_sub(3)..at].iter().any(|word| {
                    matches!(word.as_str(), "not" | "cannot" | "never" | "without")
                        || word.ends_with("n't")
                })
            }
            "running" => at > 0 && words[at - 1] == "without",
            "untested" | "unverified" => true,
            _ => false,
        })
}

/// Whether the sentence says that the linter still complains.
pub(super) fn warnings(sentence: &Sentence) -> bool {
    let words = &sentence.words;
    let about_lint = words.iter().any(|word| is(word, LINTERS));
    about_lint
        && words.iter().any(|word| {
            matches!(
                word.as_str(),
                "not" | "still" | "fails" | "complains" | "warns" | "remaining" | "remain"
            ) || word.ends_with("n't")
        })
}
