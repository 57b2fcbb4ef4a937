//! What is said about a chat's own settings.

use std::time::Duration;

use super::text::duration;
use crate::domain::choices::Ring;
use crate::domain::choices::Verbosity;
use crate::domain::outgoing::Outgoing;

/// `/verbose`
pub fn verbose(verbosity: Verbosity) -> Outgoing {
    let number = verbosity.number();
    Outgoing::note(match verbosity {
        Verbosity::Quiet => format!(
            "While a run goes on, the chat shows that it works and for how long ({number}). /verbose 1 shows the \
             steps too."
        ),
        Verbosity::Normal => format!(
            "While a run goes on, the chat shows its last steps, its list and its newest words ({number}). \
             /verbose 0 shows less, /verbose 2 shows more."
        ),
        Verbosity::Detailed => format!(
            "While a run goes on, the chat shows more of its steps, and what each gave back ({number}). \
             /verbose 1 shows less."
        ),
    })
}

/// `/quiet`
pub fn quiet(ring: Ring) -> Outgoing {
    Outgoing::note(match ring.quiet {
        Some(quiet) => format!(
            "Nothing rings here from {quiet}, by the clock of the machine; messages come silently. /quiet off \
             ends that."
        ),
        None => "There are no quiet hours here. /quiet 22:00-08:00 sets some, by the clock of the machine."
            .to_owned(),
    })
}

/// `/ring`
pub fn ring(ring: Ring) -> Outgoing {
    Outgoing::note(match ring.after_s {
        0 => "The end of every run rings. /ring 5 lets only runs ring that took longer than 5 minutes."
            .to_owned(),
        seconds => format!(
            "Only a run that took longer than {} rings at its end; others end silently. /ring always lets every \
             run ring.",
            duration(Duration::from_secs(seconds.into()))
        ),
    })
}
