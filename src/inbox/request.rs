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
    Command {
        command: Command,
        /// Said beside what the command says.
        told: Option<Outgoing>,
    },
}

impl From<Command> for Request {
    fn from(command: Command) -> Request {
        Request::Command {
            command,
            told: None,
        }
    }
}

/// Reads a message; `bot` is the bot's username.
pub(super) fn read(message: &Message, bot: &str) -> Request {
    let in_group = message.at.chat.is_group();
    let words = if in_group {
        message.text.without_address()
    } else {
        &message.text.text
    };
    let may_be_command = is_own_text(message);
    let is_addressed = !in_group
        || is_said_to_the_bot(message)
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
            false => Command::Help.into(),
        };
    }
    match command::read(words, bot) {
        Input::Command(command) => match command::words_behind(words, bot) {
            // Whoever writes this wants claude to stop, whatever else.
            Some(behind) if behind.several_lines && command != Command::Stop => {
                Request::Reply(text::no_command_of_several_lines(behind.verb))
            }
            Some(behind) => Request::Command {
                command,
                told: Some(text::words_went_nowhere(behind.verb)),
            },
            None => command.into(),
        },
        Input::Prompt(prompt) => Request::Prompt(prompt),
        Input::Misused(verb) => Request::Reply(text::misused(verb)),
        Input::ForAnotherBot { is_certain }
            if in_group && (is_certain || !is_said_to_the_bot(message)) =>
        {
            Request::Nothing
        }
        // No other bot is in this chat, or none is meant.
        Input::ForAnotherBot { .. } => Request::Prompt(words.to_owned()),
    }
}

/// Only a person's own text can be a command: not a forward, not a caption, and not what an inline bot wrote.
pub(super) fn is_own_text(message: &Message) -> bool {
    message.content == Content::Text
        && message.forwarded_from.is_none()
        && message.inline_bot.is_none()
}

/// Whether a message that is written like a command has nothing else in it.
pub(super) fn is_bare_command(message: &Message, bot: &str) -> bool {
    let words = message.text.without_address();
    matches!(command::read(words, bot), Input::Command(_))
        && command::words_behind(words, bot).is_none()
        && words.trim().lines().count() == 1
}

fn is_said_to_the_bot(message: &Message) -> bool {
    message.replies_to_bot() || !message.text.mentions.is_empty()
}

/// Whether a message without words points at somebody else's message.
fn brings_something(message: &Message) -> bool {
    let points = message.replies_to.as_ref().is_some_and(|replied| {
        !replied.is_the_bots && (!replied.text.text.is_empty() || replied.content != Content::Text)
    });
    points || message.quote.is_some()
}
