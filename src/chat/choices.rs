//! The replies to `/mode`, `/model` and `/effort`: how claude is started in a chat.

use crate::domain::button::Press;
use crate::domain::choices::{Effort, PermissionMode};
use crate::domain::outgoing::Outgoing;

/// The models with a button; `/model` takes other names too.
const MODELS: [&str; 3] = ["opus", "sonnet", "haiku"];

/// The values for a chat that has chosen nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defaults {
    pub mode: PermissionMode,
    pub model: Option<String>,
    /// claude accepts the mode bypassPermissions here.
    pub may_bypass: bool,
}

/// `/mode`; `and_the_run` if the current run is told too.
pub fn mode(chosen: Option<PermissionMode>, defaults: &Defaults, and_the_run: bool) -> Outgoing {
    let now = chosen.unwrap_or(defaults.mode);
    let mut text = format!("Mode: {}{}", now.shown(), whose(chosen.is_none()));
    text.push_str(&format!("\n{}", meaning(now)));
    if and_the_run {
        text.push_str("\nThe current run is told, and follows it from now on.");
    }
    let offered = PermissionMode::ALL
        .into_iter()
        .filter(|mode| *mode != PermissionMode::BypassPermissions || defaults.may_bypass);
    let message = offered.fold(Outgoing::note(text), |message, mode| {
        message.with_button(
            marked(mode.shown(), chosen == Some(mode)),
            Press::SetMode(Some(mode)),
        )
    });
    with_way_back(message, chosen.is_some(), Press::SetMode(None))
}

fn meaning(mode: PermissionMode) -> &'static str {
    match mode {
        PermissionMode::Default => "Claude asks here before it changes files or runs commands.",
        PermissionMode::AcceptEdits => {
            "Claude changes files in the workspace without asking, and asks here before it runs commands."
        }
        PermissionMode::Plan => {
            "Claude reads and plans, and asks here before it carries a plan out."
        }
        PermissionMode::BypassPermissions => "Claude does everything without asking.",
        PermissionMode::DontAsk => {
            "Claude asks nobody: it leaves out whatever it would have to ask for."
        }
        PermissionMode::Auto => {
            "Claude asks nobody here: a model of Anthropic's decides what it may do, and where that model cannot be \
             asked, claude leaves it out."
        }
    }
}

/// Somebody other than the owner chose bypassPermissions in a group.
pub fn bypass_is_for_owner() -> Outgoing {
    Outgoing::note(
        "Only the owner of the bot can choose this mode in a group: from then on claude asks nobody here. \
         Nothing was changed.",
    )
}

/// Somebody chose `bypassPermissions`, and claude would not start with it.
pub fn may_not_bypass() -> Outgoing {
    Outgoing::note(
        "Nothing was changed: telecoder runs as root here, and claude refuses bypassPermissions for root. Run \
         telecoder as another user, or set IS_SANDBOX=1 in an expendable container.",
    )
}

/// `/model`
pub fn model(chosen: Option<&str>, defaults: &Defaults, and_the_run: bool) -> Outgoing {
    let now = chosen.or(defaults.model.as_deref());
    let mut text = match now {
        Some(model) => format!("Model: {model}{}", whose(chosen.is_none())),
        None => "Model: the one that claude chooses".to_owned(),
    };
    if and_the_run {
        text.push_str(match now {
            Some(_) => "\nThe current run is told; claude switches at its next turn.",
            None => "\nFrom the next run on.",
        });
    }
    text.push_str("\n/model NAME takes any other name that claude knows.");
    let message = MODELS
        .into_iter()
        .fold(Outgoing::note(text), |message, model| {
            message.with_button(
                marked(model, chosen == Some(model)),
                Press::SetModel(Some(model.to_owned())),
            )
        });
    with_way_back(message, chosen.is_some(), Press::SetModel(None))
}

/// `/effort`
pub fn effort(chosen: Option<Effort>, and_the_run: bool) -> Outgoing {
    let mut text = match chosen {
        Some(effort) => format!("Effort: {}", effort.name()),
        None => "Effort: the one that claude chooses".to_owned(),
    };
    if and_the_run {
        text.push_str("\nFrom the next run on: claude cannot change its effort during a run.");
    }
    let message = Effort::ALL
        .into_iter()
        .fold(Outgoing::note(text), |message, effort| {
            message.with_button(
                marked(effort.name(), chosen == Some(effort)),
                Press::SetEffort(Some(effort)),
            )
        });
    with_way_back(message, chosen.is_some(), Press::SetEffort(None))
}

fn whose(is_default: bool) -> &'static str {
    if is_default {
        " (from telecoder's settings)"
    } else {
        ""
    }
}

fn marked(name: &str, is_chosen: bool) -> String {
    if is_chosen {
        format!("✓ {name}")
    } else {
        name.to_owned()
    }
}

fn with_way_back(message: Outgoing, is_chosen: bool, press: Press) -> Outgoing {
    if is_chosen {
        message.with_button("As the settings say", press)
    } else {
        message
    }
}
