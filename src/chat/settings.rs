//! Replies to `/verbose`, `/quiet`, `/ring`.

use crate::domain::choices::Ring;
use crate::domain::choices::Verbosity;
use crate::domain::outgoing::Outgoing;

/// `/verbose`
pub fn verbose(verbosity: Verbosity) -> Outgoing {
    let number = verbosity.number();
    Outgoing::note(match verbosity {
        Verbosity::Quiet => format!(
            "During a run, level {number} shows only that it works and for how long. /verbose 1 shows the steps too."
        ),
        Verbosity::Normal => format!(
            "During a run, level {number} shows its last steps, to-do list and newest text. /verbose 0 shows less, \
             /verbose 2 shows more."
        ),
        Verbosity::Detailed => format!(
            "During a run, level {number} shows more of its steps, and what each returned. /verbose 1 shows less."
        ),
    })
}

/// `/quiet`
pub fn quiet(ring: Ring) -> Outgoing {
    Outgoing::note(match ring.quiet {
        Some(quiet) => format!(
            "Quiet hours here: {quiet} (server time). Messages come silently then. /quiet off ends that."
        ),
        None => {
            "There are no quiet hours here. /quiet 22:00-08:00 sets some (server time).".to_owned()
        }
    })
}

/// `/ring`
pub fn ring(ring: Ring) -> Outgoing {
    Outgoing::note(match ring.after_s {
        0 => "Every run rings at its end. /ring 5: only runs of 5 minutes or more.".to_owned(),
        seconds => format!(
            "Runs under {} min end silently; others ring. /ring always: every run rings.",
            seconds / 60
        ),
    })
}
