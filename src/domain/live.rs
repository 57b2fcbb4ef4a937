//! What is shown while something goes on.

use crate::domain::button::Press;
use crate::domain::id::JobId;
use crate::domain::id::RunId;
use crate::domain::id::SessionId;
use std::ops::Range;

/// How far a prompt is, as a reaction on it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PromptState {
    /// It waits.
    Taken,
    Running,
    /// claude took it up in the middle of what it was at.
    Steering,
    Done,
    /// It failed, was lost, or was stopped.
    Failed,
}

/// What a live message follows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LiveOf {
    Run(RunId),
    Job(JobId),
    /// A workspace that is being made.
    Setup(SessionId),
}

impl LiveOf {
    /// What its Stop button asks for.
    pub fn stop(&self) -> Press {
        match self {
            LiveOf::Run(run) => Press::Stop(*run),
            LiveOf::Job(job) => Press::StopJob(*job),
            LiveOf::Setup(session) => Press::StopSetup(session.clone()),
        }
    }
}

/// A text of which some is shown as code: commands and paths, which a client would otherwise take for links.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LiveText {
    pub text: String,
    /// In bytes, in their order.
    pub code: Vec<Range<usize>>,
    /// The newest words of the answer, below it; Markdown that may be cut anywhere.
    pub words: String,
}

impl LiveText {
    pub fn plain(text: impl Into<String>) -> LiveText {
        LiveText {
            text: text.into(),
            code: Vec::new(),
            words: String::new(),
        }
    }

    pub fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    pub fn push_code(&mut self, code: &str) {
        let start = self.text.len();
        self.text.push_str(code);
        if !code.is_empty() {
            self.code.push(start..self.text.len());
        }
    }
}
