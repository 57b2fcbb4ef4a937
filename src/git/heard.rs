//! What git writes while it works, a whole line at a time.

use crate::redact::private_key;

/// The line that git is writing; a piece of it may be a piece of a secret.
#[derive(Default)]
pub(super) struct LineBegun {
    begun: Vec<u8>,
    keys: private_key::Lines,
}

impl LineBegun {
    /// A longer line is not shown.
    const LONGEST: usize = 4096;

    /// The newest line that is complete with this piece, if it says something.
    pub(super) fn take(&mut self, chunk: &[u8]) -> Option<String> {
        let mut newest = None;
        for piece in chunk.split_inclusive(|byte| matches!(byte, b'\r' | b'\n')) {
            self.begun.extend_from_slice(piece);
            if !piece.ends_with(b"\r") && !piece.ends_with(b"\n") {
                self.begun.truncate(LineBegun::LONGEST + 1);
                continue;
            }
            let line = std::mem::take(&mut self.begun);
            let line = String::from_utf8_lossy(&line).trim().to_owned();
            if !line.is_empty() && line.len() <= LineBegun::LONGEST {
                newest = Some(self.keys.shown(line));
            }
        }
        newest
    }
}
