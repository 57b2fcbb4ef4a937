//! The arguments that claude is started with.

use std::path::Path;

use uuid::Uuid;

use crate::id::ClaudeSessionId;

/// What claude may do without asking. claude: `--permission-mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PermissionMode {
    Default,
    AcceptEdits,
    Plan,
    DontAsk,
    Auto,
    BypassPermissions,
}

impl PermissionMode {
    pub const ALL: [PermissionMode; 6] = [
        PermissionMode::Default,
        PermissionMode::AcceptEdits,
        PermissionMode::Plan,
        PermissionMode::DontAsk,
        PermissionMode::Auto,
        PermissionMode::BypassPermissions,
    ];

    /// As claude spells it.
    pub fn name(self) -> &'static str {
        match self {
            PermissionMode::Default => "default",
            PermissionMode::AcceptEdits => "acceptEdits",
            PermissionMode::Plan => "plan",
            PermissionMode::DontAsk => "dontAsk",
            PermissionMode::Auto => "auto",
            PermissionMode::BypassPermissions => "bypassPermissions",
        }
    }

    pub fn named(name: &str) -> Option<PermissionMode> {
        PermissionMode::ALL
            .into_iter()
            .find(|mode| mode.name() == name)
    }
}

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
    /// A folder outside the workspace that it may read without asking: what was sent in the chat.
    pub inbox: Option<&'a Path>,
}

impl Invocation<'_> {
    /// The arguments behind the program's name.
    ///
    /// `--permission-prompt-tool` is left out: nobody could answer in the chat yet, and a run must not wait
    /// for an answer that cannot come.
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
        if let Some(inbox) = self.inbox {
            arguments.push("--add-dir".to_owned());
            arguments.push(inbox.display().to_string());
        }
        arguments
    }
}
