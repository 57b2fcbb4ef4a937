//! pytest.

use std::sync::LazyLock;

use regex::Regex;

use super::add;
use super::tally::{Tally, compiled};
use crate::domain::check::TestCounts;

/// Reads pytest's last line, with or without `=` around it (`-q`): `2 failed, 9 passed, 1 error in 62.01s (0:01:02)`.
/// An error is a broken fixture or module: a failure.
///
/// In a session only the last such line counts, since a failing test may have printed others. Sessions are told apart
/// by their first line and added up. With `-q` there is no first line, so only the last run counts.
#[derive(Clone, Debug, Default)]
pub(super) struct Pytest {
    before: Option<TestCounts>,
    session: Option<TestCounts>,
}

impl Pytest {
    pub fn line(&mut self, line: &str) {
        static END: LazyLock<Regex> = LazyLock::new(|| {
            compiled(
                r"^=* ?(?<sum>no tests ran|(?:\d+ (?:subtests )?(?:passed|failed|errors?|skipped|x?failed|xpassed|deselected|warnings?|rerun)(?:, )?)+) in [\d.]+s(?: \([\d:]+\))? ?=*$",
            )
        });
        if line.starts_with("==") && line.trim_matches('=') == " test session starts " {
            if let Some(ended) = self.session.take() {
                add(&mut self.before, ended);
            }
        } else if let Some(found) = END.captures(line) {
            let mut tally = Tally::default();
            tally.add(&found);
            self.session = Some(tally.counts());
        }
    }

    pub fn counts(&self) -> Option<TestCounts> {
        let mut all = self.before;
        if let Some(session) = self.session {
            add(&mut all, session);
        }
        all
    }
}
