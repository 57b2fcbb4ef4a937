//! The progress of a run: facts folded from its events.
//!
//! No words and no clock: `chat::live` has the words and the elapsed time.

use std::collections::{BTreeMap, VecDeque};

use crate::domain::event::{
    ApiProblem, Edited, Event, LimitReport, Retry, ToDo, ToDoChange, ToDoState, ToolUse, TurnEnd,
};
use crate::domain::id::{ClaudeSessionId, PromptId};
use crate::domain::tools::Tools;

/// How many of the newest steps are kept.
const STEPS_KEPT: usize = 12;
/// How many lines of claude's to-do list are kept; further ones are dropped.
const TO_DOS_KEPT: usize = 50;
/// How much of the last turn's text is kept, in characters: enough to say why it failed.
const LAST_ANSWER_KEPT: usize = 4_000;
/// How much of what claude has said in a turn is kept, in bytes; beyond that the oldest texts go.
const SAID_KEPT: usize = 1024 * 1024;
/// How much of the words of an unfinished text is kept, in bytes.
const WORDS_KEPT: usize = 2_000;

/// The facts of one run so far. Its size does not grow with the run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    pub claude_session: Option<ClaudeSessionId>,
    /// The conversation that the process began with; `/clear` begins another.
    pub first_claude_session: Option<ClaudeSessionId>,
    pub model: Option<String>,
    /// The permission mode that the process began in, as claude names it.
    pub first_mode: Option<String>,
    /// claude's folder; paths are shown from it.
    pub folder: String,
    /// claude's to-do list.
    pub to_dos: Vec<ToDo>,
    /// claude's newest steps, oldest first; each subagent is folded into its step.
    pub steps: VecDeque<Step>,
    /// How many tool calls there were, including subagents'.
    pub tool_calls: usize,
    /// The newest words of the current text.
    pub words: String,
    /// What claude has said in the current or last turn, oldest first; at most `SAID_KEPT` of it.
    pub said: Vec<Said>,
    /// The current API retry.
    pub retry: Option<Retry>,
    /// The last kind of API failure in this turn.
    pub problem: Option<ApiProblem>,
    /// claude's last report on the account's usage limits.
    pub limit: Option<LimitReport>,
    /// The model has written words or called a tool in this turn.
    pub has_worked: bool,
    /// Tokens before and after the conversation was compacted.
    pub compacted: Option<(u64, u64)>,
    /// Background work by its id. An older claude does not say whether a command in a turn is in the background.
    pub background: BTreeMap<String, String>,
    says_background: bool,
    pub tools: Tools,
    /// How many turns have ended.
    pub turns_ended: usize,
    pub last_turn: Option<TurnEnd>,
    /// What claude said at the end of the turn before that, in an earlier run perhaps.
    said_before: Option<String>,
    /// A turn has begun and has not ended.
    pub in_turn: bool,
    /// The prompts of the current or last turn: those it began with, and those that steered it.
    pub prompts: Vec<PromptId>,
    /// The prompts of the next turn.
    next_prompts: Vec<PromptId>,
    /// A block of this turn is complete: prompts read from now on steer the turn.
    turn_is_under_way: bool,
    /// claude waits for input.
    pub idle: bool,
    /// claude says when it is busy and when it is idle, so that its silence means nothing.
    pub says_when_idle: bool,
    /// Lines that are not what claude prints.
    pub garbage: usize,
    /// The text block that the words belong to is complete.
    words_complete: bool,
    /// claude's last text was cut off; the next one continues it.
    was_cut_off: bool,
    /// What earlier runs in the same process have cost.
    cost_before: f64,
}

/// A text of claude's in a turn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    pub text: String,
    /// claude called a tool afterwards.
    pub before_tool: bool,
    /// It continues the text before it, which was cut off.
    pub continues: bool,
}

/// A tool call and its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub tool: ToolUse,
    pub state: StepState,
    /// Lines that the call added and removed.
    pub edited: Option<Edited>,
    /// How many seconds it has been running, when claude last said so.
    pub seconds: u64,
    /// The beginning of its result.
    pub result: String,
    /// The subagent that it started.
    pub subagent: Option<Subagent>,
}

/// A subagent's progress, for one line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subagent {
    pub tool_calls: usize,
    /// Its newest call.
    pub last: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepState {
    Running,
    Done,
    Failed,
}

impl Progress {
    /// A run that continues this conversation.
    pub fn resuming(conversation: Option<ClaudeSessionId>) -> Progress {
        Progress {
            first_claude_session: conversation,
            ..Progress::default()
        }
    }

    /// A run begins in a claude that has worked before: what is known of that claude stays, all else begins anew.
    pub fn begin_run(&mut self, cost_before: f64) {
        *self = Progress {
            claude_session: self.claude_session.take(),
            first_claude_session: self.claude_session.clone(),
            model: self.model.take(),
            first_mode: self.first_mode.take(),
            folder: std::mem::take(&mut self.folder),
            to_dos: std::mem::take(&mut self.to_dos),
            limit: self.limit.take(),
            background: std::mem::take(&mut self.background),
            says_background: self.says_background,
            says_when_idle: self.says_when_idle,
            cost_before,
            said_before: self.last_turn.take().map(|turn| turn.text),
            ..Progress::default()
        };
        self.first_claude_session.clone_from(&self.claude_session);
    }

    /// Folds one event in.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::TurnStarted {
                claude_session,
                model,
                mode,
                folder,
            } => {
                self.first_mode.get_or_insert_with(|| mode.clone());
                self.folder.clone_from(folder);
                self.claude_session = Some(claude_session.clone());
                self.first_claude_session
                    .get_or_insert_with(|| claude_session.clone());
                self.model = Some(model.clone());
                self.in_turn = true;
                self.idle = false;
                self.problem = None;
                self.prompts = std::mem::take(&mut self.next_prompts);
                self.turn_is_under_way = false;
                self.has_worked = false;
                self.compacted = None;
                self.said.clear();
                self.was_cut_off = false;
            }
            Event::Words(words) => {
                self.retry = None;
                self.has_worked = true;
                if self.words_complete {
                    self.words.clear();
                    self.words_complete = false;
                }
                self.words.push_str(words);
                keep_end(&mut self.words, WORDS_KEPT);
            }
            Event::Text(text) => {
                self.turn_is_under_way = true;
                self.retry = None;
                self.words.clear();
                // Whole: whoever shortens it looks for secrets first.
                self.words.push_str(text);
                self.words_complete = true;
                self.say(text);
            }
            Event::ToolUse(tool) => {
                self.tools.begin(tool);
                self.turn_is_under_way = true;
                self.retry = None;
                self.has_worked = true;
                self.tool_calls += 1;
                if let (None, Some(said)) = (&tool.parent, self.said.last_mut()) {
                    said.before_tool = true;
                }
                self.take_step(tool);
            }
            Event::ToDo(change) => self.change_list(change),
            Event::ToolResult(result) => {
                self.tools.end(result);
                let step = self
                    .steps
                    .iter_mut()
                    .rev()
                    .find(|step| step.tool.id == result.id);
                if let Some(step) = step {
                    step.edited = result.edited;
                    step.result.clone_from(&result.text);
                    step.state = if result.failed {
                        StepState::Failed
                    } else {
                        StepState::Done
                    };
                }
            }
            Event::StillRunning { call, seconds } => {
                let mut steps = self.steps.iter_mut().rev();
                if let Some(step) = steps.find(|step| step.tool.id == *call) {
                    step.seconds = *seconds;
                }
            }
            Event::TaskStarted {
                id,
                what,
                in_background,
            } => {
                self.says_background |= in_background.is_some();
                // A command that a turn waits for ends before its turn.
                if in_background.unwrap_or(true) {
                    self.background.insert(id.clone(), what.clone());
                }
            }
            Event::InBackground(tasks) => self.background.clone_from(tasks),
            Event::TaskEnded { id } => {
                self.background.remove(id);
                // A few hundredths of a second later, claude starts a turn of its own about it.
                self.idle = false;
            }
            Event::Retrying(retry) => self.retry = Some(retry.clone()),
            Event::Compacted { before, after } => self.compacted = Some((*before, *after)),
            Event::Limit(report) => self.limit = Some(report.clone()),
            Event::ApiProblem(problem) => self.problem = Some(problem.clone()),
            Event::TurnEnded(end) => {
                self.retry = None;
                self.turns_ended += 1;
                if !self.in_turn && !self.next_prompts.is_empty() {
                    // The turn's beginning could not be read.
                    self.prompts = std::mem::take(&mut self.next_prompts);
                }
                if !end.prompts.is_empty() {
                    self.prompts.clone_from(&end.prompts);
                    self.next_prompts
                        .retain(|prompt| !end.prompts.contains(prompt));
                }
                self.in_turn = false;
                if end.claude_session.is_some() {
                    self.claude_session.clone_from(&end.claude_session);
                }
                if let Some(before) = self.last_turn.take() {
                    self.said_before = Some(before.text);
                }
                self.last_turn = Some(end.with_beginning_of_text(LAST_ANSWER_KEPT));
            }
            Event::Busy => {
                self.says_when_idle = true;
                self.idle = false;
            }
            Event::Idle => {
                self.says_when_idle = true;
                self.idle = true;
                // Also if the line with the turn's end could not be read.
                self.in_turn = false;
            }
            Event::Garbage => self.garbage += 1,
            Event::TakenUp(prompt) => {
                // If several become one turn, claude reads all but the last before the turn begins.
                let of_turn = match self.in_turn {
                    true => &mut self.prompts,
                    false => &mut self.next_prompts,
                };
                of_turn.push(*prompt);
            }
            Event::CutOff => self.was_cut_off = true,
            Event::Mode(_)
            | Event::PlanRead { .. }
            | Event::Withdrawn { .. }
            | Event::Asks(_)
            | Event::AskCancelled(_)
            | Event::Other(_) => {}
        }
    }

    /// Whether a turn that nobody asked for says the same as the one before it.
    pub fn says_nothing_new(&self, turn: &TurnEnd) -> bool {
        self.prompts.is_empty() && turn.by_itself && self.said_before.as_ref() == Some(&turn.text)
    }

    fn say(&mut self, text: &str) {
        self.said.push(Said {
            text: text.to_owned(),
            before_tool: false,
            continues: std::mem::take(&mut self.was_cut_off),
        });
        let mut kept: usize = self.said.iter().map(|said| said.text.len()).sum();
        while kept > SAID_KEPT && self.said.len() > 1 {
            kept -= self.said.remove(0).text.len();
        }
    }

    fn take_step(&mut self, tool: &ToolUse) {
        let tool = ToolUse {
            argument: self.seen_from_folder(&tool.argument),
            ..tool.clone()
        };
        let parent = self
            .steps
            .iter_mut()
            .find(|step| tool.parent.as_ref() == Some(&step.tool.id));
        if let Some(step) = parent {
            let subagent = step.subagent.get_or_insert_default();
            subagent.tool_calls += 1;
            subagent.last = format!("{} {}", tool.name, tool.argument);
            return;
        }
        if self.steps.len() == STEPS_KEPT {
            self.steps.pop_front();
        }
        self.steps.push_back(Step {
            tool,
            state: StepState::Running,
            edited: None,
            seconds: 0,
            result: String::new(),
            subagent: None,
        });
    }

    /// A path inside the folder, relative to it.
    fn seen_from_folder(&self, argument: &str) -> String {
        let inside = argument
            .strip_prefix(&self.folder)
            .filter(|_| !self.folder.is_empty())
            .and_then(|rest| rest.strip_prefix('/'));
        inside.unwrap_or(argument).to_owned()
    }

    fn change_list(&mut self, change: &ToDoChange) {
        match change {
            ToDoChange::All(list) => self.to_dos.clone_from(list),
            ToDoChange::Added { id, subject } => self.to_dos.push(ToDo {
                id: id.clone(),
                subject: subject.clone(),
                state: ToDoState::Pending,
            }),
            ToDoChange::Moved { id, state } => {
                if let Some(to_do) = self.to_dos.iter_mut().find(|to_do| to_do.id == *id) {
                    to_do.state = *state;
                }
            }
        }
        self.to_dos
            .retain(|to_do| to_do.state != ToDoState::Deleted);
        self.to_dos.truncate(TO_DOS_KEPT);
    }

    /// The prompts of the turn that is about to begin, or else of the newest turn.
    pub fn asked_now(&self) -> &[PromptId] {
        match self.next_prompts.is_empty() {
            true => &self.prompts,
            false => &self.next_prompts,
        }
    }

    /// Whether a turn has not ended, or claude has read prompts whose turn has not begun.
    pub fn owes_an_answer(&self) -> bool {
        self.in_turn || !self.next_prompts.is_empty()
    }

    /// US dollars that the run has cost. `/clear` begins to count anew.
    pub fn cost_usd(&self) -> f64 {
        let of_process = self.last_turn.as_ref().map_or(0.0, |turn| turn.cost_usd);
        match of_process >= self.cost_before {
            true => of_process - self.cost_before,
            false => of_process,
        }
    }

    /// US dollars that the process has cost.
    pub fn cost_of_process(&self) -> f64 {
        let of_process = self.last_turn.as_ref().map(|turn| turn.cost_usd);
        of_process.unwrap_or(self.cost_before)
    }

    /// Whether the process has nothing left to do: claude is idle, and there is no background work.
    pub fn is_finished(&self) -> bool {
        self.idle && self.model.is_some() && self.background.is_empty()
    }

    /// The names of what is known to go on beside the conversation.
    pub fn in_background(&self) -> impl Iterator<Item = &str> {
        let is_known = self.says_background || !self.in_turn;
        self.background
            .values()
            .map(String::as_str)
            .filter(move |_| is_known)
    }

    /// Whether a turn has begun before, and none is running.
    pub fn is_between_turns(&self) -> bool {
        self.model.is_some() && !self.in_turn
    }

    /// Whether a prompt that claude reads now steers the turn, instead of beginning it.
    pub fn is_steered_now(&self) -> bool {
        self.in_turn && self.turn_is_under_way
    }

    /// Whether the last turn that ended was interrupted.
    pub fn was_interrupted(&self) -> bool {
        self.last_turn.as_ref().is_some_and(|turn| turn.aborted)
    }

    /// Whether the last turn that ended succeeded.
    pub fn is_answered(&self) -> bool {
        self.last_turn.as_ref().is_some_and(|turn| !turn.failed)
    }
}

/// Cuts off the front, at a character boundary.
fn keep_end(text: &mut String, limit: usize) {
    if text.len() <= limit {
        return;
    }
    text.drain(..text.ceil_char_boundary(text.len() - limit));
}
