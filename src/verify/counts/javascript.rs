//! jest, vitest, mocha and `node --test`.

use super::{add, counted, labelled};
use crate::domain::check::TestCounts;

/// Reads jest's and vitest's line about tests, directly below the one about files:
///
/// ```text
/// Test Suites: 1 failed, 1 passed, 2 total
/// Tests:       1 failed, 1 skipped, 1 todo, 2 passed, 5 total
///
///  Test Files  1 failed | 1 passed (2)
///       Tests  1 failed | 2 passed | 1 skipped | 1 todo (5)
/// ```
///
/// Several in one output are added up. A test can fool this by printing both lines.
#[derive(Clone, Debug, Default)]
pub(super) struct Jest {
    sum: Option<TestCounts>,
    follows_files: bool,
}

impl Jest {
    pub fn line(&mut self, line: &str) {
        let trimmed = line.trim_start();
        let follows_files = self.follows_files;
        self.follows_files =
            line.starts_with("Test Suites: ") || trimmed.starts_with("Test Files ");
        if !follows_files {
            return;
        }
        let numbers = line
            .strip_prefix("Tests: ")
            .or_else(|| trimmed.strip_prefix("Tests "));
        if let Some(numbers) = numbers {
            add(&mut self.sum, labels(numbers));
        }
    }

    pub fn counts(&self) -> Option<TestCounts> {
        self.sum
    }
}

fn labels(numbers: &str) -> TestCounts {
    let mut counts = TestCounts::default();
    for (number, label) in labelled(numbers) {
        let count = match label.as_str() {
            "passed" | "expected fail" => &mut counts.passed,
            "failed" => &mut counts.failed,
            "skipped" | "todo" => &mut counts.skipped,
            _ => continue,
        };
        *count = count.saturating_add(number);
    }
    counts
}

/// Reads the end of mocha's `spec` and `dot` reports: after a blank line `  2 passing (3ms)`, and right below it
/// `  1 pending` and `  1 failing`. Several in one output are added up.
///
/// A test can fool this by printing a blank line and the first one.
#[derive(Clone, Debug, Default)]
pub(super) struct Mocha {
    sum: Option<TestCounts>,
    follows_blank: bool,
    in_summary: bool,
}

impl Mocha {
    pub fn line(&mut self, line: &str) {
        let number = line.strip_prefix("  ").and_then(counted);
        let mut counts = TestCounts::default();
        let is_summary = match number {
            Some((passed, rest)) if self.follows_blank && rest.starts_with(" passing (") => {
                counts.passed = passed;
                true
            }
            Some((failed, " failing")) => {
                counts.failed = failed;
                self.in_summary
            }
            Some((pending, " pending")) => {
                counts.skipped = pending;
                self.in_summary
            }
            _ => false,
        };
        if is_summary {
            add(&mut self.sum, counts);
        }
        self.in_summary = is_summary;
        self.follows_blank = line.is_empty();
    }

    pub fn counts(&self) -> Option<TestCounts> {
        self.sum
    }
}

/// Reads the end of `node --test`, and of tape: lines such as `# pass 3` or `ℹ pass 3`, of which `tests` is the
/// first. Several in one output are added up.
///
/// A test can fool this by printing all of them: in TAP, its output is a comment, as these lines are.
#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    sum: Option<TestCounts>,
    in_summary: bool,
}

impl Node {
    pub fn line(&mut self, line: &str) {
        let fact = line
            .strip_prefix("# ")
            .or_else(|| line.strip_prefix("ℹ "))
            .and_then(|fact| fact.split_once(' '))
            .and_then(|(name, number)| Some((name, counted(number.trim_start())?)));
        let Some((name, (number, ""))) = fact else {
            self.in_summary = false;
            return;
        };
        if !self.in_summary {
            self.in_summary = name == "tests";
            return;
        }
        let mut counts = TestCounts::default();
        match name {
            "pass" => counts.passed = number,
            "fail" | "cancelled" => counts.failed = number,
            "skipped" | "todo" => counts.skipped = number,
            _ => return,
        }
        add(&mut self.sum, counts);
    }

    pub fn counts(&self) -> Option<TestCounts> {
        self.sum
    }
}
