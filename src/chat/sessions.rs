//! The replies to `/sessions` and `/resume`.

use super::text::cost;
use crate::domain::button::Press;
use crate::domain::id::{ChatId, SessionId};
use crate::domain::outgoing::Outgoing;
use crate::domain::session::{Session, SessionState, Source};
use crate::domain::shown::without_password;
use crate::redact::short::one_line;

/// How much of a prompt is shown, in characters.
const PROMPT_SHOWN: usize = 60;
const BUTTON_SHOWN: usize = 40;

/// A session as the list shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    pub session: Session,
    pub is_current: bool,
    pub runs: u64,
    pub cost_usd: f64,
    pub last_prompt: Option<String>,
}

/// `/sessions`; `more` counts older sessions, which are unlisted.
pub fn sessions(listed: &[Listed], more: usize) -> Outgoing {
    if listed.is_empty() {
        return Outgoing::note("There are no sessions here yet: your first message starts one.");
    }
    let mut lines = vec!["Sessions, the newest first:".to_owned()];
    lines.extend(listed.iter().map(line));
    if more > 0 {
        lines.push(format!(
            "… and {more} older. /resume NAME switches to any of them."
        ));
    }
    let others = listed
        .iter()
        .filter(|listed| !listed.is_current && listed.session.state == SessionState::Ready);
    others.fold(Outgoing::note(lines.join("\n")), |message, listed| {
        let label = format!("{} · {}", listed.session.id, what(&listed.session));
        let press = Press::Switch(listed.session.id.clone());
        message.with_button(one_line(&label, BUTTON_SHOWN), press)
    })
}

fn line(listed: &Listed) -> String {
    let session = &listed.session;
    let mut line = format!("• {}, {}", session.id, what(session));
    if let Some(branch) = &session.branch {
        line.push_str(&format!(", {branch}"));
    }
    match listed.runs {
        0 => {}
        1 => line.push_str(&format!(", 1 run, {}", cost(listed.cost_usd))),
        many => line.push_str(&format!(", {many} runs, {}", cost(listed.cost_usd))),
    }
    if listed.is_current {
        line.push_str(", current");
    }
    if session.at.chat == ChatId::SHELL {
        line.push_str(", made in a shell");
    }
    if let Some(prompt) = &listed.last_prompt {
        line.push_str(&format!(": “{}”", one_line(prompt, PROMPT_SHOWN)));
    }
    line
}

fn what(session: &Session) -> String {
    match &session.source {
        Source::Empty => "empty workspace".to_owned(),
        Source::Clone(url) => {
            let url = without_password(url);
            let name = url.trim_end_matches('/').rsplit(['/', ':']).next();
            name.unwrap_or(&url).trim_end_matches(".git").to_owned()
        }
        Source::Worktree(path) => path.file_name().map_or_else(
            || path.display().to_string(),
            |name| name.to_string_lossy().into_owned(),
        ),
    }
}

/// The activity in a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GoingOn {
    Nothing,
    Run,
    /// The session is open in a terminal.
    Terminal,
}

/// The chat has switched to this session.
pub fn switched(session: &Session, going_on: GoingOn) -> Outgoing {
    let mut text = format!(
        "This chat is now in session {}: {}",
        session.id,
        what(session)
    );
    if let Some(branch) = &session.branch {
        text.push_str(&format!(", branch {branch}"));
    }
    text.push_str(match going_on {
        GoingOn::Run => ". The run there shows here from now on.",
        GoingOn::Terminal => {
            ". It is open in a terminal; what you write next waits until it is handed back."
        }
        GoingOn::Nothing => ". What you write next goes to its conversation.",
    });
    Outgoing::note(text)
}

/// `/resume` with the name of the current session.
pub fn is_current(session: &SessionId) -> Outgoing {
    Outgoing::note(format!("This chat is in session {session} already."))
}

/// `/resume` with an unknown name.
pub fn unknown(name: &str) -> Outgoing {
    Outgoing::note(format!(
        "There is no session {} for this chat, and nothing was changed. /sessions lists them.",
        one_line(name, PROMPT_SHOWN)
    ))
}

/// The session has no workspace.
pub fn not_ready(session: &SessionId) -> Outgoing {
    Outgoing::note(format!(
        "Session {session} has no workspace to work in, and nothing was changed. /new starts a fresh one."
    ))
}

/// Something is running in this chat.
pub fn busy() -> Outgoing {
    Outgoing::note(
        "Something is running here, and one chat follows one run at a time; nothing was changed. Wait for it or /stop \
         it, then switch to the other session.",
    )
}
