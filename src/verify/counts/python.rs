//! pytest and unittest.

use super::{add, counted};
use crate::domain::check::TestCounts;

/// Reads pytest's last line, with or without `=` around it (`-q`).
///
/// In a session only the last such line counts, since a failing test may have printed others. Sessions are told apart
/// by their first line and added up. With `-q` there is no first line, so only the last run counts.
#[derive(Clone, Debug, Default)]
pub(super) struct Pytest {
    before: Option<TestCounts>,
    session: Option<TestCounts>,
}

impl Pytest {
    pub fn line(&mut self, line: &str) {
        let is_ruled = line.starts_with('=');
        if !is_ruled
            && !line.starts_with(|c: char| c.is_ascii_digit())
            && !line.starts_with("no tests")
        {
            return;
        }
        let text = line.trim_matches('=').trim();
        if is_ruled && text == "test session starts" {
            if let Some(ended) = self.session.take() {
                add(&mut self.before, ended);
            }
        } else if let Some(counts) = session_end(text) {
            self.session = Some(counts);
        }
    }

    pub fn counts(&self) -> Option<TestCounts> {
        match (self.before, self.session) {
            (Some(before), Some(session)) => Some(before.and(session)),
            (before, session) => before.or(session),
        }
    }
}

/// `2 failed, 9 passed, 1 skipped, 1 xfailed, 1 xpassed, 1 warning, 1 error in 0.02s`, or with `in 62.01s (0:01:02)`.
///
/// An error is a broken fixture or module: a failure. `xpassed` is a failure only if the project says so, and then
/// pytest calls it failed.
fn session_end(text: &str) -> Option<TestCounts> {
    let (numbers, time) = text.rsplit_once(" in ")?;
    let (_, unit) = counted(time)?;
    let unit = unit.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    if unit != "s" && !unit.starts_with("s (") {
        return None;
    }
    if numbers == "no tests ran" {
        return Some(TestCounts::default());
    }
    let mut counts = TestCounts::default();
    for piece in numbers.split(", ") {
        let (number, label) = counted(piece)?;
        let count = match label.trim_start() {
            "passed" | "xfailed" | "xpassed" => &mut counts.passed,
            "failed" | "error" | "errors" => &mut counts.failed,
            "skipped" => &mut counts.skipped,
            "deselected" | "warning" | "warnings" | "rerun" => continue,
            "subtests passed" | "subtests failed" | "subtests skipped" => continue,
            _ => return None,
        };
        *count = count.saturating_add(number);
    }
    Some(counts)
}

/// Reads unittest's last lines, which Django prints too: `Ran 7 tests in 0.001s`, a blank line, `OK` or `FAILED`.
/// Several in one output are added up.
///
/// Each failing subtest is a failure, but only the test around it counts as run, so fewer tests seem to have passed. A
/// test can fool this by printing both lines.
#[derive(Clone, Debug, Default)]
pub(super) struct Unittest {
    sum: Option<TestCounts>,
    ran: Option<u64>,
}

impl Unittest {
    pub fn line(&mut self, line: &str) {
        if let Some(rest) = line.strip_prefix("Ran ") {
            let ran = counted(rest);
            self.ran = ran
                .filter(|(_, rest)| rest.starts_with(" test in ") || rest.starts_with(" tests in "))
                .map(|(number, _)| number);
        } else if !line.is_empty()
            && let Some(ran) = self.ran.take()
            && let Some(counts) = verdict(line, ran)
        {
            add(&mut self.sum, counts);
        }
    }

    pub fn counts(&self) -> Option<TestCounts> {
        self.sum
    }
}

/// `FAILED (failures=3, errors=1, skipped=1, expected failures=1, unexpected successes=1)`
fn verdict(line: &str, ran: u64) -> Option<TestCounts> {
    let details = ["OK", "FAILED", "NO TESTS RAN"]
        .into_iter()
        .find_map(|verdict| line.strip_prefix(verdict))?
        .trim();
    if !details.is_empty() && !details.starts_with('(') {
        return None;
    }
    let mut counts = TestCounts::default();
    for piece in details.trim_matches(['(', ')']).split(", ") {
        let (label, number) = piece.split_once('=').unwrap_or((piece, "0"));
        let number = counted(number).map_or(0, |(number, _)| number);
        let count = match label {
            "failures" | "errors" | "unexpected successes" => &mut counts.failed,
            "skipped" => &mut counts.skipped,
            _ => continue,
        };
        *count = count.saturating_add(number);
    }
    counts.passed = ran
        .saturating_sub(counts.failed)
        .saturating_sub(counts.skipped);
    Some(counts)
}
