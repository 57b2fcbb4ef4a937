//! Buttons below the bot's messages, and what a press on each asks for.
//!
//! Bot API: `InlineKeyboardButton`; `callback_data` is at most 64 bytes. A press may come from a message of any
//! age, so what it asks for is looked up again when it comes.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::choices::{Effort, PermissionMode};
use crate::domain::id::{JobId, PromptId, QuestionId, RunId, SessionId, ThreadId, UserId};
use crate::domain::question::Pick;

/// Back to what the settings say.
const OFF: &str = "off";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Button {
    pub label: String,
    pub press: Press,
}

/// What a press asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Press {
    /// End this run.
    Stop(RunId),
    /// End this job.
    StopJob(JobId),
    /// Give up making the workspace of this session.
    StopSetup(SessionId),
    /// Send what failed in this job's checks back to claude.
    Fix(JobId),
    /// Run the checks of this session that were found from now on.
    UseChecks(SessionId),
    /// Take the workspace back to what it was before this run.
    Undo(RunId),
    /// Take the undo of this run back.
    Redo(RunId),
    /// Go on where this lost run was cut off.
    Resume(RunId),
    /// Run the prompts of this lost run once more: claude had not begun with them.
    Repeat(RunId),
    /// Run the prompts that were held back because they are old, in the chat or in this topic of it.
    RunLate(Option<ThreadId>),
    /// Do not run what waits as this run.
    Cancel(RunId),
    /// Tell claude that this prompt was changed, and to what.
    Correct(PromptId),
    /// Run this prompt again, as it was changed; first end what it runs in.
    RunEdited(PromptId),
    /// Run the prompt of this run, which was not begun because a file of it could not be had, without that file.
    AskWithout(RunId),
    /// Send what could not be delivered in this chat.
    SendParked,
    /// From now on the chat talks to this session.
    Switch(SessionId),
    /// This person may not use the bot any more.
    RemovePerson(UserId),
    /// Send what this job has asked about, because its name says that it is a secret.
    SendSecrets(JobId),
    /// Answer this question so.
    Answer(QuestionId, Pick),
    /// What claude is started with in this chat from now on; `None`: what the settings say.
    SetMode(Option<PermissionMode>),
    SetModel(Option<String>),
    SetEffort(Option<Effort>),
    /// Nothing shall hold the chat, or this topic of it, up any more.
    TryNow(Option<ThreadId>),
    /// Begin to log claude in.
    LogIn,
    /// Links that were given away let nobody in any more.
    CancelLinks,
}

impl Press {
    /// Bot API: `callback_data`.
    pub fn data(&self) -> String {
        match self {
            Press::Stop(run) => format!("stop:{run}"),
            Press::StopJob(job) => format!("stop-job:{job}"),
            Press::StopSetup(session) => format!("stop-setup:{session}"),
            Press::Fix(job) => format!("fix:{job}"),
            Press::UseChecks(session) => format!("use-checks:{session}"),
            Press::Undo(run) => format!("undo:{run}"),
            Press::Redo(run) => format!("redo:{run}"),
            Press::Resume(run) => format!("resume:{run}"),
            Press::Repeat(run) => format!("repeat:{run}"),
            Press::RunLate(thread) => format!("run-held:{}", thread.map_or(0, |thread| thread.0)),
            Press::Cancel(run) => format!("cancel:{run}"),
            Press::Correct(prompt) => format!("correct:{}", prompt.0),
            Press::RunEdited(prompt) => format!("run-edited:{}", prompt.0),
            Press::AskWithout(run) => format!("ask-without:{run}"),
            Press::TryNow(thread) => format!("try-now:{}", thread.map_or(0, |thread| thread.0)),
            Press::LogIn => "log-in".to_owned(),
            Press::SendParked => "send-parked".to_owned(),
            Press::Switch(session) => format!("switch:{session}"),
            Press::SendSecrets(job) => format!("send-secrets:{job}"),
            Press::Answer(question, pick) => format!("ask:{}:{}", question.as_str(), pick.name()),
            Press::SetMode(mode) => format!("mode:{}", mode.map_or(OFF, PermissionMode::name)),
            Press::SetModel(model) => format!("model:{}", model.as_deref().unwrap_or(OFF)),
            Press::SetEffort(effort) => format!("effort:{}", effort.map_or(OFF, Effort::name)),
            Press::CancelLinks => "cancel-links".to_owned(),
            Press::RemovePerson(user) => format!("remove-person:{}", user.0),
        }
    }

    /// `None` for a button of another version, or for data that no button of ours has.
    pub fn parse(data: &str) -> Option<Press> {
        let (verb, of) = data.split_once(':').unwrap_or((data, ""));
        let run = || Uuid::parse_str(of).ok().map(RunId);
        let job = || Uuid::parse_str(of).ok().map(JobId);
        let prompt = || Uuid::parse_str(of).ok().map(PromptId);
        let session = || (!of.is_empty()).then(|| SessionId(of.to_owned()));
        let thread = || {
            of.parse()
                .ok()
                .map(|thread| (thread != 0).then_some(ThreadId(thread)))
        };
        match verb {
            "stop" => run().map(Press::Stop),
            "stop-job" => job().map(Press::StopJob),
            "stop-setup" => session().map(Press::StopSetup),
            "fix" => job().map(Press::Fix),
            "use-checks" => session().map(Press::UseChecks),
            "undo" => run().map(Press::Undo),
            "redo" => run().map(Press::Redo),
            "resume" => run().map(Press::Resume),
            "repeat" => run().map(Press::Repeat),
            "run-held" => thread().map(Press::RunLate),
            "cancel" => run().map(Press::Cancel),
            "correct" => prompt().map(Press::Correct),
            "run-edited" => prompt().map(Press::RunEdited),
            "ask-without" => run().map(Press::AskWithout),
            "try-now" => thread().map(Press::TryNow),
            "log-in" => Some(Press::LogIn),
            "send-parked" => Some(Press::SendParked),
            "switch" => session().map(Press::Switch),
            "send-secrets" => job().map(Press::SendSecrets),
            "ask" => {
                let (question, pick) = of.split_once(':')?;
                Some(Press::Answer(
                    QuestionId::parse(question)?,
                    Pick::named(pick)?,
                ))
            }
            "mode" if of == OFF => Some(Press::SetMode(None)),
            "mode" => PermissionMode::named(of).map(|mode| Press::SetMode(Some(mode))),
            "model" if of == OFF => Some(Press::SetModel(None)),
            "model" if !of.is_empty() => Some(Press::SetModel(Some(of.to_owned()))),
            "effort" if of == OFF => Some(Press::SetEffort(None)),
            "effort" => Effort::named(of).map(|effort| Press::SetEffort(Some(effort))),
            "cancel-links" => Some(Press::CancelLinks),
            "remove-person" => of.parse().ok().map(UserId).map(Press::RemovePerson),
            _ => None,
        }
    }
}

impl From<Press> for String {
    fn from(press: Press) -> String {
        press.data()
    }
}

impl TryFrom<String> for Press {
    type Error = String;

    fn try_from(data: String) -> Result<Press, String> {
        Press::parse(&data).ok_or_else(|| format!("no button has the data {data}"))
    }
}
