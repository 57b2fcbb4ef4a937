//! What a message asks for, before anybody looks at the store.

use crate::chat::{Outgoing, text};
use crate::command::{self, Command, Input};
use crate::update::{Content, Message};

pub(super) enum Request {
    Nothing,
    Reply(Outgoing),
    Prompt(String),
    Command(Command),
}

/// Reads a message; `bot` is the bot's username.
pub(super) fn read(message: &Message, bot: &str) -> Request {
    let text = match &message.content {
        Content::Text(text) => text,
        Content::Attachment(kind) if !message.at.chat.is_group() || message.replies_to_bot => {
            let reply = text::attachment_not_passed_on(kind).replying_to(Some(message.id));
            return Request::Reply(reply);
        }
        Content::Attachment(_) | Content::Service(_) => return Request::Nothing,
    };
    let in_group = message.at.chat.is_group();
    let words = if in_group {
        text.without_address()
    } else {
        &text.text
    };
    let addressed = !in_group
        || message.replies_to_bot
        || !text.mentions.is_empty()
        || command::looks_like_one(words);
    if !addressed {
        return Request::Nothing;
    }
    if words.trim().is_empty() {
        return Request::Command(Command::Help);
    }
    match command::read(words, bot) {
        Input::Command(command) => Request::Command(command),
        Input::Prompt(prompt) => Request::Prompt(prompt),
        Input::Misused(verb) => Request::Reply(text::misused(verb)),
        Input::ForAnotherBot if in_group => Request::Nothing,
        // Nobody else is there to be meant.
        Input::ForAnotherBot => Request::Prompt(words.to_owned()),
    }
}
