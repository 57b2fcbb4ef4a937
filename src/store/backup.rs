//! A copy of the database, taken beside a bot that is at work. SQLite: the online backup.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, bail};
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

/// Copies the database to a new file, readable by nobody else, and checks the copy. Returns its size in bytes.
///
/// The file appears whole or not at all. Errors: the file is there already, the database cannot be read, the
/// disk is full.
pub fn to_file(database: &Path, target: &Path) -> anyhow::Result<u64> {
    if target.exists() {
        bail!(
            "{} is there already and was left as it is; name another file",
            target.display()
        );
    }
    let source = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)
        .with_context(|| format!("the database {} cannot be opened", database.display()))?;
    let half = target.with_extension("half");
    let copied = copy(&source, &half).and_then(|()| {
        std::fs::rename(&half, target).context("the finished copy cannot be given its name")
    });
    if copied.is_err() {
        let _ = std::fs::remove_file(&half);
    }
    copied.with_context(|| format!("no backup was made in {}", target.display()))?;
    Ok(std::fs::metadata(target)?.len())
}

fn copy(source: &Connection, half: &Path) -> anyhow::Result<()> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(half)
        .context("the file cannot be written")?;
    let mut copy = Connection::open(half)?;
    // All in one step: a reader holds up no writer, and is not held up by one (WAL).
    let step = Backup::new(source, &mut copy)?.step(-1)?;
    if step != StepResult::Done {
        bail!("the copy did not come to its end ({step:?})");
    }
    // One file: a copy in WAL mode would want two more beside it.
    copy.pragma_update(None, "journal_mode", "DELETE")?;
    let verdict: String = copy.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    if verdict != "ok" {
        bail!("SQLite finds fault with the copy: {verdict}");
    }
    drop(copy);
    file.sync_all().context("the copy cannot be made durable")?;
    Ok(())
}
