//! Sentences about messages that were not delivered, and about late prompts.

use std::time::Duration;

use super::text::duration;
use crate::domain::button::Press;
use crate::domain::id::ChatThread;
use crate::domain::outgoing::Outgoing;
use crate::redact::short::one_line;

/// Above a message whose topic was deleted or is closed; `asked` is what it answers.
pub fn topic_is_shut(is_gone: bool, asked: Option<&str>) -> String {
    let what = match is_gone {
        true => "The topic was deleted",
        false => "The topic is closed",
    };
    match asked.map(|asked| one_line(asked, PROMPT_WIDTH)) {
        Some(asked) if !asked.is_empty() => {
            format!("{what}, so this comes here. It is about “{asked}”:")
        }
        _ => format!("{what}, so this comes here:"),
    }
}

/// For the person who asked, in private: the answer was for a group where nothing can be written.
pub fn general_is_closed() -> Outgoing {
    Outgoing::note(
        "I have a message for you in a group, but its topic and its General topic are closed, so it cannot be posted. \
         It is kept. When General is open again, it comes as soon as anybody writes something to me in the group.",
    )
    .loud()
}

/// How many late prompts are quoted.
const PROMPTS_SHOWN: usize = 5;
const PROMPT_WIDTH: usize = 60;

/// A message was sent twice, and Telegram confirmed neither.
pub fn perhaps_not_delivered() -> Outgoing {
    Outgoing::note(
        "I sent you a message twice, and Telegram confirmed it neither time. It is kept. If you do not see it above, \
         let me send it again.",
    )
    .loud()
    .with_button("Send it again", Press::SendParked)
}

/// Telegram refuses a message.
pub fn not_delivered(reason: &str) -> Outgoing {
    Outgoing::note(
        "Telegram refuses a message that I have for you. It is kept, and /status has a button that tries it again. \
         If it was an answer, /logs shows what claude said. Telegram's words:",
    )
    .quoting(reason)
    .loud()
}

/// A late prompt, as the question about it shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Late {
    pub text: String,
    /// How long ago it was written.
    pub age: Duration,
}

/// Asks whether late prompts are to run.
pub fn late(prompts: &[Late], at: ChatThread) -> Outgoing {
    let mut text = match prompts {
        [one] => format!(
            "You wrote this {} ago, while I was away, so it was not run:\n",
            duration(one.age)
        ),
        many => format!(
            "You wrote {} prompts while I was away, the first of them {} ago, so they were not run:\n",
            many.len(),
            many.first()
                .map_or_else(String::new, |first| duration(first.age))
        ),
    };
    for prompt in prompts.iter().take(PROMPTS_SHOWN) {
        text.push_str(&format!("\n• {}", one_line(&prompt.text, PROMPT_WIDTH)));
    }
    if prompts.len() > PROMPTS_SHOWN {
        text.push_str(&format!("\n• … and {} more", prompts.len() - PROMPTS_SHOWN));
    }
    let (question, label) = match prompts.len() {
        1 => (
            "\n\nRun it now? If nothing else runs, /stop drops it.",
            "Run it",
        ),
        _ => (
            "\n\nRun them now, in this order? If nothing else runs, /stop drops them.",
            "Run them",
        ),
    };
    text.push_str(question);
    Outgoing::note(text)
        .loud()
        .with_button(label, Press::RunLate(at.thread))
}

/// For the owner, without the outbox: messages cannot be stored.
pub fn cannot_store(reason: &str) -> String {
    format!(
        "I cannot take messages at the moment: they cannot be stored on the machine ({reason}). Nothing is lost: \
         Telegram keeps them for 24 hours, and I continue by myself as soon as they can be stored. If the disk is \
         full, make room."
    )
}

/// For the owner, when messages can be stored again.
pub const CAN_STORE_AGAIN: &str = "Messages can be stored again; I continue.";

/// For the sender: an update could not be handled.
pub fn set_aside() -> Outgoing {
    Outgoing::note(
        "I could not handle your message or button in three tries. Claude got nothing of it. It is kept, and the log \
         says why. Please try again.",
    )
    .loud()
}

/// For the owner: somebody's update could not be handled.
pub fn set_aside_elsewhere() -> Outgoing {
    Outgoing::note(
        "A message or button could not be handled in three tries and was put aside. It is kept, and the log says \
         why. Everything else continues.",
    )
    .loud()
}
