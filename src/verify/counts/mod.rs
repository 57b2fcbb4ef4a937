//! How many tests passed, read from what a test runner prints.
//!
//! `forms` has a table of the sums that most runners write. Those that need more have a reader: `libtest` (cargo test),
//! `pytest` and `go`; `generic` is for the rest. The counts of different runners, and of the packages of a workspace, are
//! added up. A known runner that ran no test gives counts of nothing.
//!
//! The numbers are only shown, but no test that ran is no green check. The exit code decides whether a command
//! succeeded: a test that prints what its runner prints can add to the numbers. Each reader's comment says what it
//! trusts.

mod forms;
mod generic;
mod go;
mod libtest;
mod pytest;
mod tally;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use crate::domain::check::TestCounts;
use tally::compiled;

/// The longest line that is read, in bytes. No runner's summary is longer.
const LONGEST: usize = 4096;
/// How many packages are told apart.
const MOST_PACKAGES: usize = 500;

/// The counts of a text, of runners with a form of their own alone: other lines with numbers may be anything.
pub fn of_known_runner(output: &str) -> Option<TestCounts> {
    let mut reader = Reader::default();
    output.lines().for_each(|line| reader.line(line));
    let all = reader.packages.values().chain([&reader.whole]);
    all.filter_map(Runners::counts).reduce(TestCounts::and)
}

/// Reads the output of the common runners line by line, while it is written.
///
/// However long the output is, it keeps only a few numbers for each package and the names of failing Go packages.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    whole: Runners,
    /// pnpm, turbo and lerna put a package's name before each of its lines, and mix their lines.
    packages: BTreeMap<String, Runners>,
    /// Whether a line says that too little of the code is covered by tests.
    pub misses_coverage: bool,
}

impl Reader {
    /// Reads one line, without its end and terminal escapes. It may be cut, and may contain anything.
    ///
    /// Of a line that was overwritten (`\r`), only the last text is read.
    pub fn line(&mut self, line: &str) {
        static PACKAGE: LazyLock<Regex> = LazyLock::new(|| {
            compiled(r"^([0-9A-Za-z@._/-]+(?:[ :][a-z][0-9A-Za-z:._-]*)?):(?: (.*))?$")
        });
        static COVERAGE: LazyLock<Regex> = LazyLock::new(|| {
            compiled(
                r"[Cc]overage.*(?:does not meet|not met|not been met|not reached|is below|is less than)",
            )
        });
        let line = line.trim_end_matches('\r');
        let line = line.rsplit('\r').next().unwrap_or(line);
        let line = if line.len() > LONGEST { "…" } else { line };
        self.whole.line(line, false);
        self.misses_coverage |= line.contains("overage") && COVERAGE.is_match(line);
        // libtest's line is not a package's.
        let found = PACKAGE.captures(line);
        let Some(found) = found.filter(|found| &found[1] != "test result") else {
            return;
        };
        let rest = found.get(2).map_or("", |rest| rest.as_str());
        let has_room = self.packages.len() < MOST_PACKAGES;
        match self.packages.get_mut(&found[1]) {
            Some(package) => package.line(rest, true),
            None if has_room => {
                let package = self.packages.entry(found[1].to_owned()).or_default();
                package.line(rest, true);
            }
            None => {}
        }
    }

    /// What was counted so far; `None` if no runner was recognised, or one that ran tests does not say how many.
    pub fn counts(&self) -> Option<TestCounts> {
        let all = || self.packages.values().chain([&self.whole]);
        match all().filter_map(Runners::counts).reduce(TestCounts::and) {
            Some(sum) if !sum.is_none_run() => Some(sum),
            Some(_) if all().any(|runners| runners.forms.is_silent) => None,
            // Another runner, which has no form here, may have run tests.
            none => self.generic().or(none),
        }
    }

    fn generic(&self) -> Option<TestCounts> {
        // One word and a colon may stand before any line.
        let of_packages = self
            .packages
            .iter()
            .filter(|(name, _)| name.contains([' ', ':']));
        of_packages
            .filter_map(|(_, package)| package.generic.counts())
            .reduce(TestCounts::and)
            .or(self.whole.generic.counts())
    }
}

/// The readers of one stream of lines.
#[derive(Clone, Debug, Default)]
struct Runners {
    libtest: libtest::Libtest,
    pytest: pytest::Pytest,
    forms: forms::Forms,
    go: go::Go,
    generic: generic::Generic,
}

impl Runners {
    fn line(&mut self, line: &str, is_dense: bool) {
        if self.libtest.line(line) {
            return;
        }
        self.pytest.line(line);
        self.forms.line(line, is_dense);
        self.go.line(line);
        self.generic.line(line);
    }

    fn counts(&self) -> Option<TestCounts> {
        let known = [
            self.libtest.counts(),
            self.pytest.counts(),
            self.forms.counts(),
            self.go.counts(),
        ];
        known.into_iter().flatten().reduce(TestCounts::and)
    }
}

/// Adds to a sum that may not exist yet.
fn add(sum: &mut Option<TestCounts>, counts: TestCounts) {
    *sum = Some(sum.unwrap_or_default().and(counts));
}
