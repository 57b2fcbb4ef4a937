//! Programs that telecoder starts, and the proof that no process of theirs is left.
//!
//! claude has its keeper, which outlives the bot. Checks, git over the network and other long programs run below a
//! *supervisor* ([`supervisor`]): a process of telecoder's own binary that ends its program when told to, and when the
//! bot is gone. [`supervised`] is the bot's side of it; [`sweep`] ends leftover processes; [`pressure`] says when
//! memory is short. [`ask`] is for programs that answer immediately, [`login_shell`] for the one that knows a person's
//! environment.

/// Marks every process that a run started, however it detached itself; the value is the run's id.
pub const RUN_MARKER: &str = "TELECODER_RUN";

/// A process with this variable, whatever its value, continues after its run, with everything it starts. Only a command
/// that sets it has it: it is removed from claude's environment.
pub const KEEP_MARKER: &str = "TELECODER_KEEP";

pub mod ask;
pub mod login_shell;
pub mod pressure;
pub mod supervised;
pub mod supervisor;
pub mod sweep;
mod terminal;
