//! The replies to `/checks` and `/autofix`.

use crate::domain::button::Press;
use crate::domain::check::CheckOrigin;
use crate::domain::check::Commands;
use crate::domain::check::{Check, CheckKind};
use crate::domain::id::SessionId;
use crate::domain::outgoing::Outgoing;
use crate::domain::shown::without_password;

/// The facts about a session's checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    pub session: SessionId,
    /// The commands set for this session.
    pub own: Commands,
    pub chosen: Vec<(Check, CheckOrigin)>,
    /// What sets a new workspace up.
    pub setup: Option<(Check, CheckOrigin)>,
    /// It runs in this workspace now, because it was just set.
    pub sets_up: bool,
    /// The commands that the workspace's files suggest.
    pub found: Commands,
    /// Why the repository's `.telecoder.toml` is ignored, if it is.
    pub file_fault: Option<String>,
}

impl Known {
    /// Whether the found commands are offered: not if somebody has set this session's checks, even to none.
    pub fn offers(&self) -> bool {
        self.chosen.is_empty() && self.own.has_no_checks() && !self.found.has_no_checks()
    }
}

/// `/checks`, also after a change.
pub fn checks(known: &Known) -> Outgoing {
    let mut lines: Vec<String> = known.chosen.iter().map(chosen_line).collect();
    if lines.is_empty() {
        lines.push("No checks run here after a run.".to_owned());
    } else {
        lines.insert(0, "After each run that changed something:".to_owned());
    }
    if let Some((setup, origin)) = &known.setup {
        lines.push(format!(
            "{}, once in a new workspace{}",
            chosen_line(&(setup.clone(), *origin)),
            if known.sets_up {
                ", and here now."
            } else {
                "."
            }
        ));
    }
    if let Some(fault) = &known.file_fault {
        lines.push(format!(".telecoder.toml is ignored: {fault}."));
    }
    if known.offers() {
        lines.push(format!("Found in the workspace: {}.", listed(&known.found)));
    }
    lines.push(
        "/checks setup=… test=… lint=… sets them for this session, /checks off checks nothing, /checks auto \
         forgets what was set; /verify runs the checks now."
            .to_owned(),
    );
    let message = Outgoing::note(lines.join("\n"));
    if known.offers() {
        return message.with_button("Use them", Press::UseChecks(known.session.clone()));
    }
    message
}

/// The offered commands are now in use.
pub fn in_use(commands: &Commands) -> Outgoing {
    Outgoing::note(format!(
        "After each run that changes something, and now: {}. /checks shows and changes them.",
        listed(commands)
    ))
}

/// The commands, separated by dots.
pub(super) fn listed(commands: &Commands) -> String {
    [&commands.test, &commands.lint]
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(" · ")
}

fn chosen_line((check, origin): &(Check, CheckOrigin)) -> String {
    let kind = match check.kind {
        CheckKind::Tests => "Tests",
        CheckKind::Lint => "Lint",
        CheckKind::Setup => "Setup",
    };
    let origin = match origin {
        CheckOrigin::Session => "set here",
        CheckOrigin::Settings => "from the settings",
        CheckOrigin::Repository => "from .telecoder.toml",
    };
    format!("{kind}: {} ({origin})", without_password(&check.command))
}

/// `/autofix`
pub fn autofix(is_on: bool) -> Outgoing {
    Outgoing::note(if is_on {
        "Failing checks go back to claude automatically here, at most 3 times in a row. /autofix off ends that."
    } else {
        "Failing checks go back to claude when you press Fix it. /autofix on sends them automatically, at most 3 times \
         in a row."
    })
}
