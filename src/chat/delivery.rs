//! What is said about messages that did not arrive, and about prompts that come late.

use std::time::Duration;

use super::text::duration;
use crate::domain::button::Press;
use crate::domain::id::ChatThread;
use crate::domain::outgoing::Outgoing;
use crate::domain::shown::one_line;

/// Above a message whose topic was deleted or closed.
pub const TOPIC_IS_GONE: &str = "Its topic is gone, so this comes here:";

/// How many of the prompts that are held back are quoted.
const PROMPTS_SHOWN: usize = 5;
const PROMPT_WIDTH: usize = 60;

/// A message was sent twice, and Telegram never said whether it has arrived.
pub fn perhaps_not_delivered() -> Outgoing {
    Outgoing::note(
        "I sent you a message twice and do not know whether it is here: both times I had no answer from \
         Telegram. It is kept. If you do not see it above, let me send it again.",
    )
    .loud()
    .with_button("Send it again", Press::SendParked)
}

/// A message that Telegram does not take as it is.
pub fn not_delivered(reason: &str) -> Outgoing {
    Outgoing::note(
        "I have a message for you that Telegram does not take. It is kept, and /status has a button that tries \
         it again. If it was an answer, /logs shows what claude said. Telegram's words:",
    )
    .quoting(reason)
    .loud()
}

/// A prompt that is held back, as the question about it shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Late {
    pub text: String,
    /// How long ago it was written.
    pub age: Duration,
}

/// Prompts that are so old that they are not run without a word.
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
            "\n\nShall it run now? While nothing runs, /stop drops it.",
            "Run it",
        ),
        _ => (
            "\n\nShall they run now, in this order? While nothing runs, /stop drops them.",
            "Run them",
        ),
    };
    text.push_str(question);
    Outgoing::note(text)
        .loud()
        .with_button(label, Press::RunLate(at.thread))
}

/// For the owner, past the outbox: what comes in cannot be stored.
pub fn cannot_store(reason: &str) -> String {
    format!(
        "I cannot take what you write at the moment, because it cannot be stored on the machine ({reason}). \
         Nothing is lost: Telegram keeps it for 24 hours, and I go on by myself as soon as it can be stored. \
         If the disk is full, make room."
    )
}

/// For the owner, when it can be stored again.
pub const CAN_STORE_AGAIN: &str = "What you write can be stored again; I go on.";

/// For whoever sent it: an update could not be handled.
pub fn set_aside() -> Outgoing {
    Outgoing::note(
        "I could not handle what you sent or pressed, after three tries. Nothing of it was passed on to claude; \
         it is kept, and the log says why. Please try it again.",
    )
    .loud()
}

/// For the owner: somebody's update could not be handled.
pub fn set_aside_elsewhere() -> Outgoing {
    Outgoing::note(
        "Something that came in could not be handled, after three tries, and was put aside. It is kept, the \
         log says why, and everything else goes on.",
    )
    .loud()
}
