//! Asks a program that answers immediately, within a time limit.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::process::Command;

/// Runs a program to its end with exactly this environment and nothing on its stdin; its stderr is dropped. A program
/// that takes longer than `limit` is killed, and that is an error.
pub async fn ask(
    program: &Path,
    arguments: &[&str],
    environment: &BTreeMap<OsString, OsString>,
    limit: Duration,
) -> io::Result<Output> {
    let child = Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(environment)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    tokio::time::timeout(limit, child.wait_with_output())
        .await
        .map_err(|_| io::Error::other(format!("it did not answer within {limit:?}")))?
}
