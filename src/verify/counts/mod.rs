//! How many tests passed, read from what a test runner prints.
//!
//! Runners share no format, so each has a reader of its own: `rust` (cargo test, cargo-nextest), `python` (pytest,
//! unittest), `javascript` (jest, vitest, mocha, `node --test`), `go`, `ctest`, and `generic` for the rest. The counts
//! of different runners are added up: one command may run several of them.
//!
//! The numbers are only shown. The exit code decides whether a command succeeded: a test that prints what its runner
//! prints can add to the numbers. Each reader's comment says what it trusts.

mod ctest;
mod generic;
mod go;
mod javascript;
mod python;
mod rust;

use crate::domain::check::TestCounts;

/// The longest line that is read, in bytes. No runner's summary is longer.
const LONGEST: usize = 4096;

/// Reads the output of the common runners line by line, while it is written.
///
/// However long the output is, it keeps only a few numbers and the names of failing Go packages. A line costs a few
/// comparisons of its first bytes and one search.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    nextest: rust::Nextest,
    libtest: rust::Libtest,
    pytest: python::Pytest,
    unittest: python::Unittest,
    jest: javascript::Jest,
    mocha: javascript::Mocha,
    node: javascript::Node,
    go: go::Go,
    ctest: ctest::Ctest,
    generic: generic::Generic,
}

impl Reader {
    /// Reads one line, without its end and terminal escapes. It may be cut, and may contain anything.
    ///
    /// Of a line that was overwritten (`\r`), only the last text is read.
    pub fn line(&mut self, line: &str) {
        let line = line.trim_end_matches('\r');
        let line = line.rsplit('\r').next().unwrap_or(line);
        let line = if line.len() > LONGEST { "…" } else { line };
        self.nextest.line(line);
        if self.nextest.is_running() {
            return;
        }
        self.libtest.line(line);
        if self.libtest.shows_captured() {
            return;
        }
        self.pytest.line(line);
        self.unittest.line(line);
        self.jest.line(line);
        self.mocha.line(line);
        self.node.line(line);
        self.go.line(line);
        self.ctest.line(line);
        self.generic.line(line);
    }

    /// What was counted so far; `None` if no runner was recognised.
    pub fn counts(&self) -> Option<TestCounts> {
        [
            self.nextest.counts(),
            self.libtest.counts(),
            self.pytest.counts(),
            self.unittest.counts(),
            self.jest.counts(),
            self.mocha.counts(),
            self.node.counts(),
            self.go.counts(),
            self.ctest.counts(),
        ]
        .into_iter()
        .flatten()
        .reduce(TestCounts::and)
        .or(self.generic.counts())
    }
}

/// What a text says that a runner has printed, or its end.
pub fn of_text(output: &str) -> Option<TestCounts> {
    let mut reader = Reader::default();
    output.lines().for_each(|line| reader.line(line));
    reader.counts()
}

/// The numbers of `10 passed (1 slow), 2 failed | 3 skipped`, each with the words after it. Parentheses are skipped:
/// they only detail the number before them.
fn labelled(text: &str) -> Vec<(u64, String)> {
    let mut plain = String::new();
    let mut depth = 0_u32;
    for c in text.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => plain.push(c),
            _ => {}
        }
    }
    plain
        .split([',', '|', ';'])
        .filter_map(|piece| {
            let (count, label) = counted(piece.trim())?;
            Some((count, label.trim().to_owned()))
        })
        .collect()
}

/// `12 tests`: the number at the beginning of a text, and what follows it. A number that is too large becomes the
/// largest one.
fn counted(text: &str) -> Option<(u64, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    (!digits.is_empty()).then(|| (digits.parse().unwrap_or(u64::MAX), rest))
}

/// Adds to a sum that may not exist yet.
fn add(sum: &mut Option<TestCounts>, counts: TestCounts) {
    *sum = Some(sum.unwrap_or_default().and(counts));
}
