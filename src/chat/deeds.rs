//! The words about what claude itself did, beside what the checks say.

use super::evidence::NAME_SHOWN;
use crate::domain::check::{CheckEnd, CheckKind, CheckResult, TestCounts};
use crate::domain::evidence::{Evidence, PUSH, Ran};
use crate::domain::shown::{visible, without_password};
use crate::redact::short::one_line;

/// About its last run of the tests, where that says something that the check does not.
pub(super) fn of_tests(evidence: &Evidence) -> Option<String> {
    let deeds = evidence.deeds.as_ref()?;
    let mut checks = evidence.checks.iter();
    let check = checks.find(|result| result.check.kind == CheckKind::Tests);
    let is_failed = |result: &CheckResult| matches!(result.ended, CheckEnd::Failed { .. });
    let is_red = check.is_some_and(is_failed);
    let Some(ran) = evidence.last_tests() else {
        let check = check.filter(|_| is_red && deeds.has_run_no_tests())?;
        let command = command(&check.check.command, "");
        return Some(format!("Claude did not run “{command}” in this run."));
    };
    let about = check.map_or("", |check| check.check.command.as_str());
    let command = command(&ran.command, about);
    let how = how(ran);
    match (ran.passed?, check) {
        (true, Some(_)) if is_red => Some(format!(
            "Claude's last “{command}” passed{how}; the tests fail now."
        )),
        (true, _) => None,
        (false, Some(_)) if is_red => Some(format!("Claude's last “{command}” failed, too{how}.")),
        (false, Some(check)) if check.is_green() => Some(format!(
            "Claude's last “{command}” failed{how}; the tests pass now."
        )),
        (false, _) => Some(format!("Claude's last “{command}” failed{how}.")),
    }
}

/// About its last push, if that was refused.
pub(super) fn of_push(evidence: &Evidence) -> Option<String> {
    let push = evidence.refused_push()?;
    let command = command(&push.command, PUSH);
    Some(format!("Claude's last “{command}” failed."))
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

/// A command's beginning, or what is about this if that comes later.
fn command(command: &str, about: &str) -> String {
    let command = without_password(command);
    let command = command.replace('\n', "; ");
    let later = command
        .find(about)
        .filter(|from| *from + about.len() > NAME_SHOWN)
        .and_then(|from| command.split_at_checked(from));
    let (omitted, shown) = match later {
        Some((_, shown)) => ("…", shown),
        None => ("", command.as_str()),
    };
    visible(&format!("{omitted}{}", one_line(shown, NAME_SHOWN)))
}
