//! A copy of the database, made while the bot may run. SQLite: the online backup.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use fail::fail_point;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use tempfile::{Builder, NamedTempFile};

use super::OpenError;
use super::checkup::{self, Schema};

/// The end of the name of a copy that is being made.
const HALF: &str = ".half";

/// The number in the file's head that SQLite leaves to its user. SQLite: `PRAGMA application_id`.
const MARK: &str = "application_id";
const IS_A_COPY: i32 = 0x7463_6270;

/// Copies the database to a new file, readable by nobody else, and checks the copy. Returns its size in bytes.
///
/// The file appears whole or not at all. Errors: the file is there already, the database cannot be read or is of a newer
/// telecoder, the disk is full.
pub fn to_file(database: &Path, target: &Path) -> anyhow::Result<u64> {
    if !database.exists() {
        bail!(
            "there is no database at {} yet, so there is nothing to copy; telecoder makes it when it runs for the first time",
            database.display()
        );
    }
    let source = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)
        .with_context(|| format!("the database {} cannot be opened", database.display()))?;
    if checkup::schema(&source)? == Schema::Newer {
        return Err(OpenError::Newer)
            .with_context(|| format!("no backup was made of {}", database.display()));
    }
    let half = half_of(target)
        .with_context(|| format!("no backup was made: {} cannot be written", target.display()))?;
    copy(&source, &half)
        .and_then(|()| {
            half.persist_noclobber(target)
                .context("the finished copy cannot be given its name")
        })
        .with_context(|| format!("no backup was made in {}", target.display()))?;
    File::open(folder_of(target))?.sync_all()?;
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

/// The file for the copy, beside its target. Those of killed backups to the same target are removed.
fn half_of(target: &Path) -> std::io::Result<NamedTempFile> {
    let folder = folder_of(target);
    let name = target.file_name().unwrap_or_default().display();
    let before = format!("{name}.");
    for left in left_behind(&folder, &before) {
        // Somebody may have taken it away meanwhile.
        let _ = std::fs::remove_file(left);
    }
    let half = Builder::new()
        .prefix(&before)
        .rand_bytes(RANDOM)
        .suffix(HALF)
        .tempfile_in(folder)?;
    // Held as long as the file is open: no other backup takes it for left behind.
    half.as_file().lock()?;
    Ok(half)
}

/// How many random letters are in the name of a copy that is being made.
const RANDOM: usize = 12;

/// The copies in a folder that nobody makes any more.
fn left_behind(folder: &Path, before: &str) -> Vec<PathBuf> {
    let is_ours = |name: &str| {
        name.strip_prefix(before)
            .and_then(|rest| rest.strip_suffix(HALF))
            .is_some_and(|middle| {
                middle.len() == RANDOM && middle.bytes().all(|byte| byte.is_ascii_alphanumeric())
            })
    };
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_name().to_str().is_some_and(is_ours))
        .map(|entry| entry.path())
        .filter(|path| File::open(path).is_ok_and(|file| file.try_lock_shared().is_ok()))
        .collect()
}

fn folder_of(target: &Path) -> PathBuf {
    let folder = target
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new(".")).to_owned()
}

fn copy(source: &Connection, half: &NamedTempFile) -> anyhow::Result<()> {
    let mut copy = Connection::open(half.path())?;
    // One step is enough: in WAL mode, readers and writers do not block each other.
    let step = Backup::new(source, &mut copy)?.step(-1)?;
    if step != StepResult::Done {
        bail!("the copy did not come to its end ({step:?})");
    }
    fail_point!("backup-copied", |_| std::process::abort());
    put_to_rest(&copy)?;
    copy.pragma_update(None, MARK, IS_A_COPY)?;
    // A copy in WAL mode would need two more files.
    copy.pragma_update(None, "journal_mode", "DELETE")?;
    let verdict: String = copy.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    if verdict != "ok" {
        bail!("SQLite finds fault with the copy: {verdict}");
    }
    drop(copy);
    half.as_file()
        .sync_all()
        .context("the copy cannot be made durable")?;
    Ok(())
}

/// The running bot finishes what is pending: the copy must not do it again.
fn put_to_rest(copy: &Connection) -> rusqlite::Result<()> {
    copy.execute_batch(
        "UPDATE updates SET state = 'set_aside', failure = 'it was waiting when the backup was made'
             WHERE state = 'stored';",
    )?;
    // A database from before an upgrade lacks what is newer.
    copy.execute_batch(match has(copy, "runs", "held")? {
        true => "UPDATE runs SET held = 1 WHERE state = 'queued';",
        false => {
            "UPDATE runs SET state = 'ended', outcome = 'stopped', ended_at = queued_at WHERE state = 'queued';"
        }
    })?;
    if has(copy, "jobs", "state")? {
        copy.execute_batch("UPDATE jobs SET state = 'ended' WHERE state = 'due';")?;
    }
    // The links of the running bot let in whom they let in; those of a copy nobody.
    if has(copy, "page_keys", "hash")? {
        copy.execute_batch("DELETE FROM page_keys;")?;
    }
    if has(copy, "invites", "code")? {
        copy.execute_batch("DELETE FROM invites;")?;
    }
    Ok(())
}

fn has(db: &Connection, table: &str, column: &str) -> rusqlite::Result<bool> {
    db.prepare("SELECT 1 FROM pragma_table_info(?1) WHERE name = ?2")?
        .exists([table, column])
}
