//! The words about what claude itself did, beside what the checks say.

use super::evidence::NAME_SHOWN;
use crate::domain::check::{CheckKind, CheckResult, TestCounts};
use crate::domain::evidence::{Evidence, Ran};
use crate::domain::shown::{one_line, visible, without_password};

/// About its last run of the tests, where that says something that the check does not.
pub(super) fn of_tests(evidence: &Evidence) -> Option<String> {
    let deeds = evidence.deeds.as_ref()?;
    let mut checks = evidence.checks.iter();
    let check = checks.find(|result| result.check.kind == CheckKind::Tests);
    let is_red = check.is_some_and(CheckResult::is_failing);
    let Some(ran) = evidence.last_tests() else {
        let check = check.filter(|_| is_red && !deeds.has_run_tests())?;
        let command = command(&check.check.command);
        return Some(format!("Claude did not run “{command}” in this run."));
    };
    let command = command(&ran.command);
    let how = how(ran);
    match (ran.passed?, check) {
        (true, Some(_)) if is_red => Some(format!(
            "Claude's last “{command}” passed{how}; it fails now."
        )),
        (true, _) => None,
        (false, Some(_)) if is_red => Some(format!("Claude's last “{command}” failed, too{how}.")),
        (false, Some(check)) if check.is_green() => Some(format!(
            "Claude's last “{command}” failed{how}; it passes now."
        )),
        (false, _) => Some(format!("Claude's last “{command}” failed{how}.")),
    }
}

/// About its last push, if that was refused.
pub(super) fn of_push(evidence: &Evidence) -> Option<String> {
    let push = evidence.refused_push()?;
    Some(format!(
        "Claude's last “{}” failed.",
        command(&push.command)
    ))
}

fn how(ran: &Ran) -> String {
    match ran.counts {
        Some(TestCounts {
            failed: 0, passed, ..
        }) => format!(" ({passed} passed)"),
        Some(TestCounts { failed, passed, .. }) => {
            format!(" ({failed} of {})", failed.saturating_add(passed))
        }
        None => String::new(),
    }
}

fn command(command: &str) -> String {
    visible(&one_line(&without_password(command), NAME_SHOWN))
}
