//! Sentences about a hold, whatever its cause, and about a login.

use std::time::Duration;

use jiff::Zoned;

use super::failure::{Failure, no_program};
use super::text::duration;
use crate::domain::button::Press;
use crate::domain::event::{LimitReport, Standing};
use crate::domain::hold::HoldCause;
use crate::domain::outgoing::{Outgoing, TimeForm, ToldTime};

/// A moment seen from now: `20:00`, `tomorrow 09:00`, `Sat 28 Nov, 09:00`.
fn clock(moment: &Zoned, now: &Zoned) -> ToldTime {
    let tomorrow = now.date().tomorrow().ok();
    let (format, form) = if moment.date() == now.date() {
        ("%H:%M", TimeForm::Clock)
    } else if Some(moment.date()) == tomorrow {
        ("tomorrow %H:%M", TimeForm::DayAndClock)
    } else {
        ("%a %-d %b, %H:%M", TimeForm::DateAndClock)
    };
    ToldTime {
        words: moment.strftime(format).to_string(),
        at: moment.timestamp().as_second(),
        form,
    }
}

fn left(moment: &Zoned, now: &Zoned) -> String {
    let left = moment.timestamp().duration_since(now.timestamp());
    duration(Duration::try_from(left).unwrap_or(Duration::ZERO))
}

/// A run has hit a usage limit. `is_known` if claude said when it ends; quotes claude's words.
pub fn limited(until: &Zoned, now: &Zoned, is_known: bool, words: &str) -> Outgoing {
    let (time, left) = (clock(until, now), left(until, now));
    let at = &time.words;
    let when = if is_known {
        format!(
            "A usage limit of claude's account is reached, until {at} (in {left}). Then I continue by myself"
        )
    } else {
        format!(
            "A usage limit is reached; its end is not known. I try again by myself in {left} ({at})"
        )
    };
    goes_on_by_itself(&when, words).telling(time)
}

/// The API does not work; quotes claude's words.
pub fn overloaded(until: &Zoned, now: &Zoned, words: &str) -> Outgoing {
    let time = clock(until, now);
    let when = format!(
        "The API is overloaded, fails or cannot be reached. I try again by myself in {} ({})",
        left(until, now),
        time.words
    );
    goes_on_by_itself(&when, words).telling(time)
}

/// The API refused claude's login, which claude still has; quotes claude's words. The next refusal rings.
pub fn login_refused_once(until: &Zoned, now: &Zoned, words: &str) -> Outgoing {
    let time = clock(until, now);
    let when = format!(
        "The API refused claude's login, though claude is logged in; that can pass by itself when several runs renew \
         the login at once. I try again by myself in {} ({})",
        left(until, now),
        time.words
    );
    goes_on_by_itself(&when, words)
        .telling(time)
        .ringing_if(false)
}

/// claude could not be started, for half a minute.
pub fn not_started(until: &Zoned, now: &Zoned, failure: &Failure) -> Outgoing {
    let (what, mend, words) = match failure {
        Failure::ProgramMissing { program, .. } if program.contains('/') => (
            no_program(program),
            "Install Claude Code (docs/runtime-setup.md), or set TELECODER_RUNTIME to its path.",
            String::new(),
        ),
        Failure::ProgramMissing { program, path } => (
            no_program(program),
            "telecoder doctor says whether your login shell's folders are among them. Install Claude Code \
             (docs/runtime-setup.md), or set TELECODER_RUNTIME to its full path. Looked through:",
            path.clone(),
        ),
        other => (
            "Claude could not be started".to_owned(),
            "The system's words:",
            other.reason(),
        ),
    };
    let time = clock(until, now);
    Outgoing::note(format!(
        "{what}, so the prompt has not run. It is kept, and so are those behind it. I try again by myself in {} ({}); \
         /stop drops them all. {mend}",
        left(until, now),
        time.words
    ))
    .telling(time)
    .quoting(words)
    .loud()
}

fn goes_on_by_itself(when: &str, words: &str) -> Outgoing {
    Outgoing::note(format!(
        "{when}: first this prompt, then those waiting behind it. The work so far is kept. /stop drops them \
         all. Claude's words:"
    ))
    .quoting(words)
    .loud()
}

/// The first prompt during a hold gets this reply.
pub fn waits(why: HoldCause, until: Option<&Zoned>, now: &Zoned) -> Outgoing {
    let then = match why {
        HoldCause::Limit => {
            let time = until.map(|until| clock(until, now));
            let at = time.as_ref().map(|time| format!(" ({})", time.words));
            let text = format!(
                "This is kept until the usage limit ends{}, then runs by itself. /stop drops it.",
                at.unwrap_or_default()
            );
            return Outgoing::note(text).telling(time);
        }
        HoldCause::Overload => {
            "This is kept until the API works again, then runs by itself. /stop drops it."
        }
        HoldCause::Start => {
            "This is kept until claude can be started, then runs by itself. /stop drops it."
        }
        HoldCause::Login => {
            "This is kept and runs by itself when claude is logged in again. /stop drops it."
        }
    };
    Outgoing::note(then)
}

/// `/stop` adds this if it ended a hold.
pub const NO_LONGER_HELD: &str = "The next prompt here is tried immediately.";

/// The `/status` line.
#[derive(Clone, Debug, PartialEq)]
pub struct StatusLine {
    pub text: String,
    pub time: Option<ToldTime>,
}

pub fn status_line(why: HoldCause, until: Option<&Zoned>, now: &Zoned) -> StatusLine {
    let (held, then) = match why {
        HoldCause::Limit => ("Held: by a usage limit", ", until "),
        HoldCause::Login => ("Held: claude is not logged in", ""),
        HoldCause::Overload => ("Held: the API does not work", "; tried again at "),
        HoldCause::Start => ("Held: claude cannot be started", "; tried again at "),
    };
    match until {
        Some(until) if !then.is_empty() => {
            let time = clock(until, now);
            StatusLine {
                text: format!("{held}{then}{} (in {})", time.words, left(until, now)),
                time: Some(time),
            }
        }
        _ => StatusLine {
            text: held.to_owned(),
            time: None,
        },
    }
}

/// ` · 90% of a usage limit is used`: a clause for a line about a run; empty if there is nothing to warn of.
pub fn warning_clause(report: Option<&LimitReport>) -> String {
    match report {
        Some(LimitReport {
            standing: Standing::Warning,
            used: Some(used),
            ..
        }) => format!(
            " · {:.0}% of a usage limit is used",
            (used * 100.0).clamp(0.0, 100.0)
        ),
        Some(LimitReport {
            standing: Standing::Warning,
            ..
        }) => " · a usage limit is near".to_owned(),
        _ => String::new(),
    }
}

/// A run could not work because claude is not logged in.
pub fn not_logged_in(is_owner_here: bool) -> Outgoing {
    let what_now = if is_owner_here {
        "The button begins the login from here; or run claude on that machine, log in there, and press \"Try now\"."
    } else {
        "The owner of the bot has been told, and can log it in."
    };
    Outgoing::note(format!(
        "Claude is not logged in on this machine, or its login is no longer accepted, so it could not work. The prompt \
         is kept, and runs by itself as soon as claude is logged in; so do those behind it. {what_now}"
    ))
    .loud()
}

/// For the owner, when another chat needs a login.
pub fn login_wanted_elsewhere() -> Outgoing {
    Outgoing::note(
        "Claude is not logged in on this machine, or its login is no longer accepted, and another chat waits for it. \
         Its prompts are kept, and run by themselves as soon as claude is logged in. The button begins the login from \
         here; or run claude on that machine and log in there.",
    )
    .loud()
}

/// The link of a login; asks for the code. The reply is typed into claude and kept nowhere.
pub fn login_link(link: &str) -> Outgoing {
    Outgoing::note(format!(
        "1. Open this link, log in, and allow it:\n\n{link}\n\n2. The page then shows a code. Copy it and send it as a \
         reply to this message, within ten minutes. I type it into claude, keep it nowhere, and delete your message."
    ))
    .asking_for_reply()
    .loud()
    .urgent()
}

/// claude did not take the code, and asks for it again.
pub fn code_again() -> Outgoing {
    Outgoing::note(
        "Claude says that this is not the whole code. Copy it once more from the page behind the link, and send it as \
         a reply to this message.",
    )
    .asking_for_reply()
    .loud()
    .urgent()
}

/// A login succeeded.
pub fn logged_in(chats: usize) -> Outgoing {
    Outgoing::note(match chats {
        0 => "Logged in. Send the prompt again.".to_owned(),
        1 => "Logged in. The waiting prompts run now.".to_owned(),
        many => format!("Logged in. The waiting prompts in {many} chats run now."),
    })
    .loud()
    .urgent()
}

/// Why a login failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoginFailure {
    /// In claude's own words, which may be empty.
    Refused(String),
    /// Nobody sent a code.
    TooLate,
    /// The bot restarted.
    CutOff,
    /// A code came when claude no longer waited for one.
    Over,
    /// In the system's words.
    NotStarted(String),
}

/// A login failed; the button begins a new one.
pub fn login_failed(failure: &LoginFailure) -> Outgoing {
    let (what, words) = match failure {
        LoginFailure::Refused(words) => ("The login did not work.", words.as_str()),
        LoginFailure::TooLate => (
            "No code came within ten minutes, so the login was given up.",
            "",
        ),
        LoginFailure::CutOff => ("I was restarted, and that ended the login.", ""),
        LoginFailure::Over => ("This login is over, so the code was not used.", ""),
        LoginFailure::NotStarted(words) => ("The login could not be started.", words.as_str()),
    };
    Outgoing::note(format!(
        "{what} Waiting prompts are kept. The button begins a new login, with a new link."
    ))
    .quoting(words)
    .with_button("Log in", Press::LogIn)
    .loud()
    .urgent()
}
