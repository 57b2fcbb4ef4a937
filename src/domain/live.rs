//! Reactions and live messages.

use crate::domain::button::Press;
use crate::domain::id::JobId;
use crate::domain::id::RunId;
use crate::domain::id::SessionId;
use std::ops::Range;

/// The state of a prompt, shown as a reaction to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PromptState {
    /// It is waiting.
    Taken,
    Running,
    /// claude read it in the middle of a turn.
    Steering,
    Done,
    /// It failed, was lost, or was stopped.
    Failed,
}

/// The subject of a live message.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LiveOf {
    Run(RunId),
    Job(JobId),
    /// A workspace that is being made.
    Setup(SessionId),
}

impl LiveOf {
    /// The request of its Stop button.
    pub fn stop(&self) -> Press {
        match self {
            LiveOf::Run(run) => Press::Stop(*run),
            LiveOf::Job(job) => Press::StopJob(*job),
            LiveOf::Setup(session) => Press::StopSetup(session.clone()),
        }
    }

    /// The subject of the live message that has this button.
    pub fn stopped_by(press: &Press) -> Option<LiveOf> {
        match press {
            Press::Stop(run) => Some(LiveOf::Run(*run)),
            Press::StopJob(job) => Some(LiveOf::Job(*job)),
            Press::StopSetup(session) => Some(LiveOf::Setup(session.clone())),
            _ => None,
        }
    }
}

/// A text with some parts as code: commands and paths, which a client would otherwise turn into links.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LiveText {
    pub text: String,
    /// Byte ranges, in order.
    pub code: Vec<Range<usize>>,
    /// The answer's newest words, below the text; Markdown, cut anywhere.
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
