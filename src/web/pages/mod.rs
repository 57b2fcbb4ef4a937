//! The pages: what the store and a run's record have, as HTML. They can be read with scripts off.

pub(super) mod about;
pub(super) mod diff;
pub(super) mod files;
mod head;
pub(super) mod layout;
pub(super) mod now;
pub(super) mod output;
pub(super) mod routines;
pub(super) mod run;
pub(super) mod said;
pub(super) mod session;
pub(super) mod sessions;
pub(super) mod step;
mod steps;
pub(super) mod subagents;
mod words;
