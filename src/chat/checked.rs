//! How one check ended, in words: its line in the evidence, and the end of its output.

use std::time::Duration;

use super::text::duration;
use crate::domain::check::{CheckEnd, CheckKind, CheckResult};
use crate::domain::outgoing::Folded;
use crate::domain::shown::{last_lines, one_line, without_password};

/// How much of a failing check's output is shown, in bytes.
const OUTPUT_SHOWN: usize = 1_200;
/// How much of a command is shown, in characters.
const COMMAND_SHOWN: usize = 60;

pub fn check_line(result: &CheckResult) -> String {
    let sign = match &result.ended {
        CheckEnd::Passed if result.is_green() => "✓",
        CheckEnd::Passed => "⚠",
        CheckEnd::Failed { .. } | CheckEnd::TimedOut | CheckEnd::NotRun(_) => "✗",
        CheckEnd::Stopped | CheckEnd::GaveWay => "–",
    };
    let took = duration(Duration::from_millis(result.elapsed_ms));
    let how = match &result.ended {
        CheckEnd::Passed => match result.counts {
            Some(counts) if counts.failed > 0 => format!(
                ": exit code 0, but {} of {} failed · {took}",
                counts.failed,
                counts.failed.saturating_add(counts.passed)
            ),
            Some(counts) if counts.passed == 0 => format!(": no test was run · {took}"),
            Some(counts) if counts.skipped > 0 => format!(
                ": {} passed, {} skipped · {took}",
                counts.passed, counts.skipped
            ),
            Some(counts) => format!(": {} passed · {took}", counts.passed),
            None => format!(" · {took}"),
        },
        CheckEnd::Failed { code } => {
            let code = match code {
                Some(code) => format!("exit code {code}"),
                None => "killed, perhaps because memory ran out".to_owned(),
            };
            match result.counts.filter(|counts| counts.failed > 0) {
                Some(counts) => format!(
                    ": {} of {} failed · {took}",
                    counts.failed,
                    counts.failed.saturating_add(counts.passed)
                ),
                None => format!(": {code} · {took}"),
            }
        }
        CheckEnd::TimedOut => {
            format!(": not done after {took}, and ended (TELECODER_VERIFY_TIMEOUT)")
        }
        CheckEnd::Stopped if result.elapsed_ms == 0 => ": not run".to_owned(),
        CheckEnd::Stopped => format!(": stopped after {took}"),
        CheckEnd::GaveWay if result.elapsed_ms == 0 => {
            ": not run, because the next prompt comes first".to_owned()
        }
        CheckEnd::GaveWay => format!(": ended after {took}, because the next prompt comes first"),
        CheckEnd::NotRun(words) => format!(": could not be run ({words})"),
    };
    let left = match result.survivors {
        0 => String::new(),
        1 => " · it left a process behind, which was ended".to_owned(),
        many => format!(" · it left {many} processes behind, which were ended"),
    };
    format!("{sign} {}{how}{left}", name(result.check.kind))
}

fn name(kind: CheckKind) -> &'static str {
    match kind {
        CheckKind::Tests => "Tests",
        CheckKind::Lint => "Lint",
    }
}

pub fn failing_output(result: &CheckResult) -> Option<Folded> {
    if !result.is_red() || result.last_lines.trim().is_empty() {
        return None;
    }
    Some(Folded {
        title: format!(
            "$ {}",
            one_line(&without_password(&result.check.command), COMMAND_SHOWN)
        ),
        text: last_lines(&result.last_lines, OUTPUT_SHOWN).to_owned(),
    })
}
