//! Numbers with words, as most runners write their sums: `2 failed, 9 passed`, `Tests run: 3, Failures: 1`.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::domain::check::TestCounts;

/// What a pattern that is a constant is: its mistakes are seen at the first test. `\d` is an ASCII digit.
pub(super) fn compiled(pattern: &str) -> Regex {
    Regex::new(&pattern.replace(r"\d", "[0-9]")).expect("a constant pattern is right")
}

/// A sum that is being read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    passed: Option<u64>,
    failed: u64,
    skipped: u64,
    /// All tests, for runners that do not say how many passed.
    total: u64,
    /// Files that failed, perhaps before a test of theirs began.
    failed_files: u64,
}

impl Tally {
    /// Adds what the groups of a pattern hold: `sum` and `part` are texts with numbers, `total` and `files` are
    /// numbers,
    /// `one` is a word for one test.
    pub fn add(&mut self, captures: &Captures) {
        let group = |name| captures.name(name).map(|found| found.as_str());
        for text in ["sum", "part"].into_iter().filter_map(group) {
            self.read(text);
        }
        group("total").inspect(|number| self.count("total", number));
        group("files").inspect(|number| self.failed_files = parsed(number));
        group("one").inspect(|word| self.count(word, "1"));
    }

    /// Adds each number of a text. What is in parentheses only details the number before it.
    pub fn read(&mut self, text: &str) {
        static DETAILS: LazyLock<Regex> = LazyLock::new(|| compiled(r"\([^)]*\)"));
        static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
            compiled(r"(\d+) ([a-z]+(?: [a-z]+)*)|([A-Za-z]+(?: [A-Za-z]+)*)[:= ] *(\d+)")
        });
        for found in NUMBER.captures_iter(&DETAILS.replace_all(text, "")) {
            match (found.get(1), found.get(2), found.get(3), found.get(4)) {
                (Some(number), Some(label), _, _) | (_, _, Some(label), Some(number)) => {
                    self.count(label.as_str(), number.as_str());
                }
                _ => {}
            }
        }
    }

    fn count(&mut self, label: &str, number: &str) {
        let number = parsed(number);
        let count = match label.to_ascii_lowercase().as_str() {
            "pass" | "passed" | "passing" | "succeeded" | "flaky" | "xfailed" | "xpassed"
            | "expected fail" => self.passed.get_or_insert_default(),
            "fail"
            | "failed"
            | "failing"
            | "failure"
            | "failures"
            | "error"
            | "errors"
            | "cancelled"
            | "interrupted"
            | "exec failed"
            | "timed out"
            | "tests failed"
            | "unexpected successes" => &mut self.failed,
            "skip" | "skips" | "skipped" | "pending" | "pendings" | "todo" | "ignored"
            | "incomplete" | "omissions" => &mut self.skipped,
            "test" | "tests" | "tests run" | "run" | "runs" | "example" | "examples"
            | "doctest" | "doctests" | "property" | "properties" | "total" | "test completed"
            | "tests completed" => &mut self.total,
            // ctest's total leaves them out.
            "disabled" => {
                self.total = self.total.saturating_add(number);
                &mut self.skipped
            }
            // ExUnit's total has them.
            "excluded" => {
                self.total = self.total.saturating_sub(number);
                return;
            }
            _ => return,
        };
        *count = count.saturating_add(number);
    }

    pub fn counts(self) -> TestCounts {
        TestCounts {
            passed: self.passed.unwrap_or_else(|| {
                let not_passed = self.failed.saturating_add(self.skipped);
                self.total.saturating_sub(not_passed)
            }),
            failed: self.failed.max(self.failed_files),
            skipped: self.skipped,
            ..TestCounts::default()
        }
    }
}

/// A number that is too large becomes the largest one.
fn parsed(digits: &str) -> u64 {
    digits.parse().unwrap_or(u64::MAX)
}
