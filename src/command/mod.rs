//! Is it for telecoder or for claude? A text becomes a command or a prompt.
//!
//! Only the commands listed here are telecoder's. Everything else, unknown `/commands` included, goes to
//! claude to the byte. Pure: what a command does is `inbox`'s.

mod checks;

use crate::domain::choices::{Wanted, model_named};
pub use checks::ChecksChange;

use crate::domain::choices::QuietHours;
use crate::domain::choices::Verbosity;
use crate::domain::choices::{Effort, PermissionMode};
use crate::domain::routine::Form;
use crate::domain::verb::Verb;

/// A command with its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    Start,
    Help,
    New(NewSession),
    Status,
    /// How many lines; the person may leave it out.
    Logs(Option<usize>),
    Raw,
    /// A path in the workspace, as it was written.
    Get(String),
    Stop,
    Do(WantedJob),
    Checks(ChecksChange),
    /// Whether prompts wait for the end of the current run; `None`: show it.
    Queue(Option<bool>),
    /// `None`: show it.
    Autofix(Option<bool>),
    Change(Setting),
    Choose(Choose),
    Sessions,
    /// The session with this name.
    Resume(String),
    /// A prompt for later; what stands behind the command is still to be read.
    Routine(Form, String),
    Routines,
    /// What stands behind `/hook add`; `None`: say how.
    Hook(Option<String>),
    /// A way to the page.
    Web,
    /// All browsers of this person are logged out.
    WebOff,
    Whoami,
    Invite,
    /// The page of the list.
    People(usize),
}

/// Work in the workspace that a person asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WantedJob {
    Diff,
    Undo,
    Push,
    Verify,
}

/// A setting of the chat and its new value; without one, show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setting {
    Verbose(Option<Verbosity>),
    Quiet(Wanted<QuietHours>),
    /// Seconds that a run must take; 0 is always.
    Ring(Option<u32>),
}

/// A choice of what claude is started with in the chat; its default is what the settings say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choose {
    Mode(Wanted<PermissionMode>),
    Model(Wanted<String>),
    Effort(Wanted<Effort>),
}

/// What `/new` asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSession {
    pub source: WantedSource,
    pub branch: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WantedSource {
    /// `/new`: the chat's current source again.
    Same,
    /// `/new -`
    Empty,
    /// A URL, a path, or the short name of a repository seen before; `inbox::new` says which.
    Repository(String),
}

/// What a text turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    Command(Command),
    /// Goes to claude as it stands.
    Prompt(String),
    /// A command of ours with arguments that make no sense.
    Misused(Verb),
    /// `/command@somebody_else`
    ForAnotherBot {
        /// The name is one that only bots can have.
        is_certain: bool,
    },
}

/// Reads a text that is addressed to the bot whose username is `bot`.
///
/// - `/status`, `/status@bot`: ours.
/// - `//status`: the prompt `/status`. Only before one of our own words; `//x` stays as it is.
/// - `/compact`, `/compact@bot`: claude's, as `/compact`.
/// - anything else: the prompt, to the byte.
pub fn read(text: &str, bot: &str) -> Input {
    let Some(after_slash) = text.strip_prefix('/') else {
        return Input::Prompt(text.to_owned());
    };
    if let Some(escaped) = after_slash.strip_prefix('/') {
        let (word, _) = split_word(escaped);
        if Verb::named(word).is_some() {
            return Input::Prompt(after_slash.to_owned());
        }
        return Input::Prompt(text.to_owned());
    }

    let (word, rest) = split_word(after_slash);
    let (rest, addressed) = match address_in(rest) {
        Some((name, rest)) if name.eq_ignore_ascii_case(bot) => (rest, true),
        // Names that were bought need not end in "bot".
        Some((name, rest)) if !word.is_empty() && ends_a_word(rest) => {
            return Input::ForAnotherBot {
                is_certain: name.to_ascii_lowercase().ends_with("bot"),
            };
        }
        _ => (rest, false),
    };

    match Verb::named(word) {
        Some(verb) if ends_a_word(rest) => command(verb, rest),
        _ if addressed => Input::Prompt(format!("/{word}{rest}")),
        _ => Input::Prompt(text.to_owned()),
    }
}

/// The name behind a command's `@`, and what follows it.
fn address_in(rest: &str) -> Option<(&str, &str)> {
    let address = rest.strip_prefix('@')?;
    let end = address
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .unwrap_or(address.len());
    (end > 0).then(|| address.split_at(end))
}

/// A command that takes no words, and is followed by some.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WordsBehind {
    pub verb: Verb,
    /// Nobody writes a command like that.
    pub several_lines: bool,
}

/// The words behind a command of ours that takes none. The text is addressed to the bot whose username is `bot`.
pub fn words_behind(text: &str, bot: &str) -> Option<WordsBehind> {
    let (word, rest) = split_word(text.strip_prefix('/')?);
    let rest = match address_in(rest) {
        Some((name, rest)) if name.eq_ignore_ascii_case(bot) => rest,
        _ => rest,
    };
    let verb = Verb::named(word).filter(|_| ends_a_word(rest))?;
    let taken = match verb {
        // A link brings one.
        Verb::Start => 1,
        Verb::Help
        | Verb::Status
        | Verb::Stop
        | Verb::Diff
        | Verb::Undo
        | Verb::Verify
        | Verb::Raw
        | Verb::Sessions
        | Verb::Routines
        | Verb::Whoami
        | Verb::Invite => 0,
        _ => return None,
    };
    (rest.split_whitespace().count() > taken).then(|| WordsBehind {
        verb,
        several_lines: text.trim().lines().count() > 1,
    })
}

/// Whether a text has the form of a command, ours or not: in a group that is enough to be addressed.
pub fn looks_like_one(text: &str) -> bool {
    text.strip_prefix('/').is_some_and(|after_slash| {
        let (word, rest) = split_word(after_slash);
        !word.is_empty() && (ends_a_word(rest) || rest.starts_with('@'))
    })
}

/// The longest start that can be a command's word, and what follows. Bot API: `[a-z0-9_]{1,32}`.
fn split_word(text: &str) -> (&str, &str) {
    let end = text
        .find(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'))
        .unwrap_or(text.len());
    text.split_at(end)
}

fn ends_a_word(rest: &str) -> bool {
    rest.chars().next().is_none_or(char::is_whitespace)
}

/// What stands behind a command and the blank that ends it, to the byte.
fn behind(rest: &str) -> String {
    let mut letters = rest.chars();
    letters.next();
    letters.as_str().to_owned()
}

fn command(verb: Verb, rest: &str) -> Input {
    let words: Vec<&str> = rest.split_whitespace().collect();
    let command = match (verb, words.as_slice()) {
        // `/start` may carry a payload from a link; whatever follows, hello is hello.
        // The page's link in a group leads to the private chat so.
        (Verb::Start, ["web"]) | (Verb::Web, []) => Command::Web,
        (Verb::Web, ["off"]) => Command::WebOff,
        (Verb::Start, _) => Command::Start,
        (Verb::Help, _) => Command::Help,
        // Nobody who writes `/stop now` wants to be told how to spell it; `words_behind` says that they went nowhere.
        (Verb::Status, _) => Command::Status,
        (Verb::Stop, _) => Command::Stop,
        (Verb::Diff, _) => Command::Do(WantedJob::Diff),
        (Verb::Undo, _) => Command::Do(WantedJob::Undo),
        (Verb::Push, []) => Command::Do(WantedJob::Push),
        (Verb::Verify, _) => Command::Do(WantedJob::Verify),
        (Verb::Checks, _) => match checks::read(rest) {
            Some(change) => Command::Checks(change),
            None => return Input::Misused(verb),
        },
        (Verb::Raw, _) => Command::Raw,
        (Verb::Get, []) => return Input::Misused(verb),
        // Blanks within belong to the path.
        (Verb::Get, _) => Command::Get(rest.trim().to_owned()),
        (Verb::Queue, []) => Command::Queue(None),
        (Verb::Queue, ["on"]) => Command::Queue(Some(true)),
        (Verb::Queue, ["off"]) => Command::Queue(Some(false)),
        (Verb::Autofix, []) => Command::Autofix(None),
        (Verb::Autofix, ["on"]) => Command::Autofix(Some(true)),
        (Verb::Autofix, ["off"]) => Command::Autofix(Some(false)),
        (Verb::Sessions, _) | (Verb::Resume, []) => Command::Sessions,
        (Verb::Resume, [session]) => Command::Resume((*session).to_owned()),
        (Verb::At, _) => Command::Routine(Form::At, behind(rest)),
        (Verb::In, _) => Command::Routine(Form::In, behind(rest)),
        (Verb::Every, _) => Command::Routine(Form::Every, behind(rest)),
        (Verb::Routines, _) => Command::Routines,
        (Verb::Hook, []) => Command::Hook(None),
        (Verb::Hook, ["add", ..]) => {
            let (_, wanted) = rest.split_once("add").unwrap_or_default();
            Command::Hook(Some(wanted.to_owned()))
        }
        (Verb::Whoami, _) => Command::Whoami,
        (Verb::Invite, _) => Command::Invite,
        (Verb::People, []) => Command::People(1),
        (Verb::People, [page]) => match page.parse() {
            Ok(page) if page > 0 => Command::People(page),
            _ => return Input::Misused(verb),
        },
        (Verb::Logs, []) => Command::Logs(None),
        (Verb::Logs, [count]) => match count.parse() {
            Ok(count) if count > 0 => Command::Logs(Some(count)),
            _ => return Input::Misused(verb),
        },
        (Verb::Verbose, []) => Command::Change(Setting::Verbose(None)),
        (Verb::Verbose, [number]) => match number.parse().ok().and_then(Verbosity::numbered) {
            Some(verbosity) => Command::Change(Setting::Verbose(Some(verbosity))),
            None => return Input::Misused(verb),
        },
        (Verb::Quiet, []) => Command::Change(Setting::Quiet(Wanted::Show)),
        (Verb::Quiet, [word]) => match Wanted::read(word, QuietHours::parse) {
            Some(wanted) => Command::Change(Setting::Quiet(wanted)),
            None => return Input::Misused(verb),
        },
        (Verb::Ring, []) => Command::Change(Setting::Ring(None)),
        (Verb::Ring, ["always"]) => Command::Change(Setting::Ring(Some(0))),
        (Verb::Ring, [minutes]) => match minutes.parse::<u32>() {
            Ok(minutes) if minutes <= 1440 => Command::Change(Setting::Ring(Some(minutes * 60))),
            _ => return Input::Misused(verb),
        },
        (Verb::Mode, []) => Command::Choose(Choose::Mode(Wanted::Show)),
        (Verb::Mode, [word]) => match Wanted::read(word, PermissionMode::named) {
            Some(wanted) => Command::Choose(Choose::Mode(wanted)),
            None => return Input::Misused(verb),
        },
        (Verb::Model, []) => Command::Choose(Choose::Model(Wanted::Show)),
        (Verb::Model, [word]) => match Wanted::read(word, model_named) {
            Some(wanted) => Command::Choose(Choose::Model(wanted)),
            None => return Input::Misused(verb),
        },
        (Verb::Effort, []) => Command::Choose(Choose::Effort(Wanted::Show)),
        (Verb::Effort, [word]) => match Wanted::read(word, Effort::named) {
            Some(wanted) => Command::Choose(Choose::Effort(wanted)),
            None => return Input::Misused(verb),
        },
        (Verb::New, []) => new_session(WantedSource::Same, None),
        (Verb::New, ["-"]) => new_session(WantedSource::Empty, None),
        (Verb::New, ["--repo", name]) => {
            new_session(WantedSource::Repository((*name).to_owned()), None)
        }
        (Verb::New, ["--repo", name, branch]) => new_session(
            WantedSource::Repository((*name).to_owned()),
            Some((*branch).to_owned()),
        ),
        (Verb::New, ["-", branch]) => new_session(WantedSource::Empty, Some((*branch).to_owned())),
        (Verb::New, [source]) => new_session(WantedSource::Repository((*source).to_owned()), None),
        (Verb::New, [source, branch]) => new_session(
            WantedSource::Repository((*source).to_owned()),
            Some((*branch).to_owned()),
        ),
        _ => return Input::Misused(verb),
    };
    Input::Command(command)
}

fn new_session(source: WantedSource, branch: Option<String>) -> Command {
    Command::New(NewSession { source, branch })
}
