//! Whom an update's effect concerns: who is woken when it is written down.

use crate::domain::id::{ChatThread, MessageId};

/// Whom an effect concerns.
#[derive(Clone, Debug, Default)]
pub(super) struct Follow {
    /// Something waits for the workers of these.
    pub wake: Vec<ChatThread>,
    /// Something waits for this chat's worker beside its runs.
    pub wake_beside: Option<ChatThread>,
    /// This chat's worker shall look whether its work was stopped.
    pub stop: Option<ChatThread>,
    /// This chat's worker is told that something has changed for what it does.
    pub tell_worker: Option<ChatThread>,
    /// More of the same may come, so the outbox waits a moment before it sends.
    pub delay_sending: bool,
    /// Somebody wants claude to be logged in.
    pub log_in: bool,
    /// So many prompts were accepted.
    pub accepted: u64,
    /// The message that began a prompt; its sender sees that it was taken.
    pub taken: Option<MessageId>,
}

impl Follow {
    pub(super) fn wake(at: ChatThread) -> Follow {
        Follow {
            wake: vec![at],
            ..Follow::default()
        }
    }

    pub(super) fn wake_beside(at: ChatThread) -> Follow {
        Follow {
            wake_beside: Some(at),
            ..Follow::default()
        }
    }

    pub(super) fn stop(at: ChatThread) -> Follow {
        Follow {
            stop: Some(at),
            ..Follow::default()
        }
    }
}
