//! What is said about messages that wait while a run goes on: `/queue`, and changes of what was written.

use crate::domain::button::Press;
use crate::domain::id::{MessageId, PromptId};
use crate::domain::outgoing::Outgoing;
use crate::domain::prompt::Edit;
use crate::domain::prompt::InQueue;
use crate::domain::shown::beginning;
use crate::domain::shown::folded;

/// So many waiting prompts are listed.
const LISTED: usize = 8;
/// How much of each is shown, in characters.
const SHOWN: usize = 80;

/// `/queue`
pub fn queue(queues: bool, waiting: &[InQueue]) -> Outgoing {
    let mut text = String::from(match queues {
        true => {
            "What you write while a run goes on waits for its end. /queue off lets it go to claude at once."
        }
        false => {
            "What you write while a run goes on goes to claude at once, which takes it up at its next step. \
             /queue on holds it back."
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
            text.push_str(" (claude has it, and takes it up at its next step)");
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

/// A message was changed, or cancelled, and claude had just taken it up.
pub fn changed_too_late(prompt: PromptId, edit: &Edit, message: Option<MessageId>) -> Outgoing {
    match edit {
        Edit::Changed(_) => edited(prompt, true, message),
        Edit::Cancelled => Outgoing::note("Claude had taken this up already; /stop ends the run.")
            .replying_to(message),
    }
}

/// A message was changed that claude has read.
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
