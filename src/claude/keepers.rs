//! Who keeps runs on this machine, seen from outside by a process that may be root.
//!
//! It only reads `/proc`: what is in the data folder, claude can write, and root had better not open it.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// How many keepers are at work with runs below this folder.
pub fn count_below(folder: &Path) -> usize {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter(|entry| {
            fs::read(entry.path().join("cmdline")).is_ok_and(|line| is_keeper_below(&line, folder))
        })
        .count()
}

/// Format: proc_pid_cmdline(5); the words are those of [`super::host::launch`].
fn is_keeper_below(line: &[u8], folder: &Path) -> bool {
    let mut words = line.split(|byte| *byte == 0);
    words.next() == Some(b"telecoder")
        && words.next() == Some(b"keep")
        && words
            .next()
            .is_some_and(|run| Path::new(std::ffi::OsStr::from_bytes(run)).starts_with(folder))
}
