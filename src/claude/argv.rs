//! The arguments that claude is started with.

use crate::domain::choices::Effort;
use crate::domain::choices::PermissionMode;
use std::path::Path;

use uuid::Uuid;

use super::environment::OUTBOX_VARIABLE;
use crate::domain::id::ClaudeSessionId;

/// claude's name for the model that it chooses itself.
pub const OWN_MODEL: &str = "default";
/// claude's flag that allows a later switch to bypassPermissions (seen on 2.1.197).
const MAY_BYPASS: &str = "--allow-dangerously-skip-permissions";

/// Which conversation a process takes part in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conversation {
    /// A new one under an id of ours.
    New(Uuid),
    /// One that claude has on disk for this very folder.
    Resume(ClaudeSessionId),
}

/// Everything that varies between two runs.
#[derive(Clone, Debug)]
pub struct Invocation<'a> {
    pub conversation: Conversation,
    pub permission_mode: PermissionMode,
    /// Given every time: `--resume` alone would fall back to the model of the last answer.
    pub model: Option<&'a str>,
    /// Files that claude puts into this folder are sent to the chat.
    pub outbox: &'a Path,
    /// The folder of files that came from the chat, which claude may read without asking.
    pub inbox: &'a Path,
    pub effort: Option<Effort>,
    /// Whether somebody can answer; if not, claude leaves out what it would have to ask for.
    pub can_ask: bool,
    /// Whether it may switch to bypassPermissions later; claude does not start with this if it refuses that mode.
    pub may_bypass: bool,
    /// The file with what [`super::settings`] says.
    pub settings: &'a Path,
}

impl Invocation<'_> {
    /// The arguments after the program's name.
    pub fn arguments(&self) -> Vec<String> {
        let mut arguments: Vec<String> = [
            "-p",
            "--verbose",
            "--output-format",
            "stream-json",
            "--include-partial-messages",
            "--input-format",
            "stream-json",
            "--replay-user-messages",
            "--permission-mode",
            self.permission_mode.name(),
        ]
        .into_iter()
        .map(str::to_owned)
        .collect();
        if self.can_ask {
            arguments.extend(["--permission-prompt-tool", "stdio"].map(str::to_owned));
        }
        match &self.conversation {
            Conversation::New(id) => {
                arguments.push("--session-id".to_owned());
                arguments.push(id.to_string());
            }
            Conversation::Resume(id) => {
                arguments.push("--resume".to_owned());
                arguments.push(id.0.clone());
            }
        }
        if let Some(model) = self.model {
            arguments.push("--model".to_owned());
            arguments.push(model.to_owned());
        }
        // Without this, the narrower modes let claude write only in the workspace.
        arguments.push("--add-dir".to_owned());
        arguments.push(self.outbox.to_string_lossy().into_owned());
        arguments.push(APPEND_SYSTEM_PROMPT.to_owned());
        arguments.push(about_the_outbox(self.outbox));
        arguments.push("--add-dir".to_owned());
        arguments.push(self.inbox.to_string_lossy().into_owned());
        if let Some(effort) = self.effort {
            arguments.extend(["--effort".to_owned(), effort.name().to_owned()]);
        }
        if self.may_bypass {
            arguments.push(MAY_BYPASS.to_owned());
        }
        arguments.push("--settings".to_owned());
        arguments.push(self.settings.to_string_lossy().into_owned());
        // With these claude reaches other sessions of this machine.
        arguments.extend(["--disallowedTools", "SendMessage,ListAgents"].map(str::to_owned));
        arguments
    }
}

/// Whether two claudes started with these work alike, but for their conversation and for what a living one can be told:
/// its mode and its model.
pub fn are_alike(one: &[String], other: &[String]) -> bool {
    const PASSED_OVER: [&str; 5] = [
        "--session-id",
        "--resume",
        "--model",
        "--permission-mode",
        "--settings",
    ];
    let essence = |arguments: &[String]| {
        let mut kept = Vec::new();
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match PASSED_OVER.contains(&argument.as_str()) {
                true => drop(arguments.next()),
                false => kept.push(argument.clone()),
            }
        }
        kept
    };
    essence(one) == essence(other)
}

/// claude: `--append-system-prompt`.
pub const APPEND_SYSTEM_PROMPT: &str = "--append-system-prompt";

/// What telecoder adds to claude's system prompt.
fn about_the_outbox(outbox: &Path) -> String {
    format!(
        "Files that you put into {} (also ${OUTBOX_VARIABLE}) are sent to the person in the chat when you are done.",
        outbox.display()
    )
}

/// The settings of a process at its start that it can be told to change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Launched {
    pub mode: Option<String>,
    pub model: Option<String>,
    pub may_bypass: bool,
}

impl Launched {
    pub fn with(arguments: &[String]) -> Launched {
        let value = |name: &str| {
            let at = arguments.iter().position(|argument| argument == name)?;
            arguments.get(at + 1).cloned()
        };
        let mode = value("--permission-mode");
        Launched {
            may_bypass: mode.as_deref() == Some(PermissionMode::BypassPermissions.name())
                || arguments.iter().any(|argument| argument == MAY_BYPASS),
            mode,
            model: value("--model"),
        }
    }
}
