//! `telecoder doctor`: prints the report.

use anyhow::bail;

use super::screen;
use crate::config::Sources;
use crate::doctor::examine;

/// The end of `telecoder doctor --help`.
pub(super) const LONG_HELP: &str = "\
Marks: ✓ ok, · note, ! check this, ✗ broken. Below ! and ✗ is the fix.
Exit code: 1 if something is broken, else 0.

Changes nothing, and drops no message at Telegram. A bot that runs here is not disturbed. If none runs here, this
polls Telegram once, to see whether another program does; a bot elsewhere with the same token then pauses
(telecoder: for 30 s).

With --json an object:
  version   of this telecoder
  at        the time of the report, RFC 3339 in UTC
  broken    how many ✗
  warnings  how many !
  checks    an array of objects, in the order of the report:
    check   settings, user, telegram, token, updates, people, groups, clock, data, space, database, waiting,
            workspaces, git, claude, login, permissions, bot, service or log; several objects can have the same
    mark    good, remark, warning or broken
    found   what was found
    remedy  what to do; null for good and remark";

/// Something is broken. The report says so, so this is not printed.
#[derive(Debug, thiserror::Error)]
#[error("something is broken")]
pub(super) struct Broken;

/// Runs all checks and prints the report. Errors: something is broken.
pub(super) fn run(runtime: &tokio::runtime::Runtime, json: bool) -> anyhow::Result<()> {
    let report = runtime.block_on(examine(Sources::of_a_command()));
    match json {
        true => screen::print_json(&report)?,
        false => screen::print_coloured(&report.text()),
    }
    if report.broken() > 0 {
        bail!(Broken);
    }
    Ok(())
}
