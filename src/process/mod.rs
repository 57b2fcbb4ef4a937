//! Programs that telecoder starts, and the proof that nothing of them is left.
//!
//! claude has its keeper, which outlives the bot. Everything else, git that talks to the world and the checks,
//! runs below a *holder* ([`holder`]): a process of telecoder's own binary that ends what it holds when it is
//! told to, and when the bot is gone. [`held`] is the bot's side of it; [`sweep`] finds and ends who is left.

pub mod held;
pub mod holder;
pub mod sweep;
