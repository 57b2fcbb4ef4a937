//! Runners whose sum is a line, or a few lines one after another.

use std::mem;
use std::sync::LazyLock;

use regex::{Regex, RegexSet};

use super::add;
use super::tally::{Tally, compiled};
use crate::domain::check::TestCounts;

/// What a sum looks like. The groups of both patterns are `Tally`'s.
struct Form {
    /// Its only line, or its first. One that only follows lines make a sum has no group `sum` or `total`.
    opens: &'static str,
    /// The lines below it; blank ones may stand between.
    then: &'static str,
    /// Whether any lines may stand between.
    is_far: bool,
    /// Whether it stands below a blank line, which keeps a line that a test printed from being a sum.
    follows_blank: bool,
}

const fn line(opens: &'static str) -> Form {
    block(opens, "")
}

const fn block(opens: &'static str, then: &'static str) -> Form {
    Form {
        opens,
        then,
        is_far: false,
        follows_blank: false,
    }
}

/// `tests/it/fixtures/runners` has an output of each, but for dotnet.
const FORMS: [Form; 32] = [
    // cargo-nextest
    line(r"^ *Summary \[.*\] .* tests? run: (?<sum>.*)$"),
    // unittest, Django. A failing subtest is a failure, and only the test around it is in the total.
    block(
        r"^Ran (?<part>\d+ tests?) in ",
        r"^(?:OK|FAILED|NO TESTS RAN)(?: \((?<sum>.*)\))?$",
    ),
    // jest
    block(
        r"^Test Suites: (?:(?<files>\d+) failed)?",
        r"^Tests: +(?<sum>.*)$",
    ),
    line(r"^No tests found, exiting with code \d"),
    // vitest
    block(
        r"^ *Test Files  (?:(?<files>\d+) failed)?",
        r"^ *Tests  (?<sum>.*)$",
    ),
    line(r"^No test files found, exiting with code \d"),
    // mocha
    Form {
        follows_blank: true,
        ..block(
            r"^  (?<sum>\d+ passing) \(",
            r"^  (?<sum>\d+ (?:pending|failing))$",
        )
    },
    line(r"^Error: No test files found"),
    // node --test, tape
    block(
        r"^(?:#|ℹ) (?<part>tests +\d+)$",
        r"^(?:#|ℹ) (?<sum>(?:suites|pass|fail|cancelled|skipped|todo) +\d+)$",
    ),
    // bun
    block(
        r"^ (?<sum>\d+ pass)$",
        r"^ (?<sum>\d+ (?:skip|todo|fail|error|errors))$",
    ),
    line(r"^No tests found!$"),
    // deno
    line(r"^(?:ok|FAILED) \| (?<sum>\d.*)$"),
    line(r"^error: No test modules found$"),
    // Playwright: below each number are the tests that it counts.
    Form {
        is_far: true,
        ..block(
            r"^Running \d+ tests? using \d+ workers?",
            r"^  (?<sum>\d+ (?:failed|flaky|interrupted|skipped|passed))(?: \(.*\))?$",
        )
    },
    line(r"^Error: No tests found$"),
    // npm init
    line(r"^Error: no test specified$"),
    // ctest. It counts tests that skipped themselves as passed, and lists them below.
    Form {
        is_far: true,
        ..block(
            r"^\d+% tests passed(?:, (?<sum>\d+ tests failed))? out of (?<total>\d+)",
            r"^\t +\d+ - .* \((?<one>Skipped|Disabled)\)$",
        )
    },
    line(r"^No tests were found!!!$"),
    // dotnet: VSTest, its form of a terminal, Microsoft.Testing.Platform
    line(r"^ *(?:Passed|Failed|Skipped)! +- +(?<sum>Failed: .*), Duration: "),
    line(r"^Test summary: (?<sum>total: .*), duration: "),
    block(
        r"^Test run summary: ",
        r"^  (?<sum>(?:total|failed|succeeded|skipped): \d+)$",
    ),
    line(r"^ *No test is available in "),
    // Maven's Surefire. A class' own line has its time.
    line(
        r"^(?:\[[A-Z]+\] )?(?<sum>Tests run: \d+, Failures: \d+, Errors: \d+, Skipped: \d+)(?:, Flakes: \d+)?$",
    ),
    line(r"^\[INFO\] No tests to run\.$"),
    // Gradle, which has no numbers where all is well
    line(r"^(?<sum>\d+ tests? completed(?:, \d+ (?:failed|skipped))*)$"),
    line(r"^(?:> Task )?[^ ]*:(?:test|test[A-Za-z]*UnitTest) NO-SOURCE$"),
    // RSpec
    line(r"^(?<sum>\d+ examples?, \d+ failures?(?:, \d+ (?:pending|errors?))*)"),
    // minitest, Rails, test-unit
    line(r"^(?<sum>\d+ (?:runs|tests), \d+ assertions, \d+ failures, \d+ errors, .*)$"),
    // PHPUnit
    line(r"^OK \((?<sum>\d+ tests?), \d+ assertions?\)$"),
    line(r"^(?<sum>Tests: \d+, Assertions: \d+.*)\.$|^No tests executed!$"),
    // ExUnit
    line(
        r"^(?<sum>(?:\d+ (?:doctests?|property|properties), )*\d+ tests?, \d+ failures?(?:, \d+ (?:excluded|skipped|invalid))*)$",
    ),
    line(r"^There are no tests to run$"),
];

struct Patterns {
    opens: Vec<Regex>,
    then: Vec<Regex>,
    /// All first lines, looked for at once.
    any: RegexSet,
    /// Gradle ran tests, and says no more.
    silent: Regex,
}

static PATTERNS: LazyLock<Patterns> = LazyLock::new(|| {
    let opens: Vec<Regex> = FORMS.iter().map(|form| compiled(form.opens)).collect();
    Patterns {
        any: RegexSet::new(opens.iter().map(Regex::as_str)).expect("each of them was compiled"),
        opens,
        then: FORMS.iter().map(|form| compiled(form.then)).collect(),
        silent: compiled(
            r"^(?:> Task )?[^ ]*:(?:test|test[A-Za-z]*UnitTest)(?: UP-TO-DATE| FROM-CACHE)?$",
        ),
    }
});

/// Reads them all. Several sums in one output are added up. A test can fool this by printing one.
#[derive(Clone, Debug, Default)]
pub(super) struct Forms {
    sum: Option<TestCounts>,
    open: Vec<Block>,
    is_below_blank: bool,
    /// Whether tests ran of which nobody says how many.
    pub is_silent: bool,
}

/// A sum whose next line may come.
#[derive(Clone, Debug)]
struct Block {
    form: usize,
    tally: Tally,
    is_sum: bool,
}

impl Forms {
    /// `is_dense`: whoever handed the line on may have dropped the blank line above it.
    pub fn line(&mut self, line: &str, is_dense: bool) {
        let is_below_blank = mem::replace(&mut self.is_below_blank, line.trim().is_empty());
        if self.is_below_blank {
            return;
        }
        let mut taken = None;
        for mut block in mem::take(&mut self.open) {
            if let Some(found) = PATTERNS.then[block.form].captures(line) {
                block.tally.add(&found);
                block.is_sum = true;
                taken = Some(block.form);
            } else if !FORMS[block.form].is_far {
                self.close(&block);
                continue;
            }
            self.open.push(block);
        }
        for form in PATTERNS.any.matches(line) {
            if taken != Some(form) && (!FORMS[form].follows_blank || is_below_blank || is_dense) {
                self.begin(form, line);
            }
        }
        self.is_silent |= PATTERNS.silent.is_match(line);
    }

    fn begin(&mut self, form: usize, line: &str) {
        let Some(found) = PATTERNS.opens[form].captures(line) else {
            return;
        };
        let is_line = FORMS[form].then.is_empty();
        let mut block = Block {
            form,
            tally: Tally::default(),
            is_sum: is_line || found.name("sum").or(found.name("total")).is_some(),
        };
        block.tally.add(&found);
        if let Some(before) = self.open.iter().position(|open| open.form == form) {
            let before = self.open.remove(before);
            self.close(&before);
        }
        if is_line {
            self.close(&block);
        } else {
            self.open.push(block);
        }
    }

    fn close(&mut self, block: &Block) {
        if block.is_sum {
            add(&mut self.sum, block.tally.counts());
        }
    }

    pub fn counts(&self) -> Option<TestCounts> {
        let mut all = self.clone();
        for block in mem::take(&mut all.open) {
            all.close(&block);
        }
        all.sum
    }
}
