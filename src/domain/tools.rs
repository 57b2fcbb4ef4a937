//! What a run's tool calls did, as far as evidence asks: whether anything can have been written, and how the shell
//! commands ended. Pure.

use std::collections::VecDeque;

use crate::domain::event::{ARGUMENT_KEPT, ToolResult, ToolUse};

/// How many commands are remembered, the newest.
const COMMANDS_KEPT: usize = 30;
/// claude's tools that write nothing. Any other one may, also one of a later version or of an MCP server.
const READING: [&str; 18] = [
    "AskUserQuestion",
    "BashOutput",
    "EnterPlanMode",
    "ExitPlanMode",
    "Glob",
    "Grep",
    "LS",
    "NotebookRead",
    "Read",
    "TaskCreate",
    "TaskGet",
    "TaskList",
    "TaskOutput",
    "TaskUpdate",
    "TodoWrite",
    "ToolSearch",
    "WebFetch",
    "WebSearch",
];
const SHELL: &str = "Bash";
/// What the result of a command begins with that ended with another code than 0.
const EXIT_CODE: &str = "Exit code ";
/// In the result of a command that goes on.
const GOES_ON: [&str; 2] = ["running in background with ID", "moved to the background"];
/// The exit codes of a command that was ended by a signal: somebody stopped it.
const STOPPED: [i32; 4] = [129, 130, 137, 143];

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tools {
    /// One that can write was called.
    pub can_have_written: bool,
    /// A file was edited.
    pub has_edited: bool,
    pub commands: VecDeque<Command>,
    /// There were more commands.
    pub has_dropped: bool,
}

/// A command in claude's shell.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    call: String,
    /// Its beginning, of at most [`ARGUMENT_KEPT`] characters.
    pub text: String,
    /// Its exit code; `None` while it goes on, or if it was not run to its end.
    pub code: Option<i32>,
    /// The end of its output.
    pub output: String,
}

impl Command {
    pub fn is_cut(&self) -> bool {
        self.text.chars().count() >= ARGUMENT_KEPT
    }
}

impl Tools {
    pub fn begin(&mut self, tool: &ToolUse) {
        self.can_have_written |= !READING.contains(&tool.name.as_str());
        if tool.name == SHELL {
            if self.commands.len() == COMMANDS_KEPT {
                self.commands.pop_front();
                self.has_dropped = true;
            }
            self.commands.push_back(Command {
                call: tool.id.clone(),
                text: tool.argument.clone(),
                code: None,
                output: String::new(),
            });
        }
    }

    pub fn end(&mut self, result: &ToolResult) {
        self.has_edited |= result.edited.is_some() && !result.failed;
        let mut commands = self.commands.iter_mut().rev();
        if let Some(command) = commands.find(|command| command.call == result.id) {
            command.code = exit_code(result);
            command.output.clone_from(&result.end);
        }
    }
}

/// `None`: it was refused, or goes on.
fn exit_code(result: &ToolResult) -> Option<i32> {
    if !result.failed {
        let goes_on = GOES_ON.iter().any(|words| result.text.contains(words));
        return (!goes_on).then_some(0);
    }
    let code = result.text.strip_prefix(EXIT_CODE)?;
    let code = code.lines().next()?.trim().parse().ok()?;
    (!STOPPED.contains(&code)).then_some(code)
}
