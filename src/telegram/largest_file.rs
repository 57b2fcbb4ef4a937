//! The largest file that the Bot API server takes, as far as it is known.
//!
//! Telegram's own takes 50 MB, one of your own with `--local` 2,000 MB. Any other address may be either: a plain
//! gateway in front of Telegram's looks the same, until it refuses a file.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::error::{About, ApiError};

const MB: u64 = 1024 * 1024;
/// Bot API: of Telegram's own server.
const OF_TELEGRAM: u64 = 50 * MB;
/// Bot API: of a local one.
const OF_LOCAL: u64 = 2_000 * MB;

/// Cheap to clone; all clones share what was learned. Until the end of the process.
#[derive(Clone, Debug)]
pub struct LargestFile {
    is_telegrams: Arc<AtomicBool>,
}

impl LargestFile {
    pub fn of(is_telegrams_own: bool) -> LargestFile {
        LargestFile {
            is_telegrams: Arc::new(AtomicBool::new(is_telegrams_own)),
        }
    }

    /// In bytes.
    pub fn bytes(&self) -> u64 {
        match self.is_telegrams.load(Ordering::Relaxed) {
            true => OF_TELEGRAM,
            false => OF_LOCAL,
        }
    }

    /// Refuses a file of so many bytes without sending it, as the server would.
    pub fn check(&self, bytes: u64) -> Result<(), ApiError> {
        match bytes > self.bytes() {
            true => Err(ApiError::Refused {
                code: 413,
                about: About::Size,
                description: "the file is too large".to_owned(),
            }),
            false => Ok(()),
        }
    }

    /// 413 for a file that a local server would take.
    pub fn learn<T>(&self, bytes: u64, answer: &Result<T, ApiError>) {
        if let Err(ApiError::Refused { code: 413, .. }) = answer
            && bytes > OF_TELEGRAM
        {
            self.is_telegrams.store(true, Ordering::Relaxed);
        }
    }
}
