//! cargo test.

use std::sync::LazyLock;

use regex::Regex;

use super::add;
use super::tally::{Tally, compiled};
use crate::domain::check::TestCounts;

/// Reads libtest's output, which cargo test passes through: one `test result:` line for each test binary, and one
/// or more for the doc tests. They are added up.
///
/// A result counts if its total is the number that `running 3 tests` announced before it. The output of a failing test,
/// between `---- name stdout ----` and `failures:`, and what nextest shows before its summary is not read. A test can
/// fool this by printing both lines uncaptured, or a line `failures:` of its own.
#[derive(Clone, Debug, Default)]
pub(super) struct Libtest {
    sum: Option<TestCounts>,
    /// Without an announcement, as in filtered output, every result counts.
    has_announced: bool,
    announced: Option<String>,
    in_captured: bool,
    in_nextest: bool,
}

impl Libtest {
    /// Returns whether the line is the output of a test.
    pub fn line(&mut self, line: &str) -> bool {
        static ANNOUNCED: LazyLock<Regex> = LazyLock::new(|| compiled(r"^running (\d+) tests?$"));
        let trimmed = line.trim_start();
        if self.in_nextest || trimmed.starts_with("Nextest run ID ") {
            self.in_nextest = !trimmed.starts_with("Summary [");
            return self.in_nextest;
        }
        if self.in_captured {
            self.in_captured = line != "failures:";
        } else if line.starts_with("---- ") && line.ends_with(" stdout ----") {
            self.in_captured = true;
        } else if let Some(found) = ANNOUNCED.captures(line) {
            self.has_announced = true;
            self.announced = Some(found[1].to_owned());
        } else {
            self.result(line);
        }
        self.in_captured
    }

    /// `test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.06s`
    fn result(&mut self, line: &str) {
        static RESULT: LazyLock<Regex> = LazyLock::new(|| {
            compiled(
                r"^test result: (?:ok|FAILED)\. (?<sum>(\d+) passed; (\d+) failed; (\d+) ignored;(?: (\d+) measured;)?)",
            )
        });
        let Some(found) = RESULT.captures(line) else {
            return;
        };
        let total = found
            .iter()
            .skip(2)
            .flatten()
            .filter_map(|number| number.as_str().parse().ok())
            .fold(0_u64, u64::saturating_add);
        if !self.has_announced || self.announced == Some(total.to_string()) {
            self.announced = None;
            let mut tally = Tally::default();
            tally.add(&found);
            add(&mut self.sum, tally.counts());
        }
    }

    pub fn counts(&self) -> Option<TestCounts> {
        self.sum
    }
}
