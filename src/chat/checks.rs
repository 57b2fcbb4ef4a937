//! What `/checks` and `/autofix` say.

use crate::domain::button::Press;
use crate::domain::check::CheckOrigin;
use crate::domain::check::Commands;
use crate::domain::check::{Check, CheckKind};
use crate::domain::id::SessionId;
use crate::domain::outgoing::Outgoing;
use crate::domain::shown::without_password;

/// What is known of a session's checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    pub session: SessionId,
    /// What the session was given itself.
    pub own: Commands,
    pub chosen: Vec<(Check, CheckOrigin)>,
    /// What the files in the workspace look like.
    pub found: Commands,
    /// Why the repository's own file does not count, where there is one.
    pub file_fault: Option<String>,
}

impl Known {
    /// Whether what was found is offered: not where somebody has said that there is nothing to check.
    pub fn offers(&self) -> bool {
        self.chosen.is_empty()
            && self.own == Commands::default()
            && self.found != Commands::default()
    }
}

/// `/checks`, also after a change.
pub fn checks(known: &Known) -> Outgoing {
    let mut lines: Vec<String> = known.chosen.iter().map(chosen_line).collect();
    if lines.is_empty() {
        lines.push("No checks are run after a run here.".to_owned());
    } else {
        lines.insert(0, "After each run that changed something:".to_owned());
    }
    if let Some(fault) = &known.file_fault {
        lines.push(format!(".telecoder.toml is left out: {fault}."));
    }
    if known.offers() {
        lines.push(format!("Found in the workspace: {}.", listed(&known.found)));
    }
    lines.push(
        "/checks test=… lint=… sets them for this session, /checks off runs none, /checks auto forgets what \
         was set; /verify runs them now."
            .to_owned(),
    );
    let message = Outgoing::note(lines.join("\n"));
    if known.offers() {
        return message.with_button("Use them", Press::UseChecks(known.session.clone()));
    }
    message
}

/// What was offered is run from now on.
pub fn in_use(commands: &Commands) -> Outgoing {
    Outgoing::note(format!(
        "After each run that changes something, and now: {}. /checks shows and changes that.",
        listed(commands)
    ))
}

/// The commands, side by side.
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
        "Checks that fail go back to claude by themselves here, at most 3 times in a row. /autofix off ends that."
    } else {
        "Checks that fail go back to claude when you press Fix it. /autofix on does so by itself, at most 3 times \
         in a row."
    })
}
