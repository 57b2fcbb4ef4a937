//! Evidence: what a run really changed, and what the project's own checks say of it.
//!
//! claude's word is not taken for it. After a run, [`measure`] asks git what differs from the snapshot that was
//! taken before, and [`check`] runs the project's tests and its linter, which [`commands`] has found.
//! [`counts`] reads how many tests passed, [`claims`] what the answer says of itself; where the two do not agree
//! the evidence says so. The words are `chat::evidence`'s.

pub mod check;
pub mod claims;
pub mod commands;
pub mod counts;
pub mod fix;
pub mod measure;

use serde::{Deserialize, Serialize};

use crate::chat::text::without_password;
use crate::git::diff::{Commits, Files, Remote};
use claims::Claims;
use counts::Counts;

/// What a check is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Tests,
    Lint,
}

/// A command that says by its exit code whether all is well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    pub kind: Kind,
    /// For `sh -c`.
    pub command: String,
}

/// How a check ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
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
    pub ended: Ended,
    /// Where its output could be read.
    pub counts: Option<Counts>,
    pub elapsed_ms: u64,
    /// The end of what it wrote, without terminal escapes; only where it did not pass.
    pub last_lines: String,
    /// Processes that it left behind and that were ended.
    pub survivors: usize,
}

impl CheckResult {
    /// A check that ended so before it had begun. What is kept of its command, for good, has no password in it.
    pub fn not_begun(check: &Check, ended: Ended) -> CheckResult {
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
        self.ended == Ended::Passed
            && self
                .counts
                .is_none_or(|counts| counts.failed == 0 && counts.passed > 0)
    }

    /// It said itself that something is wrong, or took too long to say anything.
    pub fn is_red(&self) -> bool {
        matches!(
            self.ended,
            Ended::Failed { .. } | Ended::TimedOut | Ended::NotRun(_)
        )
    }
}

/// What the workspace shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    pub files: Files,
    pub commits: Commits,
    /// None for a detached `HEAD`.
    pub branch: Option<String>,
    pub remote: Remote,
    /// What the snapshots could not take in, in git's words.
    pub left_out: String,
    /// Another commit or another branch is checked out than before.
    pub has_moved: bool,
    /// There are submodules, in which nobody looked.
    pub has_submodules: bool,
}

impl Changes {
    pub fn is_none(&self) -> bool {
        self.files.is_empty() && self.commits.count == 0 && !self.has_moved
    }
}

/// What came of pushing by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AutoPush {
    Pushed {
        link: Option<String>,
    },
    /// git's words.
    Refused(String),
}

/// The answer says one thing, and the measurement another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Contradiction {
    /// It says that something was done; no file changed and nothing was committed.
    NothingChanged,
    /// It says that the tests pass; they do not. How many fail, where that is known.
    TestsFail(Option<u64>),
    /// It says that the linter finds nothing; it does.
    LintFails,
    /// It says that it was committed; there is no new commit.
    NothingCommitted,
    /// It says that it was pushed; so many commits are nowhere else.
    NotPushed(u64),
}

/// Everything that was measured after a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// In the words of what went wrong, where git could not say what changed.
    pub changes: Result<Changes, String>,
    pub checks: Vec<CheckResult>,
    pub contradictions: Vec<Contradiction>,
    pub auto_push: Option<AutoPush>,
    /// US dollars that the run has cost; none for checks that somebody asked for.
    pub cost_usd: Option<f64>,
}

impl Evidence {
    pub fn is_red(&self) -> bool {
        self.checks.iter().any(CheckResult::is_red)
    }

    /// Something was checked, and all of it is well.
    pub fn is_green(&self) -> bool {
        !self.checks.is_empty() && self.checks.iter().all(CheckResult::is_green)
    }

    /// Whether there is anything to say.
    pub fn is_worth_telling(&self) -> bool {
        !self.checks.is_empty()
            || !self.contradictions.is_empty()
            || self
                .changes
                .as_ref()
                .map_or(true, |changes| !changes.is_none())
    }
}

/// Where an answer and what was measured do not agree.
pub fn contradictions(
    claims: Claims,
    changes: &Result<Changes, String>,
    checks: &[CheckResult],
) -> Vec<Contradiction> {
    let mut found = Vec::new();
    let red = |kind: Kind| {
        let is_red = |result: &&CheckResult| {
            result.check.kind == kind && matches!(result.ended, Ended::Failed { .. })
        };
        checks.iter().find(is_red)
    };
    if let (true, Some(tests)) = (claims.tests_pass, red(Kind::Tests)) {
        let failed = tests.counts.map(|counts| counts.failed);
        found.push(Contradiction::TestsFail(
            failed.filter(|failed| *failed > 0),
        ));
    }
    if claims.lint_clean && red(Kind::Lint).is_some() {
        found.push(Contradiction::LintFails);
    }
    let Ok(changes) = changes else {
        return found;
    };
    if claims.changed && changes.is_none() && !changes.has_submodules {
        found.push(Contradiction::NothingChanged);
    }
    if claims.committed && changes.commits.count == 0 && !changes.has_moved {
        found.push(Contradiction::NothingCommitted);
    }
    if let (true, Remote::Ahead(ahead @ 1..)) = (claims.pushed, changes.remote) {
        found.push(Contradiction::NotPushed(ahead));
    }
    found
}
