//! What claude itself did in a run, from its events: which shell commands it ran, and how the last run of each ended.
//!
//! A command's exit code says how it ended, unless it has several parts (`cargo test | tail`): then only what the
//! output says of tests counts, by a runner that is known. Pure.

use crate::domain::evidence::{Deeds, PUSH, Ran};
use crate::domain::progress::Progress;
use crate::domain::tools::Command;
use crate::verify::counts;

/// git's last line after a push that was refused, whatever the exit code of the whole is.
const REFUSED: &str = "error: failed to push some refs";

pub fn of(progress: &Progress) -> Deeds {
    let tools = &progress.tools;
    let mut commands: Vec<Ran> = Vec::new();
    for command in &tools.commands {
        commands.retain(|earlier| earlier.command != command.text);
        commands.push(ran(command));
    }
    let is_known = |command: &Command| command.code.is_some() && !command.is_cut();
    Deeds {
        can_have_written: tools.can_have_written || !progress.background.is_empty(),
        commands,
        is_whole: !tools.has_dropped && tools.commands.iter().all(is_known),
    }
}

fn ran(command: &Command) -> Ran {
    let counts = counts::of_known_runner(&command.output);
    let has_failed = counts.is_some_and(|counts| counts.failed > 0);
    let is_refused = command.text.contains(PUSH) && command.output.contains(REFUSED);
    let is_one = !command.is_cut() && is_one(&command.text);
    let passed = match command.code {
        // Its numbers are no test's.
        Some(0) if is_one => (!has_failed).then_some(true),
        Some(0) if has_failed || is_refused => Some(false),
        Some(0) => counts.map(|_| true),
        Some(_) if is_one || has_failed || is_refused => Some(false),
        // Another part may have failed.
        Some(_) | None => None,
    };
    Ran {
        command: command.text.clone(),
        passed,
        counts,
    }
}

/// Whether the exit code is that of the only command, after the folder was changed perhaps.
fn is_one(command: &str) -> bool {
    let command = command.trim().replace("2>&1", "");
    let is_end = |c: char| "|;&\n".contains(c);
    let command = match command.split_once("&&") {
        Some((cd, rest)) if cd.starts_with("cd ") && !cd.contains(is_end) => rest,
        _ => command.as_str(),
    };
    !command.contains(is_end)
}
