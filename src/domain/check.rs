//! The commands of a project: what sets it up, its tests and its linter, and how each ended.

use crate::domain::shown::without_password;
use serde::{Deserialize, Serialize};

/// The commands of a project: set in a session, the settings or a repository, or guessed from its files. `None` means
/// unset; an empty command means none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commands {
    /// Runs once in a new workspace. It is never guessed.
    pub setup: Option<String>,
    pub test: Option<String>,
    pub lint: Option<String>,
}

impl Commands {
    /// Whether nobody has said what checks a run, not even that nothing does.
    pub fn has_no_checks(&self) -> bool {
        self.test.is_none() && self.lint.is_none()
    }
}

/// The kind of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckKind {
    Tests,
    Lint,
    /// Not a check of a run: what sets a workspace up. It is run like one.
    Setup,
}

/// A command whose exit code says whether it passed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    pub kind: CheckKind,
    /// For `sh -c`.
    pub command: String,
}

/// How a check ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckEnd {
    /// Exit code 0.
    Passed,
    /// Any other exit code; `None` if a signal ended it.
    Failed { code: Option<i32> },
    /// It took longer than `TELECODER_VERIFY_TIMEOUT`.
    TimedOut,
    /// A person stopped it.
    Stopped,
    /// It was ended because the next prompt came.
    GaveWay,
    /// It could not be run: the words of the system, or of a shell or a runner that did not find a program.
    NotRun(String),
}

/// The result of a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckResult {
    #[serde(flatten)]
    pub check: Check,
    pub ended: CheckEnd,
    /// `None` if its output is unclear.
    pub counts: Option<TestCounts>,
    pub elapsed_ms: u64,
    /// Whether its output says that tests cover too little of the code.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub misses_coverage: bool,
    /// The end of its output, without terminal escapes; empty if it passed.
    pub last_lines: String,
    /// How many processes it left behind; they were ended.
    pub survivors: usize,
}

impl CheckResult {
    /// A check that ended before it began. Its command is kept without passwords.
    pub fn not_begun(check: &Check, ended: CheckEnd) -> CheckResult {
        CheckResult {
            check: Check {
                command: without_password(&check.command),
                kind: check.kind,
            },
            ended,
            counts: None,
            misses_coverage: false,
            elapsed_ms: 0,
            last_lines: String::new(),
            survivors: 0,
        }
    }

    /// Whether the exit code and the counts both say that it passed. One that ran no test did not.
    pub fn is_green(&self) -> bool {
        self.ended == CheckEnd::Passed
            && self
                .counts
                .is_none_or(|counts| counts.failed == 0 && counts.passed > 0)
    }

    /// Whether it failed or timed out: its output tells claude what to fix. One that could not be run says nothing
    /// about the code.
    pub fn is_red(&self) -> bool {
        matches!(self.ended, CheckEnd::Failed { .. } | CheckEnd::TimedOut)
    }
}

/// How many tests passed, failed and were skipped.
///
/// Errors, time-outs, unexpected successes and files that break before their first test count as failed; expected
/// failures as passed; ignored, pending and to-do tests as skipped. Tests that a filter excludes are not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestCounts {
    pub passed: u64,
    pub failed: u64,
    pub skipped: u64,
    #[serde(default, skip_serializing_if = "Unit::is_tests")]
    pub unit: Unit,
}

/// What is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    #[default]
    Tests,
    /// Plain `go test` says which packages passed, not which tests.
    Packages,
    /// The sum of a runner that counts tests and one that counts packages.
    TestsAndPackages,
}

impl Unit {
    fn is_tests(&self) -> bool {
        *self == Unit::Tests
    }
}

impl TestCounts {
    /// The sum of both; saturates.
    pub fn and(self, other: TestCounts) -> TestCounts {
        TestCounts {
            passed: self.passed.saturating_add(other.passed),
            failed: self.failed.saturating_add(other.failed),
            skipped: self.skipped.saturating_add(other.skipped),
            unit: match (self.unit, other.unit) {
                (unit, _) if other.is_nothing() => unit,
                (_, unit) if self.is_nothing() => unit,
                (one, same) if one == same => one,
                _ => Unit::TestsAndPackages,
            },
        }
    }

    /// Whether there was nothing to count.
    pub fn is_nothing(&self) -> bool {
        self.passed == 0 && self.failed == 0 && self.skipped == 0
    }

    /// Whether no test was run: a skipped one is not.
    pub fn is_none_run(&self) -> bool {
        self.passed == 0 && self.failed == 0
    }
}

/// The origin of a check's command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckOrigin {
    Session,
    Settings,
    Repository,
}
