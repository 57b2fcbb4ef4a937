//! go test.

use std::collections::HashSet;
use std::sync::LazyLock;

use regex::Regex;
use serde::Deserialize;

use super::add;
use super::tally::{Tally, compiled};
use crate::domain::check::{TestCounts, Unit};

/// How many failing packages are remembered; others may be counted twice.
const MOST_PACKAGES: usize = 10_000;

/// Reads `go test`, `go test -v`, `go test -json` and gotestsum.
///
/// With `-v` or `-json` it counts tests; one with subtests is one. A package that fails without a failing test (it does
/// not build, or ends early) is one failure. Without both, go does not name the tests that pass, so it counts packages,
/// passed and failed; those without tests do not count. gotestsum has a sum of its own.
///
/// A test can fool this by printing lines such as `--- PASS: x`.
#[derive(Clone, Debug, Default)]
pub(super) struct Go {
    tests: TestCounts,
    packages: TestCounts,
    is_seen: bool,
    names_tests: bool,
    /// Packages with a failed test; without `-json`, the current one has the empty name.
    failing: HashSet<String>,
    gotestsum: Option<TestCounts>,
}

/// A line of `go test -json`, as `go doc test2json` describes it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Event {
    action: String,
    #[serde(default)]
    package: String,
    #[serde(default)]
    test: String,
}

impl Go {
    pub fn line(&mut self, line: &str) {
        static DONE: LazyLock<Regex> =
            LazyLock::new(|| compiled(r"^DONE (?:\d+ runs, )?(?<sum>\d+ tests?.*) in [\d.]+m?s$"));
        if line.starts_with('{') {
            self.json(line);
        } else if let Some(test) = line.strip_prefix("--- ") {
            self.test(test);
        } else if let Some(package) = line.strip_prefix("ok  \t") {
            self.is_seen = true;
            self.failing.remove("");
            if !package.ends_with("[no tests to run]") {
                self.packages.passed = self.packages.passed.saturating_add(1);
            }
        } else if line.starts_with("FAIL\t") {
            self.package_failed("");
        } else if line.starts_with("?   \t") && line.ends_with("[no test files]") {
            self.is_seen = true;
        } else if line.starts_with("=== RUN ") {
            self.names_tests = true;
        } else if let Some(found) = DONE.captures(line) {
            let mut tally = Tally::default();
            tally.add(&found);
            add(&mut self.gotestsum, tally.counts());
        }
    }

    /// `PASS: TestAdd (0.00s)`
    fn test(&mut self, text: &str) {
        if let Some((how, name)) = text.split_once(": ")
            && name.ends_with("s)")
        {
            match how {
                "PASS" => self.test_ended("pass", ""),
                "FAIL" => self.test_ended("fail", ""),
                "SKIP" => self.test_ended("skip", ""),
                _ => {}
            }
            self.names_tests |= how == "PASS";
        }
    }

    fn json(&mut self, line: &str) {
        let says = |action: &str| line.contains(action);
        if !says(r#""Action":"pass""#) && !says(r#""Action":"fail""#) && !says(r#""Action":"skip""#)
        {
            return;
        }
        let Ok(event) = serde_json::from_str::<Event>(line) else {
            return;
        };
        self.names_tests = true;
        self.is_seen |= !event.package.is_empty();
        if event.test.contains('/') {
            return;
        }
        if !event.test.is_empty() {
            self.test_ended(&event.action, &event.package);
        } else if event.action == "fail" {
            self.package_failed(&event.package);
        }
    }

    fn test_ended(&mut self, action: &str, package: &str) {
        let count = match action {
            "pass" => &mut self.tests.passed,
            "skip" => &mut self.tests.skipped,
            "fail" => {
                if self.failing.len() < MOST_PACKAGES {
                    self.failing.insert(package.to_owned());
                }
                &mut self.tests.failed
            }
            _ => return,
        };
        *count = count.saturating_add(1);
    }

    fn package_failed(&mut self, package: &str) {
        self.packages.failed = self.packages.failed.saturating_add(1);
        if !self.failing.remove(package) {
            self.tests.failed = self.tests.failed.saturating_add(1);
        }
    }

    pub fn counts(&self) -> Option<TestCounts> {
        let seen = match self.names_tests {
            true => self.tests,
            false => TestCounts {
                unit: Unit::Packages,
                ..self.packages
            },
        };
        let is_seen = self.is_seen || !seen.is_nothing();
        self.gotestsum.or(is_seen.then_some(seen))
    }
}
