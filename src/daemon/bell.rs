//! The bell: how another telecoder process tells the bot that it changed the store.
//!
//! It rings by rewriting a file in a folder that the bot watches. Without the bell a change is noticed a little later,
//! because the bot looks by itself now and then.

use std::path::{Path, PathBuf};

/// The folder that is watched, in the data folder.
pub(super) fn folder(data: &Path) -> PathBuf {
    data.join("bell")
}

/// Wakes the bot that works in this data folder, if there is one.
pub fn ring(data: &Path) {
    // The bot finds the change without it too.
    let _ = std::fs::write(folder(data).join("rung"), b"");
}
