//! Runners that have no form of their own here.

use std::sync::LazyLock;

use regex::Regex;

use super::tally::{Tally, compiled};
use crate::domain::check::TestCounts;

/// Reads the last line with `12 passed`, perhaps with `2 failed` and `1 skipped`. It counts only if no other reader
/// found anything. Any line of the output can fool this.
#[derive(Clone, Debug, Default)]
pub(super) struct Generic {
    last: Option<TestCounts>,
    /// From a line that is only `2 failed`.
    failed_before: Option<String>,
}

impl Generic {
    pub fn line(&mut self, line: &str) {
        // The number stands alone, and its word ends: an argument that is passed to a function is no test.
        static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
            compiled(
                r"(?:^|[^0-9A-Za-z_./-])(\d+ (passed|failed|skipped|ignored))(?:$|[,;|.)\]]| \(| in | \|| and )",
            )
        });
        static FAILED: LazyLock<Regex> = LazyLock::new(|| compiled(r"^ *(\d+ failed)$"));
        // It is for `Libtest` to judge.
        if !line.contains("ed") || line.starts_with("test result: ") {
            return;
        }
        if let Some(found) = FAILED.captures(line) {
            self.failed_before = Some(found[1].to_owned());
            return;
        }
        let mut tally = Tally::default();
        let mut words = Vec::new();
        for found in NUMBER.captures_iter(line) {
            let (_, [number, word]) = found.extract();
            if !words.contains(&word) {
                words.push(word);
                tally.read(number);
            }
        }
        if !words.contains(&"passed") {
            return;
        }
        if let (Some(failed), false) = (self.failed_before.take(), words.contains(&"failed")) {
            tally.read(&failed);
        }
        self.last = Some(tally.counts());
    }

    pub fn counts(&self) -> Option<TestCounts> {
        self.last
    }
}
