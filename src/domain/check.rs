//! The checks of a project: its tests and its linter, and how each ended.

use crate::domain::shown::without_password;
use serde::{Deserialize, Serialize};

/// The commands that check a project: those of a session, of the settings, of a repository, or what its files look
/// like. None: not said; an empty one: there is nothing to check.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commands {
    pub test: Option<String>,
    pub lint: Option<String>,
}

/// What a check is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckKind {
    Tests,
    Lint,
}

/// A command that says by its exit code whether all is well.
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
    /// Any other exit code; none where a signal ended it.
    Failed { code: Option<i32> },
    /// It took longer than `TELECODER_VERIFY_TIMEOUT`.
    TimedOut,
    /// A person asked for it.
    Stopped,
    /// The next prompt came, and comes first.
    GaveWay,
    /// It could not be run, in the system's words.
    NotRun(String),
}

/// What a check has shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckResult {
    #[serde(flatten)]
    pub check: Check,
    pub ended: CheckEnd,
    /// Where its output could be read.
    pub counts: Option<TestCounts>,
    pub elapsed_ms: u64,
    /// The end of what it wrote, without terminal escapes; only where it did not pass.
    pub last_lines: String,
    /// Processes that it left behind and that were ended.
    pub survivors: usize,
}

impl CheckResult {
    /// A check that ended so before it had begun. What is kept of its command, for good, has no password in it.
    pub fn not_begun(check: &Check, ended: CheckEnd) -> CheckResult {
        CheckResult {
            check: Check {
                command: without_password(&check.command),
                kind: check.kind,
            },
            ended,
            counts: None,
            elapsed_ms: 0,
            last_lines: String::new(),
            survivors: 0,
        }
    }

    /// It says that all is well, and its numbers do not say something else.
    pub fn is_green(&self) -> bool {
        self.ended == CheckEnd::Passed
            && self
                .counts
                .is_none_or(|counts| counts.failed == 0 && counts.passed > 0)
    }

    /// Its output says what is wrong with the code, so that claude can mend it. A check that could not be run says
    /// nothing about the code.
    pub fn is_failing(&self) -> bool {
        matches!(self.ended, CheckEnd::Failed { .. } | CheckEnd::TimedOut)
    }

    /// It said itself that something is wrong, or took too long to say anything.
    pub fn is_red(&self) -> bool {
        matches!(
            self.ended,
            CheckEnd::Failed { .. } | CheckEnd::TimedOut | CheckEnd::NotRun(_)
        )
    }
}

/// How many tests passed, failed and were left out.
///
/// What a runner calls an error, a time-out or an unexpected success has failed; what fails as it was expected to
/// has passed; what is ignored, pending or still to do was left out. What a filter has excluded is not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestCounts {
    pub passed: u64,
    pub failed: u64,
    pub skipped: u64,
}

impl TestCounts {
    /// Both together; the largest number where that is too large.
    pub fn and(self, other: TestCounts) -> TestCounts {
        TestCounts {
            passed: self.passed.saturating_add(other.passed),
            failed: self.failed.saturating_add(other.failed),
            skipped: self.skipped.saturating_add(other.skipped),
        }
    }
}

/// Where a check's command comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckOrigin {
    Session,
    Settings,
    Repository,
}
