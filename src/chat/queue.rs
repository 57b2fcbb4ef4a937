//! Sentences about prompts that wait during a run: `/queue`, and edits of messages.

use crate::domain::button::Press;
use crate::domain::id::{ChatThread, MessageId, PromptId};
use crate::domain::outgoing::Outgoing;
use crate::domain::prompt::Edit;
use crate::domain::prompt::InQueue;
use crate::domain::shown::folded;
use crate::redact::short::beginning;

/// How many waiting prompts are listed.
const LISTED: usize = 8;
/// How much of each is shown, in characters.
const SHOWN: usize = 80;

/// `/queue`
pub fn queue(queues: bool, waiting: &[InQueue]) -> Outgoing {
    let mut text = String::from(match queues {
        true => {
            "What you write during a run waits until it ends. /queue off sends it to claude immediately."
        }
        false => {
            "What you write during a run goes to claude immediately, which reads it at its next step. /queue on \
             queues it."
        }
    });
    if waiting.is_empty() {
        text.push_str("\n\nNothing waits.");
    } else {
        text.push_str("\n\nWaiting:");
    }
    let mut message = Outgoing::note("");
    for (number, prompt) in (1..).zip(waiting.iter().take(LISTED)) {
        let words = beginning(&folded(&prompt.words), SHOWN);
        text.push_str(&format!("\n{number}. {words}"));
        if prompt.is_handed {
            text.push_str(" (claude has it, and reads it at its next step)");
        }
        message = message.with_button(format!("Cancel {number}"), Press::Cancel(prompt.run));
    }
    if let more @ 1.. = waiting.len().saturating_sub(LISTED) {
        text.push_str(&format!("\nand {more} more."));
    }
    Outgoing {
        body: Outgoing::note(text).body,
        ..message
    }
}

/// A prompt waits because others work; `taken_by` are the chats that have the places.
pub fn waits_for_place(here: ChatThread, taken_by: &[ChatThread]) -> Outgoing {
    let all = match taken_by.len() {
        0 | 1 => "The only place for runs is taken".to_owned(),
        many => format!("All {many} places for runs are taken"),
    };
    let topics = taken_by.iter().filter(|at| at.chat == here.chat).count();
    let chats = taken_by.len() - topics;
    let whose = match (topics, chats) {
        (0, 1) => "by another chat".to_owned(),
        (0, many) => format!("by {many} runs of other chats"),
        (1, 0) => "by another topic of this group".to_owned(),
        (many, 0) => format!("by {many} runs in other topics of this group"),
        (topics, chats) => {
            format!("by {topics} in other topics of this group and {chats} in other chats")
        }
    };
    Outgoing::note(format!(
        "{all}, {whose}. This runs by itself when one is free; /stop drops it."
    ))
}

/// A message was edited or cancelled just after claude had read it.
pub fn changed_too_late(prompt: PromptId, edit: &Edit, message: Option<MessageId>) -> Outgoing {
    match edit {
        Edit::Changed(_) => edited(prompt, true, message),
        Edit::Cancelled => {
            Outgoing::note("Claude had read this already; /stop ends the run.").replying_to(message)
        }
    }
}

/// A waiting prompt was edited into a command of the bot's.
pub fn withdrawn(prompt: PromptId) -> Outgoing {
    Outgoing::note(
        "This waited for claude, and you changed it into a command of mine. So claude does not get it; the command was \
         not carried out either, because commands count only when they are sent. Send it as a new message.",
    )
    .with_button("Run it as it was", Press::RunEdited(prompt))
}

/// As [`withdrawn`], of a prompt that claude has on its input.
pub fn being_withdrawn() -> Outgoing {
    Outgoing::note(
        "You changed this into a command of mine. It is being taken back from claude, which has not read it yet; the \
         command was not carried out, because commands count only when they are sent. Send it as a new message.",
    )
}

/// As [`withdrawn`], of a prompt that claude has read.
pub fn read_before_command() -> Outgoing {
    Outgoing::note(
        "You changed this into a command of mine, but claude has read it as it was. The command was not carried out, \
         because commands count only when they are sent. Send it as a new message.",
    )
}

/// A message was edited that claude has read.
pub fn edited(prompt: PromptId, goes_on: bool, message: Option<MessageId>) -> Outgoing {
    let again = match goes_on {
        true => "Stop and run again",
        false => "Run it again",
    };
    Outgoing::note(
        "You changed a message that claude has read already. What should I do with the change?",
    )
    .with_button("Send the correction", Press::Correct(prompt))
    .with_button(again, Press::RunEdited(prompt))
    .replying_to(message)
}
