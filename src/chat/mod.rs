//! What the chat sees: the messages that leave (`domain::outgoing`), and every sentence in them ([`text`]).
//!
//! Pure: no clock, no I/O, nothing of the Bot API. How a message is drawn and sent is `telegram`'s.

pub mod changes;
pub mod checks;
pub mod choices;
pub mod delivery;
pub mod evidence;
pub mod failure;
pub mod fetched;
pub mod files;
pub mod hold;
pub mod live;
pub mod logs;
pub mod people;
pub mod questions;
pub mod queue;
pub mod raw;
pub mod sessions;
pub mod settings;
pub mod shell;
pub mod status;
pub mod text;
pub mod toast;
pub mod workspace;
