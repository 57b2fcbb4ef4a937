//! The workers to wake, and what else to do, after an effect is committed.

use crate::domain::id::{ChatThread, MessageId};

/// What to do afterwards.
#[derive(Clone, Debug, Default)]
pub(super) struct Follow {
    /// Chats whose workers have work.
    pub wake: Vec<ChatThread>,
    /// The chat whose worker has work outside its runs.
    pub wake_beside: Option<ChatThread>,
    /// The chats whose workers are to look for a stop.
    pub stop: Vec<ChatThread>,
    /// The chats whose workers are to look for changes.
    pub tell_workers: Vec<ChatThread>,
    /// More of the same may come, so the outbox waits a moment before it sends.
    pub delay_sending: bool,
    /// Somebody wants claude to be logged in.
    pub log_in: bool,
    /// Somebody's command menu may be another one now.
    pub menus_changed: bool,
    /// How many prompts were accepted.
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
            stop: vec![at],
            ..Follow::default()
        }
    }
}
