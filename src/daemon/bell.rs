//! The bell: how another telecoder process says that it has written something into the store.
//!
//! A file in the data folder that is written anew; the bot watches its folder. Whoever cannot ring is noticed a little
//! later, because the bot looks by itself now and then.

use std::path::{Path, PathBuf};

/// The folder that is watched, in the data folder.
pub(super) fn folder(data: &Path) -> PathBuf {
    data.join("bell")
}

/// Wakes the bot that works in this data folder, if there is one.
pub fn ring(data: &Path) {
    // What is written down does not depend on it.
    let _ = std::fs::write(folder(data).join("rung"), b"");
}
