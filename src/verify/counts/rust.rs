//! cargo test and cargo-nextest.

use super::{add, counted, labelled};
use crate::domain::check::TestCounts;

/// Reads libtest's output, which cargo test passes through: one `test result:` line for each test binary, and one
/// or more for the doc tests. They are added up.
///
/// A result counts if its total is the number that `running 3 tests` announced before it. A failing test's output,
/// between `---- name stdout ----` and `failures:`, is not read. A test can fool this by printing both lines
/// uncaptured, or a line `failures:` of its own.
#[derive(Clone, Debug, Default)]
pub(super) struct Libtest {
    sum: Option<TestCounts>,
    /// Without an announcement, as in filtered output, every result counts.
    has_announced: bool,
    announced: Option<u64>,
    in_captured: bool,
}

impl Libtest {
    pub fn line(&mut self, line: &str) {
        if self.in_captured {
            self.in_captured = line != "failures:";
        } else if line.starts_with("---- ") && line.ends_with(" stdout ----") {
            self.in_captured = true;
        } else if let Some(number) = announced(line) {
            self.has_announced = true;
            self.announced = Some(number);
        } else if let Some((counts, total)) = result(line)
            && (!self.has_announced || self.announced == Some(total))
        {
            self.announced = None;
            add(&mut self.sum, counts);
        }
    }

    /// Whether the lines are the output of a test.
    pub fn shows_captured(&self) -> bool {
        self.in_captured
    }

    pub fn counts(&self) -> Option<TestCounts> {
        self.sum
    }
}

/// `running 3 tests`
fn announced(line: &str) -> Option<u64> {
    let (number, rest) = counted(line.strip_prefix("running ")?)?;
    matches!(rest, " test" | " tests").then_some(number)
}

/// `test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.06s`, with its total:
/// a measured benchmark is in none of the three counts.
fn result(line: &str) -> Option<(TestCounts, u64)> {
    let rest = line.strip_prefix("test result: ")?;
    let numbers = rest
        .strip_prefix("ok. ")
        .or_else(|| rest.strip_prefix("FAILED. "))?;
    let mut counts = TestCounts::default();
    let mut measured = 0;
    for (number, label) in labelled(numbers) {
        match label.as_str() {
            "passed" => counts.passed = number,
            "failed" => counts.failed = number,
            "ignored" => counts.skipped = number,
            "measured" => measured = number,
            _ => {}
        }
    }
    let total = [counts.failed, counts.skipped, measured]
        .into_iter()
        .fold(counts.passed, u64::saturating_add);
    Some((counts, total))
}

/// Reads cargo-nextest's summary. Between its first line and its summary nothing else is read: tests may print results
/// of libtest there. Tests that were not run because another had failed are not counted.
#[derive(Clone, Debug, Default)]
pub(super) struct Nextest {
    sum: Option<TestCounts>,
    is_running: bool,
}

impl Nextest {
    pub fn line(&mut self, line: &str) {
        let line = line.trim_start();
        if line.starts_with("Nextest run ID ") {
            self.is_running = true;
        } else if let Some(counts) = summary(line) {
            self.is_running = false;
            add(&mut self.sum, counts);
        }
    }

    pub fn is_running(&self) -> bool {
        self.is_running
    }

    pub fn counts(&self) -> Option<TestCounts> {
        self.sum
    }
}

/// `Summary [   8.223s] 3/10 tests run: 6 passed (1 slow, 1 flaky), 3 failed, 1 timed out, 2 skipped`
fn summary(line: &str) -> Option<TestCounts> {
    let (_, rest) = line.strip_prefix("Summary [")?.split_once(']')?;
    let (run, numbers) = rest.split_once(" run: ")?;
    if !run.ends_with(" tests") && !run.ends_with(" test") {
        return None;
    }
    let mut counts = TestCounts::default();
    for (number, label) in labelled(numbers) {
        let count = match label.as_str() {
            "passed" => &mut counts.passed,
            "failed" | "exec failed" | "timed out" => &mut counts.failed,
            "skipped" => &mut counts.skipped,
            _ => continue,
        };
        *count = count.saturating_add(number);
    }
    Some(counts)
}
