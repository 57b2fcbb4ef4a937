//! Evidence: what a run really changed, and what the project's own checks say of it.
//!
//! Nobody reads what the answer says: it may be in any language, and a wrong reading would accuse. After a run,
//! [`measure`] asks git what differs from the snapshot taken before, in each repository of the workspace, and [`check`]
//! runs the project's tests and its linter, which [`commands`] has found; [`counts`] reads how many tests passed,
//! [`not_run`] that the runner is not there. Beside that stands what claude itself did, by its own events
//! (`run::deeds`). `chat::evidence` has the words. [`between`] asks the same of git for any run that was, from snapshot
//! to snapshot.

pub mod between;
pub mod check;
pub mod commands;
pub mod counts;
mod detect;
pub mod measure;
pub mod not_run;
