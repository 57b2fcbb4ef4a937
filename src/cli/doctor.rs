//! `telecoder doctor`: prints the report.

use anyhow::bail;

use crate::config::Sources;
use crate::doctor::examine;

/// What `telecoder doctor --help` says beside its options.
pub(super) const LONG_HELP: &str = "\
Marks: ✓ well, · a remark, ! needs a look, ✗ broken. Below ! and ✗ stands what to do.
Exit code: 1 if something is broken, else 0.

Works beside a running bot, which is not disturbed. Nothing is changed, and Telegram forgets no message by it.
Where no bot is at work here, Telegram is asked for messages once, to see whether another program takes them; a bot
elsewhere with the same token then pauses, for half a minute where it is telecoder.

With --json an object:
  version   of this telecoder
  at        when it was looked, RFC 3339 in UTC
  broken    how many ✗
  warnings  how many !
  checks    an array of objects, in the order of the report:
    check   settings, user, telegram, token, updates, people, groups, clock, data, space, database, waiting,
            workspaces, git, claude, login, permissions, bot, service or log; several objects can have the same
    mark    good, remark, warning or broken
    found   what was found
    remedy  what to do; null for good and remark";

/// Looks at everything and prints it. An error when something is broken.
pub(super) fn run(runtime: &tokio::runtime::Runtime, json: bool) -> anyhow::Result<()> {
    let report = runtime.block_on(examine(Sources::of_this_process()));
    match json {
        true => println!("{}", serde_json::to_string_pretty(&report)?),
        false => anstream::print!("{}", report.text()),
    }
    if report.broken() > 0 {
        bail!("something is broken; what to do stands below each ✗");
    }
    Ok(())
}
