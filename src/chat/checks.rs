//! What `/checks` and `/autofix` say.

use super::Outgoing;
use super::button::Press;
use crate::id::SessionId;
use crate::verify::commands::{Defaults, Origin};
use crate::verify::{Check, Kind};

/// What is known of a session's checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    pub session: SessionId,
    pub chosen: Vec<(Check, Origin)>,
    /// What the files in the workspace look like.
    pub found: Defaults,
    /// Why the repository's own file does not count, where there is one.
    pub file_fault: Option<String>,
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
    let found: Vec<&str> = [&known.found.test, &known.found.lint]
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect();
    let offers = known.chosen.is_empty() && !found.is_empty();
    if offers {
        lines.push(format!("This looks like: {}", found.join(" · ")));
    }
    lines.push(
        "/checks test=… lint=… sets them for this session, /checks off runs none, /checks auto forgets what \
         was set; /verify runs them now."
            .to_owned(),
    );
    let message = Outgoing::note(lines.join("\n"));
    if offers {
        return message.with_button("Use them", Press::UseChecks(known.session.clone()));
    }
    message
}

fn chosen_line((check, origin): &(Check, Origin)) -> String {
    let kind = match check.kind {
        Kind::Tests => "Tests",
        Kind::Lint => "Lint",
    };
    let origin = match origin {
        Origin::Session => "set here",
        Origin::Settings => "from the settings",
        Origin::Repository => "from .telecoder.toml",
    };
    format!("{kind}: {} ({origin})", check.command)
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
