//! The nouns of telecoder, as plain types with their names, their parsing and small pure methods.
//!
//! Everything above imports from here, and nothing here imports from above: no I/O, no SQL, no clock, and no sentence
//! for a person. One exception: a new id draws random bits, and a new run's or job's id also reads the time.

pub mod access;
pub mod button;
pub mod changes;
pub mod check;
pub mod choices;
pub mod delivery;
pub mod event;
pub mod evidence;
pub mod fetched;
pub mod hold;
pub mod id;
pub mod job;
pub mod live;
pub mod outgoing;
pub mod process;
pub mod progress;
pub mod prompt;
pub mod question;
pub mod routine;
pub mod run;
pub mod session;
pub mod shown;
pub mod tools;
pub mod transcript;
pub mod update;
pub mod verb;
pub mod workspace;
