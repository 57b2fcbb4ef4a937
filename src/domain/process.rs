//! A claude that lives on after its run: something of it goes on in the background, or it is kept warm for the next
//! prompt.

use crate::domain::id::{ChatThread, ClaudeSessionId, RunId, SessionId};

#[derive(Clone, Debug, PartialEq)]
pub struct Process {
    /// The run that began it.
    pub id: RunId,
    pub session: SessionId,
    /// The conversation that it has; a session may turn to another one.
    pub conversation: Option<ClaudeSessionId>,
    pub at: ChatThread,
    /// How long it is kept warm, in Unix milliseconds; `None`: as long as something goes on in the background.
    pub until: Option<i64>,
    /// What goes on in the background.
    pub background: Vec<String>,
    /// Its events up to this byte belong to earlier runs.
    pub read_to: u64,
    /// What its runs have cost, in US dollars.
    pub cost_usd: f64,
}
