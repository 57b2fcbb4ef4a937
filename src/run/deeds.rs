//! What claude itself did in a run, from its events: which shell commands it ran, and how the last run of each ended.
//!
//! A command's exit code says how it ended, unless its last part is not what matters (`cargo test | tail`): then only
//! what the output says of tests counts. Pure.

use crate::domain::evidence::{Deeds, PUSH, Ran};
use crate::domain::progress::Progress;
use crate::domain::tools::Command;
use crate::verify::counts;

/// git's last line after a push that was refused, whatever the exit code of the whole is.
const REFUSED: &str = "error: failed to push some refs";

pub fn of(progress: &Progress) -> Deeds {
    let mut commands: Vec<Ran> = Vec::new();
    for command in progress.tools.commands() {
        commands.retain(|earlier| earlier.command != command.text);
        commands.push(ran(command));
    }
    Deeds {
        can_have_written: progress.tools.can_have_written || !progress.background.is_empty(),
        commands,
    }
}

fn ran(command: &Command) -> Ran {
    let counts = counts::of_text(&command.output);
    let has_failed = counts.is_some_and(|counts| counts.failed > 0);
    let is_refused = command.text.contains(PUSH) && command.output.contains(REFUSED);
    let passed = match command.code {
        _ if has_failed || is_refused => Some(false),
        Some(0) if counts.is_some() || is_one(&command.text) => Some(true),
        Some(0) | None => None,
        Some(_) => Some(false),
    };
    Ran {
        command: command.text.clone(),
        passed,
        counts,
    }
}

/// Whether the exit code of the whole is 0 only if that of each part is.
fn is_one(command: &str) -> bool {
    let parts = command.trim().replace("&&", "").replace("2>&1", "");
    !parts.contains(['|', ';', '&', '\n'])
}
