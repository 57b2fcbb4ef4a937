//! Finds the keepers on this machine, for a process that may be root.
//!
//! Reads only `/proc`: claude can write to the data folder, so root had better open nothing in it.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// How many runs below this folder have a running keeper. Counts runs, not processes: a process that a keeper is about
/// to start still looks like the keeper.
pub fn count_below(folder: &Path) -> usize {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| fs::read(entry.path().join("cmdline")).ok())
        .filter_map(|line| run_of(&line))
        .filter(|run| run.starts_with(folder))
        .collect::<BTreeSet<PathBuf>>()
        .len()
}

/// The folder of a keeper's run. Format: proc_pid_cmdline(5); the arguments are those of [`super::host::launch`].
fn run_of(line: &[u8]) -> Option<PathBuf> {
    let mut words = line.split(|byte| *byte == 0);
    let is_keeper = words.next() == Some(b"telecoder") && words.next() == Some(b"keep");
    is_keeper.then_some(())?;
    Some(PathBuf::from(OsStr::from_bytes(words.next()?)))
}
