//! The only module that knows the claude CLI: its arguments, its stream, and how it is kept alive.
//!
//! A run is a detached process of telecoder's own binary, the *keeper*, which owns `claude` from start to
//! end, so that the bot can be killed, upgraded and restarted meanwhile. Everything about a run passes
//! through its folder ([`folder`]): the bot writes what to run, the keeper ([`keeper`]) runs it and records how
//! it ended, and the bot ([`host`]) reads along. [`stream`] reads the lines that claude prints.
//!
//! The facts about the CLI were seen on version 2.1.197; `docs/ARCHITECTURE.md` lists those that shape this code.

pub mod argv;
pub mod asks;
pub mod control;
mod cut;
mod diff;
pub mod elicitation;
pub mod environment;
pub mod folder;
pub mod forms;
mod grants;
pub mod host;
mod input;
pub mod install;
pub mod keeper;
pub mod keepers;
pub mod limit;
pub mod login;
mod message;
mod notices;
mod outcome;
pub mod settings;
pub mod stream;
pub mod tail;
pub mod terminal;
pub mod transcript;
pub mod watch;
