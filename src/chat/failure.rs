//! Why a run failed, in plain words: what happened, what was kept, what to do now.

use crate::domain::event::{ApiProblem, Cut, TurnEnd};
use crate::domain::progress::Progress;

use super::text::{cost_clause, duration};
use crate::domain::outgoing::Outgoing;
use crate::redact::short::beginning;
use std::time::Duration;

/// How much of an error is quoted, in characters. Its beginning says what happened.
const WORDS_SHOWN: usize = 1_500;

/// What went wrong with a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    NotLoggedIn,
    /// claude does not know the conversation that `--resume` named.
    UnknownConversation,
    /// The API refused or was unreachable; claude's own words.
    Api(ApiProblem, String),
    /// A turn failed for another reason; claude's own words.
    Turn(String),
    /// The turn was cut; claude's own words.
    Cut(Cut, String),
    ProgramMissing {
        program: String,
        /// The PATH on which it was looked for.
        path: String,
    },
    WorkspaceMissing(String),
    /// The system could not start claude; its own words.
    NotStarted(String),
    /// claude ended without a result.
    NoAnswer {
        how: String,
        stderr: String,
    },
}

impl Failure {
    /// Why a turn failed.
    pub fn of_turn(turn: &TurnEnd, problem: Option<&ApiProblem>) -> Failure {
        let words = if turn.text.trim().is_empty() {
            turn.errors.join("\n")
        } else {
            turn.text.clone()
        };
        if words.contains("No conversation found with session ID") {
            return Failure::UnknownConversation;
        }
        if let Some(cut) = turn.cut {
            return Failure::Cut(cut, words);
        }
        match problem {
            // Nothing was sent to the API. If the API refuses the login, the words are others.
            Some(ApiProblem::NotLoggedIn) if words.contains("Not logged in") => {
                Failure::NotLoggedIn
            }
            // After its last try, claude reports an overload as a server error; only its words name it.
            Some(ApiProblem::ServerError) if words.to_lowercase().contains("overloaded") => {
                Failure::Api(ApiProblem::Overloaded, words)
            }
            Some(problem) => Failure::Api(problem.clone(), words),
            None => Failure::Turn(if words.trim().is_empty() {
                turn.subtype.replace('_', " ")
            } else {
                words
            }),
        }
    }

    /// One sentence for the store and the log.
    pub fn reason(&self) -> String {
        match self {
            Failure::NotLoggedIn => "claude is not logged in".to_owned(),
            Failure::UnknownConversation => {
                "claude does not have the conversation any more".to_owned()
            }
            Failure::Api(_, words)
            | Failure::Cut(_, words)
            | Failure::Turn(words)
            | Failure::NotStarted(words) => words.clone(),
            Failure::ProgramMissing { program, .. } => format!("there is no program {program}"),
            Failure::WorkspaceMissing(path) => format!("the workspace {path} is gone"),
            Failure::NoAnswer { how, .. } => format!("claude ended without an answer: {how}"),
        }
    }

    /// The message for the chat.
    pub fn message(&self, elapsed: Duration, progress: &Progress) -> Outgoing {
        let spent = format!(
            "Failed after {}{}.",
            duration(elapsed),
            cost_clause(progress.cost_usd())
        );
        match self {
            Failure::NotLoggedIn => Outgoing::note(
                "Claude is not logged in on this machine, so it could not work. Run claude there once and \
                 log in, or give telecoder an ANTHROPIC_API_KEY; then send the prompt again.",
            ),
            Failure::UnknownConversation => Outgoing::note(
                "Claude does not have this conversation any more. The prompt runs now in a new one; the workspace is \
                 unchanged.",
            ),
            Failure::Api(problem, words) => Outgoing::note(format!(
                "{} {spent} The work so far is kept; {}",
                match problem {
                    ApiProblem::RateLimited => "A usage limit of the API is reached.",
                    ApiProblem::Overloaded => "The API is overloaded.",
                    ApiProblem::ServerError => "The API had an internal error.",
                    ApiProblem::UnknownModel => "The API does not know the model.",
                    ApiProblem::NotLoggedIn => "The API does not accept claude's login.",
                    ApiProblem::Refused => "The API refused the request.",
                    ApiProblem::Other(_) => "The API did not answer as it should.",
                },
                match problem {
                    ApiProblem::UnknownModel => {
                        "set TELECODER_MODEL to one that your account has, and send the prompt again."
                    }
                    ApiProblem::NotLoggedIn => {
                        "run claude once on this machine and log in again, or correct the ANTHROPIC_API_KEY, \
                         and send the prompt again."
                    }
                    ApiProblem::Refused => "write to continue.",
                    _ => "send the prompt again later.",
                }
            ))
            .quoting(beginning(words, WORDS_SHOWN)),
            Failure::Cut(cut, words) => Outgoing::note(cut_off(*cut, &spent, progress.has_worked))
                .quoting(beginning(words, WORDS_SHOWN)),
            Failure::Turn(words) => Outgoing::note(format!(
                "Claude could not finish. {spent} The work so far is kept; write to continue."
            ))
            .quoting(beginning(words, WORDS_SHOWN)),
            Failure::ProgramMissing { program, .. } if program.contains('/') => {
                Outgoing::note(format!(
                    "{}, so the prompt was not run. Install Claude Code \
                     (docs/runtime-setup.md), or set TELECODER_RUNTIME to its path; then send the prompt again.",
                    no_program(program)
                ))
            }
            Failure::ProgramMissing { program, path } => Outgoing::note(format!(
                "{}, so the prompt was not run. telecoder doctor says whether your login \
                 shell's folders are among them. Install Claude Code (docs/runtime-setup.md), or set TELECODER_RUNTIME \
                 to its full path; then send the prompt again. Looked through:",
                no_program(program)
            ))
            .quoting(path.as_str()),
            Failure::WorkspaceMissing(path) => Outgoing::note(format!(
                "The workspace {path} is gone, so the prompt was not run. /new starts a fresh session."
            )),
            Failure::NotStarted(words) => Outgoing::note(
                "Claude could not be started, so the prompt was not run. Fix this, then send it again:",
            )
            .quoting(beginning(words, WORDS_SHOWN)),
            Failure::NoAnswer { how, stderr } => Outgoing::note(format!(
                "Claude ended without an answer: {how}. {spent} The work so far is kept; write to continue."
            ))
            .quoting(beginning(stderr, WORDS_SHOWN)),
        }
        .loud()
    }
}

/// A path names one place; a name is looked for on the PATH.
pub(super) fn no_program(program: &str) -> String {
    match program.contains('/') {
        true => format!("There is no program {program} on this machine"),
        false => {
            format!("There is no program {program} in the folders that telecoder looks through")
        }
    }
}

fn cut_off(cut: Cut, spent: &str, begun: bool) -> String {
    let (so, then) = match begun {
        true => ("so claude could not continue", "claude then continues"),
        false => ("so the prompt was not run", "the prompt then runs"),
    };
    match cut {
        Cut::ConversationTooLong => format!(
            "The conversation is too long for the model, {so}. {spent} The work so far is kept. Compact the \
             conversation, or begin a new one in this workspace that is told what was asked so far; {then}. /model NAME \
             chooses a model that takes more."
        ),
        Cut::RequestTooLarge => format!(
            "The pictures and files of this conversation are larger together than the API takes, {so}. {spent} The work \
             so far is kept. Compact the conversation, or begin a new one in this workspace; {then}."
        ),
        Cut::Picture => format!(
            "The API cannot read a picture of this conversation, and claude has taken it out. {spent} The work so far is \
             kept. Go on without it, or send it in another format."
        ),
        Cut::OutputTokens | Cut::Connection | Cut::MidWork | Cut::OwnLimit => {
            format!("{} {spent} The work so far is kept.", why_cut(cut))
        }
    }
}

/// One sentence for a turn that was cut in the middle of its work or of its answer.
pub fn why_cut(cut: Cut) -> &'static str {
    match cut {
        Cut::MidWork => {
            "Claude stopped in the middle of its work, without a word; a hook may have ended it."
        }
        Cut::OutputTokens => "The answer is longer than the API allows, and was cut off.",
        Cut::Connection => "The connection to the API was cut in the middle of the answer.",
        Cut::OwnLimit => "The number of turns or the money that was set for claude is used up.",
        Cut::ConversationTooLong => {
            "The conversation has become too long for the model. Compact it, or begin a new one in this workspace; claude \
             then continues. /model NAME chooses a model that takes more."
        }
        Cut::RequestTooLarge => {
            "The pictures and files of this conversation are larger together than the API takes. Compact it, or begin a new \
             one in this workspace; claude then continues."
        }
        Cut::Picture => {
            "The API cannot read a picture of this conversation, and claude has taken it out."
        }
    }
}

/// claude does not have the conversation, and the prompt does not run by itself.
pub fn conversation_gone() -> Outgoing {
    Outgoing::note(
        "Claude does not have this conversation any more, so the prompt was not run. The workspace is unchanged; the next \
         prompt begins a new conversation here.",
    )
    .loud()
}
