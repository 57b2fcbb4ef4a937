//! Every sentence that the bot says, as messages to send (`domain::outgoing`).
//!
//! Pure: no clock, no I/O, no Bot API. `telegram` draws and sends the messages.

pub mod changed;
pub mod changes;
pub mod checked;
pub mod checks;
pub mod choices;
mod deeds;
pub mod delivery;
pub mod evidence;
pub mod failure;
pub mod fetched;
pub mod files;
pub mod hold;
pub mod hooks;
pub mod live;
pub mod logs;
pub mod markdown;
pub mod menu;
pub mod page;
pub mod people;
mod picks;
pub mod questions;
pub mod queue;
pub mod raw;
pub mod routines;
pub mod sessions;
pub mod settings;
pub mod setup;
pub mod shell;
pub mod status;
pub mod text;
pub mod toast;
pub mod topics;
pub mod workspace;
