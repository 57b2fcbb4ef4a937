//! A session, which a chat talks to: one claude conversation in one workspace on one branch.
//!
//! `registry` keeps one worker per busy chat and lane; `worker` does the chat's next piece of `work`, `prepare` makes a
//! workspace, `running` takes a run from its place to its end, `living` watches a
//! claude that lives on after it; `claims` sees to it that a run has one follower,
//! `attached` that a terminal has a session alone. Folders are `crate::files`'s, rows `store`'s.

pub mod attached;
pub mod claims;
mod living;
mod prepare;
pub mod registry;
mod running;
mod work;
pub mod worker;
