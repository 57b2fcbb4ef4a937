//! How one check ended, in words: its line in the evidence, and the end of its output.

use std::time::Duration;

use super::evidence::OUTPUT_SHOWN;
use super::text::duration;
use crate::domain::check::{CheckEnd, CheckKind, CheckResult, TestCounts, Unit};
use crate::domain::outgoing::Folded;
use crate::domain::shown::without_password;
use crate::redact::short::{last_lines, one_line};

/// How much is shown of why a check could not be run, in characters.
const WORDS_SHOWN: usize = 200;
/// How much of a command is shown, in characters.
const COMMAND_SHOWN: usize = 60;

/// `✓ Tests: 240 passed, 2 skipped · 3 s`
pub fn check_line(result: &CheckResult) -> String {
    let sign = match &result.ended {
        CheckEnd::Passed if result.is_green() => "✓",
        CheckEnd::Passed | CheckEnd::NotRun(_) => "⚠",
        CheckEnd::Failed { .. } | CheckEnd::TimedOut => "✗",
        CheckEnd::Stopped | CheckEnd::GaveWay => "–",
    };
    let took = duration(Duration::from_millis(result.elapsed_ms));
    let how = match &result.ended {
        CheckEnd::Passed => match result.counts {
            Some(counts) if counts.failed > 0 => {
                format!(": exit code 0, but {} · {took}", failed(counts))
            }
            Some(counts) if counts.passed == 0 => format!(": no test was run · {took}"),
            Some(counts) => format!(": {} · {took}", passed(counts)),
            None => format!(" · {took}"),
        },
        CheckEnd::Failed { code } => format!(": {} · {took}", why_red(result, *code)),
        CheckEnd::TimedOut => {
            format!(": not done after {took}, and ended (TELECODER_VERIFY_TIMEOUT)")
        }
        CheckEnd::Stopped if result.elapsed_ms == 0 => ": not run".to_owned(),
        CheckEnd::Stopped => format!(": stopped after {took}"),
        CheckEnd::GaveWay if result.elapsed_ms == 0 => {
            ": not run, because the next prompt comes first".to_owned()
        }
        CheckEnd::GaveWay => format!(": ended after {took}, because the next prompt comes first"),
        CheckEnd::NotRun(words) => format!(
            ": could not be run ({}), which says nothing about the code. Once that is mended, /verify runs it again; \
             /checks sets another command.",
            one_line(&without_password(words), WORDS_SHOWN)
        ),
    };
    let left = match result.survivors {
        0 => String::new(),
        1 => " · it left a process behind, which was ended".to_owned(),
        many => format!(" · it left {many} processes behind, which were ended"),
    };
    format!("{sign} {}{how}{left}", name(result.check.kind))
}

/// Why a check that ran to its end is red.
fn why_red(result: &CheckResult, code: Option<i32>) -> String {
    let code = match code {
        Some(code) => format!("exit code {code}"),
        None => "killed, perhaps because memory ran out".to_owned(),
    };
    match result.counts {
        Some(counts) if counts.failed > 0 => failed(counts),
        Some(counts) if counts.passed > 0 && result.misses_coverage => {
            format!("{}, but the coverage threshold is not met", passed(counts))
        }
        Some(counts) if counts.passed > 0 => format!("{}, but {code}", passed(counts)),
        Some(_) => format!("no test was run, {code}"),
        None => code,
    }
}

/// `240 passed, 2 skipped`, `2 packages passed`
fn passed(counts: TestCounts) -> String {
    let mut text = format!("{}{} passed", counts.passed, unit(counts, counts.passed));
    if counts.skipped > 0 {
        text.push_str(&format!(", {} skipped", counts.skipped));
    }
    text
}

/// `2 of 240 failed`, `1 of 3 packages failed`
fn failed(counts: TestCounts) -> String {
    let all = counts.failed.saturating_add(counts.passed);
    format!("{} of {all}{} failed", counts.failed, unit(counts, all))
}

/// What is counted, where it is not only tests.
fn unit(counts: TestCounts, count: u64) -> &'static str {
    match (counts.unit, count) {
        (Unit::Tests, _) => "",
        (Unit::Packages, 1) => " package",
        (Unit::Packages, _) => " packages",
        (Unit::TestsAndPackages, _) => " tests and packages",
    }
}

fn name(kind: CheckKind) -> &'static str {
    match kind {
        CheckKind::Tests => "Tests",
        CheckKind::Lint => "Lint",
        CheckKind::Setup => "Setup",
    }
}

/// The end of what a check wrote that failed or could not be run.
pub fn failing_output(result: &CheckResult) -> Option<Folded> {
    let is_told = result.is_red() || matches!(result.ended, CheckEnd::NotRun(_));
    if !is_told || result.last_lines.trim().is_empty() {
        return None;
    }
    Some(Folded {
        title: format!(
            "$ {}",
            one_line(&without_password(&result.check.command), COMMAND_SHOWN)
        ),
        text: last_lines(&result.last_lines, OUTPUT_SHOWN),
    })
}
