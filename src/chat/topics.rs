//! A private chat with topics.

use crate::domain::outgoing::Outgoing;

/// Said once, when the first message comes from a topic of a private chat.
pub fn each_is_a_conversation() -> Outgoing {
    Outgoing::note(
        "This chat has topics, so each topic is a conversation of its own with a workspace of its own, and Telegram \
         makes a new topic for a message outside of them. If one conversation is enough, switch topics off: \
         @BotFather → /mybots → this bot → Bot Settings → Threaded Mode.",
    )
}
