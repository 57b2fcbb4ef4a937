//! The binary: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    give_large_blocks_back();
    telecoder::cli::run()
}

/// Has glibc give large blocks back to the system. Otherwise it keeps such blocks once one was freed: a very long
/// answer and its copies would stay in memory. Has to run before any allocation that counts.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn give_large_blocks_back() {
    const LARGE: i32 = 1024 * 1024;
    // SAFETY: sets a number of the allocator while there is no other thread.
    unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE) };
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn give_large_blocks_back() {}
