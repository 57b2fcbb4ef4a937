//! A copy of the database, made while the bot may run. SQLite: the online backup.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

/// The running bot finishes what is pending, and its links let in whom they let in: a copy must do neither once more.
const IN_A_COPY: [&str; 4] = [
    "UPDATE updates SET state = 'set_aside', failure = 'it was waiting when the backup was made'
     WHERE state = 'stored'",
    "UPDATE runs SET held = 1 WHERE state = 'queued'",
    "UPDATE jobs SET state = 'ended' WHERE state = 'due'",
    "DELETE FROM invites",
];
/// The number in the file's head that SQLite leaves to its user. SQLite: `PRAGMA application_id`.
const MARK: &str = "application_id";
const IS_A_COPY: i32 = 0x7463_6270;

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
    if !database.exists() {
        bail!(
            "there is no database at {} yet, so there is nothing to copy; telecoder makes it when it runs for the first time",
            database.display()
        );
    }
    let source = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)
        .with_context(|| format!("the database {} cannot be opened", database.display()))?;
    let mut half = target.as_os_str().to_owned();
    half.push(".half");
    let half = PathBuf::from(half);
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&half)
        .with_context(|| format!("no backup was made: {} cannot be written", half.display()))?;
    let copied = copy(&source, &half, &file).and_then(|()| {
        std::fs::rename(&half, target).context("the finished copy cannot be given its name")
    });
    if copied.is_err() {
        let _ = std::fs::remove_file(&half);
    }
    copied.with_context(|| format!("no backup was made in {}", target.display()))?;
    let folder = target
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    Ok(std::fs::metadata(target)?.len())
}

/// Whether this database is a copy that is used for the first time; tells it once.
pub fn is_restored(db: &Connection) -> rusqlite::Result<bool> {
    let mark: i32 = db.pragma_query_value(None, MARK, |row| row.get(0))?;
    if mark == IS_A_COPY {
        db.pragma_update(None, MARK, 0)?;
    }
    Ok(mark == IS_A_COPY)
}

fn copy(source: &Connection, half: &Path, file: &File) -> anyhow::Result<()> {
    let mut copy = Connection::open(half)?;
    // One step is enough: in WAL mode, readers and writers do not block each other.
    let step = Backup::new(source, &mut copy)?.step(-1)?;
    if step != StepResult::Done {
        bail!("the copy did not come to its end ({step:?})");
    }
    for change in IN_A_COPY {
        match copy.execute(change, []) {
            // A database of an older telecoder has not all of it.
            Err(error) if error.to_string().starts_with("no such ") => {}
            done => drop(done?),
        }
    }
    copy.pragma_update(None, MARK, IS_A_COPY)?;
    // A copy in WAL mode would need two more files.
    copy.pragma_update(None, "journal_mode", "DELETE")?;
    let verdict: String = copy.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    if verdict != "ok" {
        bail!("SQLite finds fault with the copy: {verdict}");
    }
    drop(copy);
    file.sync_all().context("the copy cannot be made durable")?;
    Ok(())
}
