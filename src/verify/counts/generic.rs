//! Runners without a reader of their own.

use memchr::memmem;

use super::counted;
use crate::domain::check::TestCounts;

/// Reads the last line with `12 passed`, perhaps with `2 failed` and `1 skipped`. It counts only if no other reader
/// found anything. deno and Playwright print such lines.
///
/// Playwright prints the failures on an earlier line. Any line of the output can fool this.
#[derive(Clone, Debug, Default)]
pub(super) struct Generic {
    last: Option<TestCounts>,
    /// From a line that is only `2 failed`.
    failed_before: u64,
}

impl Generic {
    pub fn line(&mut self, line: &str) {
        // It is for `Libtest` to judge.
        if line.starts_with("test result: ") {
            return;
        }
        let Some(passed) = before(line, " passed") else {
            if let Some((failed, " failed")) = counted(line.trim()) {
                self.failed_before = failed;
            }
            return;
        };
        let failed_before = std::mem::take(&mut self.failed_before);
        let skipped = before(line, " skipped").or_else(|| before(line, " ignored"));
        self.last = Some(TestCounts {
            passed,
            failed: before(line, " failed").unwrap_or(failed_before),
            skipped: skipped.unwrap_or(0),
        });
    }

    pub fn counts(&self) -> Option<TestCounts> {
        self.last
    }
}

/// The number in front of `word`, at its first place with one. The word must end there, as in `2 passed, ` or
/// `2 passed (1s)`: an argument that is passed to a function is no test.
fn before(line: &str, word: &str) -> Option<u64> {
    memmem::find_iter(line.as_bytes(), word)
        .find_map(|at| {
            let text = &line[..at];
            let number = &text[text.trim_end_matches(|c: char| c.is_ascii_digit()).len()..];
            let stands_alone = !text[..text.len() - number.len()]
                .ends_with(|c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '/' | '_'));
            let rest = &line[at + word.len()..];
            let ends = rest.is_empty()
                || rest.starts_with([',', ';', '|', '.', ')', ']'])
                || [" (", " in ", " |", " and "]
                    .iter()
                    .any(|next| rest.starts_with(next));
            (stands_alone && ends).then(|| counted(number)).flatten()
        })
        .map(|(number, _)| number)
}
