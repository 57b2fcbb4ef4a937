//! What a message asks for, read from the message alone.

use crate::chat::text;
use crate::command::{self, Command, Input};
use crate::domain::outgoing::Outgoing;
use crate::domain::update::{Content, Message};

pub(super) enum Request {
    Nothing,
    Reply(Outgoing),
    Prompt(String),
    /// Words that are not meant for the bot, as far as the message itself says.
    Aside(String),
    Command(Command),
}

/// Reads a message; `bot` is the bot's username.
pub(super) fn read(message: &Message, bot: &str) -> Request {
    let in_group = message.at.chat.is_group();
    let words = if in_group {
        message.text.without_address()
    } else {
        &message.text.text
    };
    // Only a person's own text is a command: not a forward, and not a caption.
    let may_be_command = message.content == Content::Text && message.forwarded_from.is_none();
    let is_addressed = !in_group
        || message.replies_to_bot()
        || !message.text.mentions.is_empty()
        || may_be_command && command::looks_like_one(words);
    let has_words = !words.trim().is_empty();
    match &message.content {
        Content::Service(_) => return Request::Nothing,
        Content::Impossible(kind) if is_addressed && !has_words => {
            let reply = text::cannot_be_passed_on(kind).replying_to(Some(message.id));
            return Request::Reply(reply);
        }
        Content::Impossible(_) if !has_words => return Request::Nothing,
        _ => {}
    }
    if !is_addressed {
        return Request::Aside(words.to_owned());
    }
    if !may_be_command {
        return Request::Prompt(words.to_owned());
    }
    if !has_words {
        return match brings_something(message) {
            true => Request::Prompt(String::new()),
            false => Request::Command(Command::Help),
        };
    }
    match command::read(words, bot) {
        Input::Command(command) => Request::Command(command),
        Input::Prompt(prompt) => Request::Prompt(prompt),
        Input::Misused(verb) => Request::Reply(text::misused(verb)),
        Input::ForAnotherBot if in_group => Request::Nothing,
        // No other bot is in this chat.
        Input::ForAnotherBot => Request::Prompt(words.to_owned()),
    }
}

/// Whether a message without words points at somebody else's message.
fn brings_something(message: &Message) -> bool {
    let points = message.replies_to.as_ref().is_some_and(|replied| {
        !replied.is_the_bots && (!replied.text.is_empty() || replied.content != Content::Text)
    });
    points || message.quote.is_some()
}
