//! A machine's clock, set from outside: libfaketime stands between the bot and the system. faketime(1).

use std::path::PathBuf;

use super::Machine;

/// Where Debian's package faketime has it, on any architecture.
fn library() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").ok()?.flatten();
    folders
        .map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"))
        .find(|library| library.exists())
}

/// Whether a clock can be set; where it must be possible, its absence is a failure.
pub fn can_be_set() -> bool {
    let found = library().is_some();
    assert!(
        found || std::env::var_os("TELECODER_TEST_ALL").is_none(),
        "libfaketime is missing (Debian: faketime)"
    );
    if !found {
        eprintln!("passed over: libfaketime is missing (Debian: faketime)");
    }
    found
}

/// Gives the machine a clock of its own, which shows `time` (as `2026-10-24 23:59:00`, in UTC) when the bot starts, and
/// goes on from there.
pub fn set(machine: Machine, time: &str) -> Machine {
    let file = machine.folder.path().join("clock");
    std::fs::write(&file, format!("@{time}\n")).expect("a clock");
    let library = library().expect("libfaketime");
    machine
        .with("LD_PRELOAD", library.display().to_string())
        .with("FAKETIME_TIMESTAMP_FILE", file.display().to_string())
        .with("FAKETIME_CACHE_DURATION", "1")
        .with("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .with("TZ", "UTC")
}

/// Moves the clock, while the bot is away.
pub fn move_to(machine: &Machine, time: &str) {
    let file = machine.folder.path().join("clock");
    std::fs::write(file, format!("@{time}\n")).expect("a clock");
}
