//! A run's record as a person reads it on the page: every step with all that went in and came out.
//!
//! [`super::event`] has what telecoder acts on; there the texts of steps are cut short. Pure data.

use serde_json::Value;

/// One step, and where its line ends in the record.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The byte behind its line; several steps may come from one line.
    pub end: u64,
    pub what: What,
}

/// What a step is.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// claude reads a prompt.
    Prompt(String),
    /// Words as they are being written; the whole text follows as [`What::Text`].
    Words(String),
    /// claude says something; by a subagent if it has a parent.
    Text {
        text: String,
        parent: Option<String>,
    },
    /// What claude thinks, or a subagent.
    Thought {
        text: String,
        parent: Option<String>,
    },
    /// A tool is called.
    Call(Call),
    /// What came of it.
    Result(CallResult),
    /// The conversation was compacted, the API is asked again, and the like.
    Remark(String),
    /// A turn has ended.
    TurnEnded { failed: bool },
    /// A line that is too long to be shown; so many bytes.
    TooLong(u64),
}

impl Step {
    /// The call that started the subagent whose step this is.
    pub fn parent(&self) -> Option<&str> {
        match &self.what {
            What::Text { parent, .. } | What::Thought { parent, .. } => parent.as_deref(),
            What::Call(call) => call.parent.as_deref(),
            What::Result(result) => result.parent.as_deref(),
            What::Prompt(_)
            | What::Words(_)
            | What::Remark(_)
            | What::TurnEnded { .. }
            | What::TooLong(_) => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// claude's id of the call.
    pub id: String,
    /// `Bash`, `Edit`, `mcp__server__tool`, …
    pub tool: String,
    /// The most telling argument, cut short as in an event.
    pub argument: String,
    pub input: Value,
    /// The call that started the subagent which made this one.
    pub parent: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallResult {
    /// The id of the call.
    pub of: String,
    pub failed: bool,
    pub text: String,
    /// How many pictures it has; they are not shown.
    pub pictures: usize,
    pub parent: Option<String>,
}
