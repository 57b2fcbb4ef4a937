//! Buttons below the bot's messages, and the request behind each.
//!
//! Bot API: `InlineKeyboardButton`; `callback_data` is at most 64 bytes. A press may come from a message of any
//! age, so its subject is looked up again.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::choices::{Effort, OFF, PermissionMode, Wanted, model_named};
use crate::domain::id::{
    JobId, PromptId, QuestionId, RoutineId, RunId, SessionId, ThreadId, UserId,
};
use crate::domain::question::Pick;

/// How many bytes a button carries.
const DATA_MOST: usize = 64;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Button {
    pub label: String,
    pub press: Press,
    /// It only says what there was to choose from, and is grey.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_over: bool,
}

/// The color of a button. Bot API: `InlineKeyboardButton.style`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ButtonStyle {
    /// What most people press; the first such button of a message has the color.
    Primary,
    /// It takes something away, or allows much.
    Danger,
}

impl ButtonStyle {
    pub fn name(self) -> &'static str {
        match self {
            ButtonStyle::Primary => "primary",
            ButtonStyle::Danger => "danger",
        }
    }
}

/// The request behind a press.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Press {
    /// End this run.
    Stop(RunId),
    /// End this job.
    StopJob(JobId),
    /// Give up making the workspace of this session.
    StopSetup(SessionId),
    /// Send this job's failing checks back to claude.
    Fix(JobId),
    /// From now on run the checks found in this session's workspace.
    UseChecks(SessionId),
    /// Take the workspace back to what it was before this run.
    Undo(RunId),
    /// Take the undo of this run back.
    Redo(RunId),
    /// Push the repository in this folder of the session's workspace.
    PushIn(SessionId, String),
    /// Resume this lost run where it was cut off.
    Resume(RunId),
    /// Run the prompts of this lost run again: claude had not begun them.
    Repeat(RunId),
    /// Compact the conversation that is too long for this run's prompts, then run them.
    /// `begun`: claude had begun with them, and is told to go on instead.
    Compact {
        run: RunId,
        begun: bool,
    },
    /// Run this run's prompts in a new conversation in the same workspace.
    Afresh {
        run: RunId,
        begun: bool,
    },
    /// Run the late prompts of the chat, or of this topic.
    RunLate(Option<ThreadId>),
    /// Do not run this waiting prompt.
    Cancel(RunId),
    /// Tell claude that this prompt was edited, and how.
    Correct(PromptId),
    /// Run this prompt again as edited; first end the run that it is in.
    RunEdited(PromptId),
    /// Run the prompt of this run without its missing file, which kept the run from beginning.
    AskWithout(RunId),
    /// Send the parked messages of this chat.
    SendParked,
    /// Switch the chat to this session.
    Switch(SessionId),
    /// Remove this person's permission.
    RemovePerson(UserId),
    /// Send the files that this job asked about because their names suggest secrets.
    SendSecrets(JobId),
    /// Answer this question.
    Answer(QuestionId, Pick),
    /// Start claude in this chat with this mode from now on; `None` is the settings' value.
    SetMode(Option<PermissionMode>),
    SetModel(Option<String>),
    SetEffort(Option<Effort>),
    /// Lift the hold of the chat, or of this topic.
    TryNow(Option<ThreadId>),
    /// Begin a login of claude.
    LogIn,
    /// Cancel all open invitation links.
    CancelLinks,
    /// The routine begins at its moments from now on.
    KeepRoutine(RoutineId),
    /// The routine was only offered, and is not made.
    CancelRoutine(RoutineId),
    /// Forget the routine.
    DeleteRoutine(RoutineId),
    PauseRoutine(RoutineId),
    RunRoutine(RoutineId),
    /// Show the routine, with what can be done with it.
    ShowRoutine(RoutineId),
    /// Nothing comes back: the client opens this address. `in_telegram`: as a Mini App, in private chats only.
    Open {
        url: String,
        in_telegram: bool,
    },
}

impl Press {
    /// Whether it fits into a button.
    pub fn fits(&self) -> bool {
        self.data().len() <= DATA_MOST
    }

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
            Press::PushIn(session, folder) => format!("push:{session}:{folder}"),
            Press::Resume(run) => format!("resume:{run}"),
            Press::Repeat(run) => format!("repeat:{run}"),
            Press::Compact { run, begun: false } => format!("compact:{run}"),
            Press::Compact { run, begun: true } => format!("compact-begun:{run}"),
            Press::Afresh { run, begun: false } => format!("afresh:{run}"),
            Press::Afresh { run, begun: true } => format!("afresh-begun:{run}"),
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
            Press::KeepRoutine(routine) => format!("keep-routine:{routine}"),
            Press::CancelRoutine(routine) => format!("cancel-routine:{routine}"),
            Press::DeleteRoutine(routine) => format!("delete-routine:{routine}"),
            Press::PauseRoutine(routine) => format!("pause-routine:{routine}"),
            Press::RunRoutine(routine) => format!("run-routine:{routine}"),
            Press::ShowRoutine(routine) => format!("show-routine:{routine}"),
            Press::Open {
                url,
                in_telegram: false,
            } => format!("open:{url}"),
            Press::Open {
                url,
                in_telegram: true,
            } => format!("open-app:{url}"),
            Press::RemovePerson(user) => format!("remove-person:{}", user.0),
        }
    }

    /// `None`: as the client shows buttons.
    pub fn style(&self) -> Option<ButtonStyle> {
        match self {
            Press::Stop(_)
            | Press::StopJob(_)
            | Press::StopSetup(_)
            | Press::Undo(_)
            | Press::RemovePerson(_)
            | Press::CancelLinks
            | Press::DeleteRoutine(_)
            | Press::SendSecrets(_)
            | Press::SetMode(Some(PermissionMode::BypassPermissions))
            | Press::Answer(
                _,
                Pick::AllowForSession | Pick::Approve(PermissionMode::BypassPermissions),
            ) => Some(ButtonStyle::Danger),
            Press::Fix(_)
            | Press::UseChecks(_)
            | Press::Resume(_)
            | Press::Repeat(_)
            | Press::Compact { .. }
            | Press::RunLate(_)
            | Press::Correct(_)
            | Press::AskWithout(_)
            | Press::SendParked
            | Press::TryNow(_)
            | Press::LogIn
            | Press::KeepRoutine(_)
            | Press::Answer(_, Pick::Allow | Pick::Approve(_) | Pick::Done) => {
                Some(ButtonStyle::Primary)
            }
            Press::Open { .. }
            | Press::CancelRoutine(_)
            | Press::PauseRoutine(_)
            | Press::RunRoutine(_)
            | Press::ShowRoutine(_)
            | Press::Redo(_)
            | Press::PushIn(..)
            | Press::Afresh { .. }
            | Press::Cancel(_)
            | Press::RunEdited(_)
            | Press::Switch(_)
            | Press::SetMode(_)
            | Press::SetModel(_)
            | Press::SetEffort(_)
            | Press::Answer(
                _,
                Pick::Deny | Pick::DenyAndSay | Pick::Option(_) | Pick::KeepPlanning,
            ) => None,
        }
    }

    /// `None` for a button of another version, or for data of no button of the bot.
    pub fn parse(data: &str) -> Option<Press> {
        let (verb, of) = data.split_once(':').unwrap_or((data, ""));
        let run = || Uuid::parse_str(of).ok().map(RunId);
        let job = || Uuid::parse_str(of).ok().map(JobId);
        let prompt = || Uuid::parse_str(of).ok().map(PromptId);
        let session = || (!of.is_empty()).then(|| SessionId(of.to_owned()));
        let routine = || (!of.is_empty()).then(|| RoutineId(of.to_owned()));
        let thread = || {
            of.parse()
                .ok()
                .map(|thread| (thread != 0).then_some(ThreadId(thread)))
        };
        match verb {
            "open" | "open-app" => Some(Press::Open {
                url: of.to_owned(),
                in_telegram: verb == "open-app",
            }),
            "stop" => run().map(Press::Stop),
            "stop-job" => job().map(Press::StopJob),
            "stop-setup" => session().map(Press::StopSetup),
            "fix" => job().map(Press::Fix),
            "use-checks" => session().map(Press::UseChecks),
            "undo" => run().map(Press::Undo),
            "redo" => run().map(Press::Redo),
            "push" => {
                let (session, folder) = of.split_once(':')?;
                let session = SessionId(session.to_owned());
                Some(Press::PushIn(session, folder.to_owned()))
            }
            "resume" => run().map(Press::Resume),
            "repeat" => run().map(Press::Repeat),
            "compact" => run().map(|run| Press::Compact { run, begun: false }),
            "compact-begun" => run().map(|run| Press::Compact { run, begun: true }),
            "afresh" => run().map(|run| Press::Afresh { run, begun: false }),
            "afresh-begun" => run().map(|run| Press::Afresh { run, begun: true }),
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
            "mode" => chosen(of, PermissionMode::named).map(Press::SetMode),
            "model" => chosen(of, model_named).map(Press::SetModel),
            "effort" => chosen(of, Effort::named).map(Press::SetEffort),
            "cancel-links" => Some(Press::CancelLinks),
            "keep-routine" => routine().map(Press::KeepRoutine),
            "cancel-routine" => routine().map(Press::CancelRoutine),
            "delete-routine" => routine().map(Press::DeleteRoutine),
            "pause-routine" => routine().map(Press::PauseRoutine),
            "run-routine" => routine().map(Press::RunRoutine),
            "show-routine" => routine().map(Press::ShowRoutine),
            "remove-person" => of.parse().ok().map(UserId).map(Press::RemovePerson),
            _ => None,
        }
    }
}

/// The value, or `None` for the default; nothing that the command would refuse.
fn chosen<T>(of: &str, value: impl FnOnce(&str) -> Option<T>) -> Option<Option<T>> {
    Wanted::read(of, value).map(|wanted| wanted.applied_to(None))
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
