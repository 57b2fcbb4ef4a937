//! Evidence: what was measured after a run.

use crate::domain::changes::Changes;
use crate::domain::check::CheckResult;
use serde::{Deserialize, Serialize};

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

    /// A check failed in a way that claude can be asked to mend.
    pub fn is_failing(&self) -> bool {
        self.checks.iter().any(CheckResult::is_failing)
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

/// What an answer says about its own work. A claim counts only where it is said plainly, as something that was done
/// in this turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// A file of the project was changed. "Done." says so too, alone or before something that is different now, unless
    /// the answer also says that nothing had to be changed or that something else was done. It is the weakest claim:
    /// a prompt that asks for a branch to be deleted is answered with "Done." as well.
    pub changed: bool,
    /// All the tests pass, not only some. An answer that admits failures or that they were not run does not say so.
    pub tests_pass: bool,
    pub lint_clean: bool,
    pub committed: bool,
    pub pushed: bool,
}
