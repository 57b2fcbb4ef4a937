//! The part of the service's environment that claude gets.
//!
//! It is everything that is not telecoder's own: `ANTHROPIC_*`, `CLAUDE_*`, PATH, HOME, proxies and the person's own
//! keys are in it; the bot token, telecoder's settings, the service manager's sockets and the marks of a claude that
//! started telecoder are not.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

/// The variable with the folder whose files are sent to the chat.
pub const OUTBOX_VARIABLE: &str = "TELECODER_OUTBOX";

const OURS_BY_PREFIX: [&str; 4] = ["TELEGRAM_", "TELECODER_", "WATCHDOG_", "LISTEN_"];
/// The variables that a claude sets for the programs it starts; telecoder may be one of them.
const OF_AN_OUTER_CLAUDE: [&str; 10] = [
    "CLAUDECODE",
    "CLAUDE_CODE_CHILD_SESSION",
    "CLAUDE_CODE_SESSION_ID",
    "CLAUDE_CODE_ENTRYPOINT",
    "CLAUDE_CODE_EXECPATH",
    "CLAUDE_CODE_MESSAGING_SOCKET",
    "CLAUDE_CODE_MESSAGING_TOKEN",
    "CLAUDE_EFFORT",
    "CLAUDE_PID",
    "AI_AGENT",
];
const OURS_BY_NAME: [&str; 6] = [
    "NOTIFY_SOCKET",
    "INVOCATION_ID",
    "JOURNAL_STREAM",
    "SYSTEMD_EXEC_PID",
    "MAINPID",
    "CREDENTIALS_DIRECTORY",
];

/// The environment of claude and of everything it starts, without the run's marker and its outbox.
///
/// `service` is telecoder's own environment, settings files included.
pub fn for_claude(service: &BTreeMap<OsString, OsString>) -> BTreeMap<OsString, OsString> {
    let mut environment: BTreeMap<OsString, OsString> = service
        .iter()
        .filter(|(name, _)| !is_ours(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    // With this, claude says when it has nothing left to do (seen on 2.1.197).
    environment.insert("CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS".into(), "1".into());
    // claude keeps its list of tasks with tools that are off by default (2.1.236 on).
    environment.insert("CLAUDE_CODE_ENABLE_TODO_TOOLS".into(), "1".into());
    environment
}

/// Whether a variable is none for claude.
pub fn is_ours(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    OURS_BY_PREFIX.iter().any(|prefix| name.starts_with(prefix))
        || OURS_BY_NAME.contains(&name.as_ref())
        || OF_AN_OUTER_CLAUDE.contains(&name.as_ref())
}
