//! What was measured after a run, as `--json` has it.

use serde::Serialize;

use super::changes::Changes;
use crate::domain::check::{self, CheckEnd, CheckKind, CheckResult, TestCounts};
use crate::domain::evidence;

/// All measurements after a run.
#[derive(Clone, Debug, Serialize)]
pub struct Evidence {
    /// What changed; `None` if git could not say.
    pub changes: Option<Changes>,
    /// Why git could not say what changed; else `None`.
    pub changes_unknown: Option<String>,
    /// In the order in which they ran; empty if none is set up.
    pub checks: Vec<Check>,
    /// What claude itself did; `None` for checks that a person started.
    pub deeds: Option<Deeds>,
    /// `None` if nothing was to be pushed automatically.
    pub auto_push: Option<AutoPush>,
    /// The run's cost in US dollars; `None` for checks that a person started.
    pub cost_usd: Option<f64>,
}

impl From<&evidence::Evidence> for Evidence {
    fn from(measured: &evidence::Evidence) -> Evidence {
        Evidence {
            changes: measured.changes.as_ref().ok().map(Changes::from),
            changes_unknown: measured.changes.as_ref().err().cloned(),
            checks: measured.checks.iter().map(Check::from).collect(),
            deeds: measured.deeds.as_ref().map(Deeds::from),
            auto_push: measured.auto_push.as_ref().map(AutoPush::from),
            cost_usd: measured.cost_usd,
        }
    }
}

/// The result of a check.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// `tests`, `lint` or `setup`.
    pub kind: &'static str,
    /// Without passwords.
    pub command: String,
    /// `passed`, `failed`, `timed_out`, `stopped` (by a person), `gave_way` (to the next prompt) or `not_run`.
    pub ended: &'static str,
    /// `None` if it did not end by itself.
    pub exit_code: Option<i32>,
    /// Why it could not be run; else `None`.
    pub reason: Option<String>,
    /// What its output says of tests; `None` if that is unclear.
    pub counts: Option<Counts>,
    /// How long it took.
    pub seconds: f64,
    /// The end of its output; empty if it passed.
    pub last_lines: String,
    /// How many processes it left behind; they were ended.
    pub left_processes: usize,
    /// Whether its output says that tests cover too little of the code.
    pub misses_coverage: bool,
}

impl From<&CheckResult> for Check {
    fn from(result: &CheckResult) -> Check {
        let (ended, exit_code, reason) = match &result.ended {
            CheckEnd::Passed => ("passed", Some(0), None),
            CheckEnd::Failed { code } => ("failed", *code, None),
            CheckEnd::TimedOut => ("timed_out", None, None),
            CheckEnd::Stopped => ("stopped", None, None),
            CheckEnd::GaveWay => ("gave_way", None, None),
            CheckEnd::NotRun(why) => ("not_run", None, Some(why.clone())),
        };
        Check {
            kind: match result.check.kind {
                CheckKind::Tests => "tests",
                CheckKind::Lint => "lint",
                CheckKind::Setup => "setup",
            },
            command: result.check.command.clone(),
            ended,
            exit_code,
            reason,
            counts: result.counts.map(Counts::from),
            seconds: std::time::Duration::from_millis(result.elapsed_ms).as_secs_f64(),
            last_lines: result.last_lines.clone(),
            left_processes: result.survivors,
            misses_coverage: result.misses_coverage,
        }
    }
}

/// How many tests passed, failed and were skipped.
#[derive(Clone, Debug, Serialize)]
pub struct Counts {
    pub passed: u64,
    pub failed: u64,
    pub skipped: u64,
    /// What is counted: `tests`, `packages`, or `tests_and_packages` for a sum of both.
    pub unit: &'static str,
}

impl From<TestCounts> for Counts {
    fn from(counts: TestCounts) -> Counts {
        Counts {
            passed: counts.passed,
            failed: counts.failed,
            skipped: counts.skipped,
            unit: match counts.unit {
                check::Unit::Tests => "tests",
                check::Unit::Packages => "packages",
                check::Unit::TestsAndPackages => "tests_and_packages",
            },
        }
    }
}

/// What claude itself did in the run.
#[derive(Clone, Debug, Serialize)]
pub struct Deeds {
    /// It called a tool that can write, or something of it went on in the background.
    pub can_have_written: bool,
    /// The newest shell commands that ran to their end, the last run of each, oldest first.
    pub commands: Vec<Command>,
}

impl From<&evidence::Deeds> for Deeds {
    fn from(deeds: &evidence::Deeds) -> Deeds {
        Deeds {
            can_have_written: deeds.can_have_written,
            commands: deeds.commands.iter().map(Command::from).collect(),
        }
    }
}

/// A shell command of claude's.
#[derive(Clone, Debug, Serialize)]
pub struct Command {
    /// Its beginning.
    pub command: String,
    /// `None` if nobody can tell.
    pub passed: Option<bool>,
    /// What its output says of tests; `None` if it says nothing.
    pub counts: Option<Counts>,
}

impl From<&evidence::Ran> for Command {
    fn from(ran: &evidence::Ran) -> Command {
        Command {
            command: ran.command.clone(),
            passed: ran.passed,
            counts: ran.counts.map(Counts::from),
        }
    }
}

/// The result of an automatic push.
#[derive(Clone, Debug, Serialize)]
pub struct AutoPush {
    pub pushed: bool,
    /// The host's link for a pull request, if it gave one.
    pub link: Option<String>,
    /// git's words, if it was refused.
    pub refused: Option<String>,
}

impl From<&evidence::AutoPush> for AutoPush {
    fn from(push: &evidence::AutoPush) -> AutoPush {
        let (link, refused) = match push {
            evidence::AutoPush::Pushed { link } => (link.clone(), None),
            evidence::AutoPush::Refused(why) => (None, Some(why.clone())),
        };
        AutoPush {
            pushed: refused.is_none(),
            link,
            refused,
        }
    }
}
