//! ctest.

use super::{add, counted};
use crate::domain::check::TestCounts;

/// Reads ctest's sum, `67% tests passed, 1 tests failed out of 3` or, since CMake 4, `100% tests passed out of 1`.
/// Several in one output are added up.
///
/// ctest counts tests that skipped themselves as passed and leaves out disabled ones. It lists both below its sum, and
/// both are counted as skipped here.
#[derive(Clone, Debug, Default)]
pub(super) struct Ctest {
    sum: Option<TestCounts>,
    in_left_out: bool,
}

impl Ctest {
    pub fn line(&mut self, line: &str) {
        if self.in_left_out {
            self.in_left_out = line.starts_with('\t');
            self.left_out(line);
        } else if self.sum.is_some() && line == "The following tests did not run:" {
            self.in_left_out = true;
        } else if let Some(counts) = sum(line) {
            add(&mut self.sum, counts);
        }
    }

    /// `\t  3 - later (Skipped)`
    fn left_out(&mut self, line: &str) {
        let Some(sum) = &mut self.sum else { return };
        if line.ends_with(" (Skipped)") {
            sum.passed = sum.passed.saturating_sub(1);
            sum.skipped = sum.skipped.saturating_add(1);
        } else if line.ends_with(" (Disabled)") {
            sum.skipped = sum.skipped.saturating_add(1);
        }
    }

    pub fn counts(&self) -> Option<TestCounts> {
        self.sum
    }
}

fn sum(line: &str) -> Option<TestCounts> {
    let (_, rest) = counted(line)?;
    let rest = rest.strip_prefix("% tests passed")?;
    let (failed, total) = rest.split_once(" out of ")?;
    let failed = match failed.strip_prefix(", ") {
        Some(failed) => counted(failed)?.0,
        None => 0,
    };
    let (total, _) = counted(total)?;
    Some(TestCounts {
        passed: total.saturating_sub(failed),
        failed,
        skipped: 0,
    })
}
