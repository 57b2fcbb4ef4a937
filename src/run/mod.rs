//! A run: what claude does from a prompt, or from a beginning of its own, until it is idle.
//!
//! `start` prepares the folder and starts the keeper, or `reuse` lets it begin in a claude that lives; `drive` follows the run to its end, also after a restart of the
//! bot; `answer` decides what a run tells the chat, `asked` what its questions become, `ending` what ends with it,
//! `deeds` what claude did by itself; `hold` delays a chat for a limit or a login; `again` continues a run that was cut off. How a run ends is data.

pub mod again;
pub mod answer;
pub mod asked;
pub mod deeds;
pub mod drive;
pub mod ending;
pub mod hold;
mod reuse;
pub mod said;
pub mod start;
