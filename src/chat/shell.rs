//! Sentences about what somebody does in a shell on the bot's machine.

use std::time::Duration;

use super::changed::{file_list, summary};
use super::text::duration;
use crate::domain::changes::Files;
use crate::domain::id::{ClaudeSessionId, SessionId};
use crate::domain::outgoing::{Body, Outgoing};
use crate::domain::session::{Session, Source};
use crate::domain::workspace::BackIn;
use crate::redact::short::one_line;

const PROMPT_SHOWN: usize = 400;
const PROMPTS_SHOWN: usize = 5;
const LISTED_PROMPT: usize = 120;

/// A session was made for this chat.
pub fn made(session: &Session) -> Outgoing {
    let on = match &session.source {
        Source::Empty => String::new(),
        source => match source.short_name() {
            Some(name) => format!(" on {name}"),
            None => String::new(),
        },
    };
    Outgoing::note(format!(
        "A session{on} was made for this chat in the shell: {}. What you write next goes there.",
        session.id
    ))
}

/// Somebody asked in the shell; the answer comes here.
pub fn asked(session: &SessionId, prompt: &str) -> Outgoing {
    Outgoing::note(format!(
        "From the shell, in session {session}: “{}”",
        one_line(prompt, PROMPT_SHOWN)
    ))
}

/// Somebody opened the session in a terminal.
pub fn attached(session: &SessionId) -> Outgoing {
    Outgoing::note(format!(
        "Session {session} is open in a terminal now. What you write to it here waits until it is handed back."
    ))
}

/// A session of this chat was deleted; `back` is the chat's new place if it was the current session.
pub fn deleted(session: &SessionId, back: Option<BackIn>) -> Outgoing {
    let text = format!("Session {session} was deleted in the shell, with its workspace.");
    Outgoing::note(match back {
        Some(BackIn::Previous) => {
            format!(
                "{text} What you write next goes to the session before it; /sessions lists them."
            )
        }
        Some(BackIn::None) => format!("{text} What you write next starts a new one."),
        Some(BackIn::Newer) | None => text,
    })
}

/// What happened while a session was open in a terminal.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AtTerminal {
    pub elapsed: Duration,
    /// The prompts entered there, in order.
    pub prompts: Vec<String>,
    /// The conversation used last; `None` if nothing was asked.
    pub conversation: Option<ClaudeSessionId>,
    /// The files that git sees changed since then; `None` if that is unknown.
    pub files: Option<Files>,
    /// The terminal never handed back: it was killed, or the machine died.
    pub was_cut_off: bool,
}

/// A terminal handed a session back.
pub fn handed_back(
    session: &SessionId,
    what: &AtTerminal,
    is_current: bool,
    waiting: usize,
) -> Outgoing {
    let mut text = if what.was_cut_off {
        format!("The terminal with session {session} was closed without handing it back.")
    } else {
        format!(
            "Session {session} was handed back by the terminal after {}.",
            duration(what.elapsed)
        )
    };
    match what.prompts.len() {
        0 if what.was_cut_off => {}
        0 => text.push_str(" Claude was asked nothing there."),
        1 => text.push_str(" Claude was asked one thing there."),
        many => text.push_str(&format!(" Claude was asked {many} things there.")),
    }
    for prompt in what.prompts.iter().take(PROMPTS_SHOWN) {
        text.push_str(&format!("\n• {}", one_line(prompt, LISTED_PROMPT)));
    }
    if what.prompts.len() > PROMPTS_SHOWN {
        text.push_str("\n• …");
    }
    match &what.files {
        Some(files) if files.is_empty() => text.push_str("\nGit sees no changed file since then."),
        Some(files) => text.push_str(&format!("\nSince then {}.", summary(files))),
        None => {}
    }
    text.push_str(match (waiting, is_current) {
        (0, true) => "\nWhat you write next continues that conversation.",
        (0, false) => "",
        (1, _) => "\nThe waiting prompt runs now.",
        (_, _) => "\nThe waiting prompts run now.",
    });
    let folded = what.files.as_ref().and_then(file_list);
    let body = match folded {
        Some(folded) => Body::Evidence {
            text,
            folded: vec![folded],
        },
        None => Body::Note { text, quoted: None },
    };
    Outgoing::of(body).loud()
}
