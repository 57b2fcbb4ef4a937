//! A run's folder: the one place through which bot and keeper speak with each other.
//!
//! ```text
//! runs/<run id>/     0700
//!   spec.json        what to run                                    (bot, before the keeper starts)
//!   input            FIFO that claude holds open as its stdin       (keeper)
//!   to-claude/       lines that are to go to claude, in the order of their names; empty when they have gone
//!                                                                   (bot; emptied by the keeper)
//!   events.jsonl     claude's stdout, a regular file, append-only   (claude)
//!   stderr.log       claude's and the keeper's stderr
//!   lock             held by the keeper; its process id is inside   (keeper)
//!   exit.json        how it ended: written whole or not at all      (keeper)
//! ```
//!
//! Lock held: the run is alive. Free and `exit.json` there: it ended. Free, begun, and no `exit.json`: lost.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::id::RunId;

/// What the keeper runs. The environment is not in it: the keeper's own is claude's.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Spec {
    pub run: RunId,
    /// A name to look for on PATH, or a path.
    pub program: PathBuf,
    pub arguments: Vec<String>,
    pub workspace: PathBuf,
    /// Lines that go to claude's input as soon as it starts.
    pub first_input: String,
    /// The run is stopped when it takes longer than this many milliseconds.
    pub time_limit_ms: Option<u64>,
}

/// How a run ended, in the keeper's words.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Exit {
    /// claude's exit code; none when a signal ended it or it never started.
    pub code: Option<i32>,
    pub signal: Option<i32>,
    /// Why it could not be started.
    pub not_started: Option<NotStarted>,
    /// Why the keeper ended it.
    pub stopped: Option<Stop>,
    /// Unix milliseconds.
    pub started_at: i64,
    pub ended_at: i64,
    /// CPU time of claude and of everything it started, in milliseconds.
    pub cpu_ms: u64,
    /// Peak memory of the largest of them, in KiB.
    pub peak_kib: u64,
    /// Processes that outlived claude and were ended.
    pub survivors: usize,
    /// Processes that go on because they were started with `TELECODER_KEEP`.
    #[serde(default)]
    pub kept: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotStarted {
    /// There is no such program.
    ProgramMissing,
    WorkspaceMissing,
    /// Anything else, in the system's words.
    Refused(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    Asked,
    TimeLimit,
}

/// Whether somebody keeps the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// No keeper has begun yet; one may be started.
    NotYet,
    /// A keeper with this process id is at work.
    Alive(i32),
    /// A keeper had begun and is gone.
    Gone,
}

/// The paths of one run.
#[derive(Clone, Debug)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    pub fn new(path: impl Into<PathBuf>) -> RunFolder {
        RunFolder { path: path.into() }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn input(&self) -> PathBuf {
        self.path.join("input")
    }

    pub fn events(&self) -> PathBuf {
        self.path.join("events.jsonl")
    }

    pub fn stderr(&self) -> PathBuf {
        self.path.join("stderr.log")
    }

    fn to_claude(&self) -> PathBuf {
        self.path.join("to-claude")
    }

    /// Leaves a line for claude; the keeper passes it on. Returns false where one with this key was left before.
    ///
    /// One bot at a time leaves lines, so their numbers are its own to give.
    pub fn leave_line(&self, key: &str, line: &str) -> io::Result<bool> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(self.to_claude())?;
        let mut next = 0;
        for name in names_in(&self.to_claude())? {
            let Some((number, of)) = name.split_once('-') else {
                continue;
            };
            if of == key {
                return Ok(false);
            }
            next = next.max(number.parse().unwrap_or(0) + 1);
        }
        let path = self.to_claude().join(format!("{next:06}-{key}"));
        write_whole(&path, line.as_bytes(), Sync::No)?;
        Ok(true)
    }

    /// The keys of the lines that were left for claude and begin so, gone or not, in the order of their leaving;
    /// without that beginning.
    pub fn keys_left(&self, beginning: &str) -> io::Result<Vec<String>> {
        let mut names = match names_in(&self.to_claude()) {
            Ok(names) => names,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        names.sort_unstable();
        let keys = names
            .iter()
            .filter_map(|name| Some(name.split_once('-')?.1));
        let keys = keys.filter_map(|key| key.strip_prefix(beginning));
        Ok(keys.map(str::to_owned).collect())
    }

    /// The next line that was left for claude and has not gone, with its place.
    pub fn next_line(&self) -> io::Result<Option<(PathBuf, Vec<u8>)>> {
        let mut names = match names_in(&self.to_claude()) {
            Ok(names) => names,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        names.sort_unstable();
        for name in names {
            let path = self.to_claude().join(name);
            let line = fs::read(&path)?;
            if !line.is_empty() {
                return Ok(Some((path, line)));
            }
        }
        Ok(None)
    }

    fn lock(&self) -> PathBuf {
        self.path.join("lock")
    }

    fn spec(&self) -> PathBuf {
        self.path.join("spec.json")
    }

    fn exit(&self) -> PathBuf {
        self.path.join("exit.json")
    }

    /// Makes the folder with its spec and its empty files. Harmless where it is there already.
    pub fn create(&self, spec: &Spec) -> io::Result<()> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.path)?;
        // Not synced: a crash of the machine before the run is begun has it written again.
        write_whole(&self.spec(), &serde_json::to_vec_pretty(spec)?, Sync::No)?;
        for file in [self.events(), self.stderr()] {
            private_append(&file)?;
        }
        Ok(())
    }

    pub fn read_spec(&self) -> io::Result<Spec> {
        Ok(serde_json::from_slice(&fs::read(self.spec())?)?)
    }

    /// Takes the lock for a keeper and writes its process id into it. That it was begun is durable only after
    /// [`RunFolder::make_durable`].
    ///
    /// `None` when another keeper has it, or had it once: a run is never begun twice.
    pub fn begin(&self) -> io::Result<Option<File>> {
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(self.lock())?;
        loop {
            let locked = match lock.try_lock() {
                Ok(()) => true,
                Err(TryLockError::WouldBlock) => false,
                Err(TryLockError::Error(error)) => return Err(error),
            };
            let mut begun_by = String::new();
            lock.rewind()?;
            lock.read_to_string(&mut begun_by)?;
            if !begun_by.is_empty() {
                return Ok(None);
            }
            if locked {
                writeln!(lock, "{}", std::process::id())?;
                return Ok(Some(lock));
            }
            // Somebody looks who keeps it, for a moment; or another keeper is about to write its id.
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// That a run was begun survives a crash of the machine: it is never begun again.
    pub fn make_durable(&self, lock: &File) -> io::Result<()> {
        lock.sync_all()?;
        File::open(&self.path)?.sync_all()?;
        match self.path.parent() {
            Some(runs) => File::open(runs)?.sync_all(),
            None => Ok(()),
        }
    }

    /// Whether somebody keeps the run.
    pub fn kept(&self) -> io::Result<Kept> {
        let mut lock = match File::open(self.lock()) {
            Ok(lock) => lock,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Kept::NotYet),
            Err(error) => return Err(error),
        };
        let mut begun_by = String::new();
        lock.read_to_string(&mut begun_by)?;
        let keeper = begun_by.trim().parse().ok();
        match (lock.try_lock_shared(), keeper) {
            (Ok(()), None) => Ok(Kept::NotYet),
            (Ok(()), Some(_)) => Ok(Kept::Gone),
            (Err(TryLockError::WouldBlock), Some(keeper)) => Ok(Kept::Alive(keeper)),
            // It has the lock and is about to write its id.
            (Err(TryLockError::WouldBlock), None) => Ok(Kept::NotYet),
            (Err(TryLockError::Error(error)), _) => Err(error),
        }
    }

    /// Leaves word of how the run ended; survives a crash of the machine.
    pub fn write_exit(&self, exit: &Exit) -> io::Result<()> {
        write_whole(&self.exit(), &serde_json::to_vec_pretty(exit)?, Sync::Yes)
    }

    /// `None` while there is no word, or none that can be read.
    pub fn read_exit(&self) -> Option<Exit> {
        let bytes = fs::read(self.exit()).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// The last lines of `stderr.log`, at most `limit` bytes.
    pub fn stderr_end(&self, limit: usize) -> String {
        let bytes = fs::read(self.stderr()).unwrap_or_default();
        let start = bytes.len().saturating_sub(limit);
        String::from_utf8_lossy(&bytes[start..]).trim().to_owned()
    }
}

/// The names in a folder, but for files that are being written.
fn names_in(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !name.ends_with(".tmp") {
            names.push(name);
        }
    }
    Ok(names)
}

/// A line that was left has gone to claude; that it was there stays.
pub fn mark_gone(line: &Path) -> io::Result<()> {
    File::create(line).map(drop)
}

/// A file that is only appended to, readable by nobody else.
pub fn private_append(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
}

/// Whether a file survives a crash of the machine.
#[derive(PartialEq, Eq)]
enum Sync {
    Yes,
    No,
}

/// Whole or not at all: a reader never sees half of it. Synced, a crash leaves the old file or the new one.
fn write_whole(path: &Path, bytes: &[u8], sync: Sync) -> io::Result<()> {
    let temporary = path.with_extension("tmp");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&temporary)?;
    file.write_all(bytes)?;
    if sync == Sync::Yes {
        file.sync_all()?;
    }
    fs::rename(&temporary, path)?;
    if let (Sync::Yes, Some(folder)) = (sync, path.parent()) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}
