//! Evidence: the measurements after a run.

use crate::domain::changes::Changes;
use crate::domain::check::CheckResult;
use serde::{Deserialize, Serialize};

/// The result of an automatic push.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AutoPush {
    Pushed {
        link: Option<String>,
    },
    /// git's words.
    Refused(String),
}

/// A claim of the answer that the measurement contradicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Contradiction {
    /// It claims a change; no file changed and nothing was committed.
    NothingChanged,
    /// It claims that the tests pass; they do not. How many fail, if known.
    TestsFail(Option<u64>),
    /// It claims that the linter finds nothing; it does.
    LintFails,
    /// It claims a commit; there is no new commit.
    NothingCommitted,
    /// It claims a push; this many commits are not pushed.
    NotPushed(u64),
}

/// All measurements after a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The error's words if git could not say what changed.
    pub changes: Result<Changes, String>,
    pub checks: Vec<CheckResult>,
    pub contradictions: Vec<Contradiction>,
    pub auto_push: Option<AutoPush>,
    /// The run's cost in US dollars; `None` for checks that a person started.
    pub cost_usd: Option<f64>,
}

impl Evidence {
    pub fn is_red(&self) -> bool {
        self.checks.iter().any(CheckResult::is_red)
    }

    /// Whether a check failed in a way that claude can fix.
    pub fn is_failing(&self) -> bool {
        self.checks.iter().any(CheckResult::is_failing)
    }

    /// Whether there were checks, all green.
    pub fn is_green(&self) -> bool {
        !self.checks.is_empty() && self.checks.iter().all(CheckResult::is_green)
    }

    /// Whether there is anything to tell.
    pub fn is_worth_telling(&self) -> bool {
        !self.checks.is_empty()
            || !self.contradictions.is_empty()
            || self
                .changes
                .as_ref()
                .map_or(true, |changes| !changes.is_none())
    }
}

/// The claims of an answer about its own work. A claim counts only if the answer says plainly that this turn did it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// A file of the project was changed. "Done." claims this too, alone or before a description of the change, unless
    /// the answer also says that no change was needed or that something else was done. This is the weakest claim: a
    /// request to delete a branch is answered with "Done." as well.
    pub changed: bool,
    /// All tests pass, not only some. An answer that admits failures or unrun tests does not claim this.
    pub tests_pass: bool,
    pub lint_clean: bool,
    pub committed: bool,
    pub pushed: bool,
}
