//! Evidence: the measurements after a run.

use crate::domain::changes::{Changes, Seen};
use crate::domain::check::{CheckKind, CheckResult, TestCounts};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// The command that publishes commits.
pub const PUSH: &str = "git push";

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

/// All measurements after a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The error's words if git could not say what changed.
    pub changes: Result<Changes, String>,
    pub checks: Vec<CheckResult>,
    /// `None` for checks that a person started.
    #[serde(default)]
    pub deeds: Option<Deeds>,
    pub auto_push: Option<AutoPush>,
    /// The run's cost in US dollars; `None` for checks that a person started.
    pub cost_usd: Option<f64>,
}

impl Evidence {
    pub fn is_red(&self) -> bool {
        self.checks.iter().any(CheckResult::is_red)
    }

    /// Whether there were checks, all green.
    pub fn is_green(&self) -> bool {
        !self.checks.is_empty() && self.checks.iter().all(CheckResult::is_green)
    }

    /// How much is known of what the run changed.
    pub fn seen(&self) -> Seen {
        let seen = self.changes.as_ref().map_or(Seen::NotWholly, Changes::seen);
        let cannot_have = |deeds: &Deeds| !deeds.can_have_written;
        match seen {
            Seen::NotWholly if self.deeds.as_ref().is_some_and(cannot_have) => Seen::Unchanged,
            seen => seen,
        }
    }

    /// claude's last run of tests: that of the check's command, if there is one.
    pub fn last_tests(&self) -> Option<&Ran> {
        let ran = &self.deeds.as_ref()?.commands;
        let mut checks = self.checks.iter().map(|result| &result.check);
        match checks.find(|check| check.kind == CheckKind::Tests) {
            Some(check) => ran.iter().rfind(|ran| ran.is_of(&check.command)),
            None => ran.iter().rfind(|ran| ran.counts.is_some()),
        }
    }

    /// claude's last push, if it was refused.
    pub fn refused_push(&self) -> Option<&Ran> {
        let mut pushes = self.deeds.as_ref()?.commands.iter();
        let last = pushes.rfind(|ran| ran.is_of(PUSH))?;
        (last.passed == Some(false)).then_some(last)
    }

    /// Whether there is anything to tell.
    pub fn is_worth_telling(&self) -> bool {
        let is_silent = |changes: &Changes| changes.all().all(|(_, work)| work.is_silent());
        !self.checks.is_empty()
            || self.seen() != Seen::Unchanged
            || !self.changes.as_ref().is_ok_and(is_silent)
            || self
                .last_tests()
                .is_some_and(|ran| ran.passed == Some(false))
            || self.refused_push().is_some()
    }
}

/// What claude itself did in a run, known from its events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deeds {
    /// It called a tool that can write, or something of it went on in the background.
    pub can_have_written: bool,
    /// The newest shell commands, the last run of each, oldest first.
    pub commands: Vec<Ran>,
    /// Those are all, each to its end.
    #[serde(default)]
    pub is_whole: bool,
}

impl Deeds {
    /// Whether it is known that none of its commands ran tests.
    pub fn has_run_no_tests(&self) -> bool {
        self.is_whole && self.commands.iter().all(|ran| ran.counts.is_none())
    }
}

/// A shell command of claude's, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ran {
    /// Its beginning.
    pub command: String,
    /// `None` if nobody can tell.
    pub passed: Option<bool>,
    /// What its output says of tests.
    pub counts: Option<TestCounts>,
}

impl Ran {
    /// Whether one of its parts is this command, with more arguments perhaps. Of a command that has parts itself, the
    /// last one counts.
    pub fn is_of(&self, command: &str) -> bool {
        let Some(wanted) = parts(command).last() else {
            return false;
        };
        parts(&self.command).any(|part| part.starts_with(&wanted))
    }
}

/// The parts of a shell command, each as its words, without what only says how it is run.
fn parts(command: &str) -> impl Iterator<Item = Vec<&str>> {
    let parts = command.split(['&', '|', ';', '\n', '(', ')']);
    parts.map(words).filter(|words| !words.is_empty())
}

fn words(part: &str) -> Vec<&str> {
    let is_setting = |word: &str| word.contains('=') && !word.starts_with(['-', '=']);
    let is_number = |word: &str| word.starts_with(|c: char| c.is_ascii_digit());
    let words = part.split_whitespace();
    let mut words: VecDeque<&str> = words
        .skip_while(|word| {
            ["env", "time", "timeout", "nice", "sudo"].contains(word)
                || is_setting(word)
                || is_number(word)
        })
        .collect();
    if words.front() == Some(&"git") {
        while matches!(words.get(1), Some(&"-C" | &"-c")) {
            words.drain(1..words.len().min(3));
        }
    }
    words.into()
}
