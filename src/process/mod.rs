//! Programs that telecoder starts, and the proof that nothing of them is left.
//!
//! claude has its keeper, which outlives the bot. Everything else, git that talks to the world and the checks,
//! runs below a *supervisor* ([`supervisor`]): a process of telecoder's own binary that ends what it holds when it is
//! told to, and when the bot is gone. [`supervised`] is the bot's side of it; [`sweep`] finds and ends who is left. [`ask`]
//! is for what answers at once.

/// Marks every process that a run started, however it detached itself; the value is the run's id.
pub const RUN_MARKER: &str = "TELECODER_RUN";

/// A process that has this in its environment, with any value, and what it starts, goes on when its run ends.
/// Only a command that somebody wrote so has it: it is taken out of what claude gets.
pub const KEEP_MARKER: &str = "TELECODER_KEEP";

pub mod ask;
pub mod supervised;
pub mod supervisor;
pub mod sweep;
mod terminal;
