//! Runs claude in a person's terminal, with a session's conversation, and records what it is asked there.
//!
//! A hook (`--settings`, `UserPromptSubmit`) writes the record: for each prompt the JSON object that claude gives to
//! hooks, with the id of the prompt's conversation (`/clear` begins another one).

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Deserialize;
use serde_json::json;
use signal_hook::consts::{SIGINT, SIGQUIT};
use signal_hook::flag;

use super::argv::Conversation;
use super::settings::of_every_claude;
use crate::domain::choices::PermissionMode;
use crate::domain::id::ClaudeSessionId;
use crate::domain::shown::shell_word;

/// What varies between two terminals.
pub struct Invocation<'a> {
    pub program: &'a Path,
    pub conversation: Conversation,
    pub permission_mode: PermissionMode,
    pub model: Option<&'a str>,
    pub workspace: &'a Path,
    /// claude's whole environment.
    pub environment: &'a BTreeMap<OsString, OsString>,
    /// The file that the hook writes to.
    pub record: &'a Path,
}

impl Invocation<'_> {
    /// Runs claude on this process's terminal until it exits, with whatever code. claude handles Ctrl-C meanwhile.
    ///
    /// Errors: claude could not be started.
    pub fn run(&self) -> io::Result<()> {
        let is_over = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGQUIT] {
            // The signal ends this process again once claude has ended.
            flag::register_conditional_default(signal, Arc::clone(&is_over))?;
        }
        let run = Command::new(self.program)
            .args(arguments(
                &self.conversation,
                self.permission_mode,
                self.model,
                self.record,
            ))
            .current_dir(self.workspace)
            .env_clear()
            .envs(self.environment)
            .status();
        is_over.store(true, Ordering::Relaxed);
        run.map(drop)
    }
}

/// The arguments after the program's name.
fn arguments(
    conversation: &Conversation,
    permission_mode: PermissionMode,
    model: Option<&str>,
    record: &Path,
) -> Vec<String> {
    let mut arguments = match conversation {
        Conversation::New(id) => vec!["--session-id".to_owned(), id.to_string()],
        Conversation::Resume(id) => vec!["--resume".to_owned(), id.0.clone()],
    };
    arguments.extend([
        "--permission-mode".to_owned(),
        permission_mode.name().to_owned(),
    ]);
    if let Some(model) = model {
        arguments.extend(["--model".to_owned(), model.to_owned()]);
    }
    arguments.extend(["--settings".to_owned(), settings(record)]);
    arguments
}

fn settings(record: &Path) -> String {
    let record = record.to_string_lossy();
    let file = shell_word(&record);
    // It prints nothing: what such a hook prints becomes part of the prompt.
    let command = format!("{{ cat; echo; }} >> {file}");
    let mut settings = of_every_claude();
    settings["hooks"] =
        json!({"UserPromptSubmit": [{"hooks": [{"type": "command", "command": command}]}]});
    settings.to_string()
}

/// What claude was asked at a terminal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Oldest first.
    pub prompts: Vec<String>,
    /// The conversation of the last one.
    pub conversation: Option<ClaudeSessionId>,
}

/// Reads a record up to the first entry that cannot be read. claude: the input of the hook `UserPromptSubmit`.
pub fn read(record: &Path) -> Record {
    #[derive(Deserialize)]
    struct Submitted {
        session_id: String,
        #[serde(default)]
        prompt: String,
    }
    let bytes = std::fs::read(record).unwrap_or_default();
    let mut found = Record::default();
    for submitted in serde_json::Deserializer::from_slice(&bytes).into_iter::<Submitted>() {
        let Ok(submitted) = submitted else { break };
        found.conversation = Some(ClaudeSessionId(submitted.session_id));
        found.prompts.push(submitted.prompt);
    }
    found
}
