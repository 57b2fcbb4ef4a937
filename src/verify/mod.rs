//! Evidence: what a run really changed, and what the project's own checks say of it.
//!
//! claude's word does not count as proof. After a run, [`measure`] asks git what differs from the snapshot taken
//! before, and [`check`] runs the project's tests and its linter, which [`commands`] has found. [`counts`] reads how
//! many tests passed, [`claims`] what the answer claims; if they disagree, the evidence says so. `chat::evidence` has
//! the words.

pub mod check;
pub mod claims;
pub mod commands;
pub mod counts;
mod detect;
pub mod measure;

use crate::domain::changes::Changes;
use crate::domain::check::CheckEnd;
use crate::domain::check::CheckKind;
use crate::domain::check::CheckResult;
use crate::domain::evidence::Claims;
use crate::domain::evidence::Contradiction;

use crate::domain::changes::Remote;

/// The contradictions between an answer and the measurements.
pub fn contradictions(
    claims: Claims,
    changes: &Result<Changes, String>,
    checks: &[CheckResult],
) -> Vec<Contradiction> {
    let mut found = Vec::new();
    let red = |kind: CheckKind| {
        let is_red = |result: &&CheckResult| {
            result.check.kind == kind && matches!(result.ended, CheckEnd::Failed { .. })
        };
        checks.iter().find(is_red)
    };
    if let (true, Some(tests)) = (claims.tests_pass, red(CheckKind::Tests)) {
        let failed = tests.counts.map(|counts| counts.failed);
        found.push(Contradiction::TestsFail(
            failed.filter(|failed| *failed > 0),
        ));
    }
    if claims.lint_clean && red(CheckKind::Lint).is_some() {
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
