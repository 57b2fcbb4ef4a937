//! The binary: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    give_large_blocks_back();
    telecoder::cli::run()
}

/// Once glibc has seen a large block freed, it keeps such blocks for later instead of giving them back: one very
/// long answer would stay in memory, and its copies beside it. With a fixed limit it does not. Has to be set
/// before anything is allocated that counts, so it is here.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn give_large_blocks_back() {
    const LARGE: i32 = 1024 * 1024;
    // SAFETY: sets a number of the allocator while there is no other thread.
    unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE) };
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn give_large_blocks_back() {}
