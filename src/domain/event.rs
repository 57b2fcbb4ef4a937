//! Events of a run, independent of claude's wire format.
//!
//! `claude::stream` makes events from lines; `progress` folds them; `chat::logs` prints them. Pure data.

use std::collections::BTreeMap;

use crate::domain::id::{ClaudeSessionId, PromptId};
use crate::domain::question::{Request, RequestId};

/// One event; claude's output gives the order.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A turn begins. `system/init`; comes before every turn of a process.
    TurnStarted {
        claude_session: ClaudeSessionId,
        model: String,
        /// The permission mode that claude works in; empty if it does not say.
        mode: String,
        /// claude's working folder; empty if claude does not say.
        folder: String,
    },
    /// claude's permission mode has changed. `system/status` with a `permissionMode`.
    Mode(String),
    /// claude has read a prompt from its input and acts on it, at a turn's beginning or in the middle. `user` with
    /// `isReplay`.
    TakenUp(PromptId),
    /// claude's reply to the request to withdraw a prompt from its input, or it dropped it by itself.
    /// `control_response` to `cancel_async_message`; `command_lifecycle` `discarded` or `refused`.
    Withdrawn { prompt: PromptId, was_there: bool },
    /// Words of the answer as they stream. `stream_event` with a `text_delta`, main agent only.
    Words(String),
    /// A text block is complete. `assistant` with a `text` block, main agent only.
    Text(String),
    /// claude's text was cut off, and claude continues it. `user` with `isSynthetic`.
    CutOff,
    /// `assistant` with a `tool_use` block.
    ToolUse(ToolUse),
    /// `user` with a `tool_result` block.
    ToolResult(ToolResult),
    /// claude's to-do list has changed. `tool_use_result` of TaskCreate, TaskUpdate and TaskList.
    ToDo(ToDoChange),
    /// A command or a subagent has been running for so many seconds. `tool_progress`
    StillRunning { call: String, seconds: u64 },
    /// A subagent or a long command began, in the background or not. `system/task_started`.
    TaskStarted {
        id: String,
        what: String,
        /// Whether it goes on beside the conversation; `None` if claude does not say.
        in_background: Option<bool>,
    },
    /// All that goes on in the background, by its id. `system/background_tasks_changed`.
    InBackground(BTreeMap<String, String>),
    /// The work ended. `system/task_notification`, or a final `task_updated`.
    TaskEnded { id: String },
    /// The API failed, and claude asks it again. `system/api_retry`.
    Retrying(Retry),
    /// The conversation was compacted. `system/compact_boundary`.
    Compacted { before: u64, after: u64 },
    /// The state of the account's usage limit. `rate_limit_event`; only with a claude.ai login.
    Limit(LimitReport),
    /// claude names the kind of an API failure. `assistant.error`.
    ApiProblem(ApiProblem),
    /// The plan that a request is about; `None` if none was written. `control_response` to `get_plan`
    PlanRead {
        request: RequestId,
        plan: Option<String>,
    },
    /// claude asks something and waits for the answer. `control_request`.
    Asks(Box<Request>),
    /// claude no longer waits for the answer. `control_cancel_request`.
    AskCancelled(RequestId),
    /// A turn ended. `result`.
    TurnEnded(TurnEnd),
    /// claude begins to work, also on what makes no turn, such as a hook. `system/session_state_changed` `running`.
    Busy,
    /// claude has nothing to do. `system/session_state_changed` `idle`.
    Idle,
    /// A line of a kind that telecoder ignores, by `type` or `type/subtype`.
    Other(String),
    /// A line that is not what claude prints.
    Garbage,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolUse {
    pub id: String,
    /// `Bash`, `Edit`, `mcp__server__tool`, …
    pub name: String,
    /// The most telling argument: the command, the file, the pattern.
    pub argument: String,
    /// The call that started the subagent which made this one. claude: `parent_tool_use_id`.
    pub parent: Option<String>,
}

/// How much of a tool's argument is kept, in characters.
pub const ARGUMENT_KEPT: usize = 200;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolResult {
    pub id: String,
    pub failed: bool,
    /// The tool's output, cut to its first few hundred characters.
    pub text: String,
    /// Its last few hundred characters.
    pub end: String,
    /// Lines that an edit added and removed. `tool_use_result.structuredPatch`.
    pub edited: Option<Edited>,
}

/// How many lines a change of a file added and removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Edited {
    pub added: usize,
    pub removed: usize,
}

/// A change of claude's to-do list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToDoChange {
    Added {
        id: String,
        subject: String,
    },
    Moved {
        id: String,
        state: ToDoState,
    },
    /// The whole list.
    All(Vec<ToDo>),
}

/// A line of claude's to-do list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToDo {
    pub id: String,
    pub subject: String,
    pub state: ToDoState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToDoState {
    Pending,
    InProgress,
    Completed,
    /// Taken off the list.
    Deleted,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Retry {
    pub attempt: u32,
    pub attempts: u32,
    /// Seconds until the next attempt.
    pub pause: f64,
    pub problem: ApiProblem,
}

/// Kinds of API failures that claude names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiProblem {
    NotLoggedIn,
    RateLimited,
    Overloaded,
    ServerError,
    UnknownModel,
    /// The request itself was refused; asking again in the same words will not help.
    Refused,
    /// No connection, or a kind unknown to telecoder.
    Other(String),
}

/// claude's report on the account's usage limits. `rate_limit_info`.
#[derive(Clone, Debug, PartialEq)]
pub struct LimitReport {
    pub standing: Standing,
    /// When the limit ends, in Unix seconds.
    pub resets_at: Option<i64>,
    /// The used share, from 0 to 1.
    pub used: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Allowed,
    /// Nearly used up.
    Warning,
    Rejected,
}

impl TurnEnd {
    /// A copy with only the beginning of its text, which may be very long.
    pub fn with_beginning_of_text(&self, characters: usize) -> TurnEnd {
        let end = self
            .text
            .char_indices()
            .nth(characters)
            .map_or(self.text.len(), |(end, _)| end);
        TurnEnd {
            text: self.text[..end].to_owned(),
            errors: self.errors.clone(),
            subtype: self.subtype.clone(),
            prompts: self.prompts.clone(),
            denied: self.denied.clone(),
            claude_session: self.claude_session.clone(),
            ..*self
        }
    }
}

/// Why a turn ended before its work was done. The wording of each is claude's, in `claude::cut`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Behind a tool call, without a word: a hook ended the turn, for instance.
    MidWork,
    /// The answer was longer than the API allows, again and again.
    OutputTokens,
    /// The connection was cut in the middle of the answer, again and again.
    Connection,
    /// The conversation is too long for the model.
    ConversationTooLong,
    /// The API cannot read a picture; claude takes it out of the conversation.
    Picture,
    /// The request is larger than the API takes.
    RequestTooLarge,
    /// The number of turns or the money that somebody has set for claude is used up.
    OwnLimit,
}

/// How one turn ended. `result`: several may come from one process.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TurnEnd {
    /// `is_error`, not `subtype`: API errors have `success` there.
    pub failed: bool,
    /// The last text of the turn, or the reason if the turn failed.
    pub text: String,
    /// `error_during_execution`, `error_max_turns`, …
    pub subtype: String,
    pub errors: Vec<String>,
    /// The turn was interrupted.
    pub aborted: bool,
    /// US dollars since the process started.
    pub cost_usd: f64,
    /// Why the turn ended before its work was done, if claude says so.
    pub cut: Option<Cut>,
    /// Tools refused for lack of permission.
    pub denied: Vec<String>,
    /// The conversation that `--resume` continues; `/clear` changes it.
    pub claude_session: Option<ClaudeSessionId>,
    /// The prompts that the turn was about, if claude names them.
    pub prompts: Vec<PromptId>,
    /// Nobody asked for the turn: something in the background began it. `origin`
    pub by_itself: bool,
}
