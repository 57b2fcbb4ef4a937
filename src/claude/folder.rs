//! A run's folder: the only channel between the bot and the run's keeper.
//!
//! ```text
//! runs/<run id>/     0700
//!   spec.json        what to run                                    (bot, before the keeper starts)
//!   settings.json    claude's settings for the run                  (bot, before the keeper starts)
//!   input            FIFO that claude holds open as its stdin       (keeper)
//!   to-claude/       lines for claude, a file each, in the order of their names; emptied when passed on
//!                                                                   (bot; emptied by the keeper)
//!   events.jsonl     claude's stdout, a regular file, append-only   (claude)
//!   stderr.log       claude's and the keeper's stderr
//!   lock             held by the keeper; its process id is inside   (keeper)
//!   exit.json        how it ended: written whole or not at all      (keeper)
//! ```
//!
//! The run is alive while the lock is held. When the lock is free, `exit.json` says how the run ended; a run that has
//! begun and has no `exit.json` is lost.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::id::RunId;
use crate::redact::short::last_lines;

/// The keeper cuts a `stderr.log` with more bytes than this to its end.
const STDERR_MOST: u64 = 4 * 1024 * 1024;
const STDERR_KEPT: usize = 64 * 1024;

/// What the keeper runs. The environment is not in it: claude inherits the keeper's.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Spec {
    pub run: RunId,
    /// A name to look up on PATH, or a path.
    pub program: PathBuf,
    pub arguments: Vec<String>,
    pub workspace: PathBuf,
    /// The run is stopped after this many milliseconds.
    pub time_limit_ms: Option<u64>,
}

/// How a run ended, as its keeper records it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Exit {
    /// claude's exit code; `None` if a signal ended it or it never started.
    pub code: Option<i32>,
    pub signal: Option<i32>,
    /// Why claude could not be started.
    pub not_started: Option<NotStarted>,
    /// Why the keeper ended claude.
    pub stopped: Option<Stop>,
    /// Unix milliseconds.
    pub started_at: i64,
    pub ended_at: i64,
    /// CPU time of claude and of everything it started, in milliseconds.
    pub cpu_ms: u64,
    /// Peak memory of the largest of these processes, in KiB.
    pub peak_kib: u64,
    /// Processes that outlived claude and were ended.
    pub survivors: usize,
    /// Processes left running because they were started with `TELECODER_KEEP`.
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

/// Whether the run has a keeper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// No keeper has begun yet; one may be started.
    NotYet,
    /// A keeper with this process id is running.
    Alive(i32),
    /// A keeper has begun and is gone.
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

    /// What claude is started with by `--settings`.
    pub fn settings(&self) -> PathBuf {
        self.path.join("settings.json")
    }

    fn to_claude(&self) -> PathBuf {
        self.path.join("to-claude")
    }

    /// Leaves a line for claude; the keeper passes it on. Returns false if one with this key was left before.
    ///
    /// Only one bot at a time leaves lines, so two lines never get the same number.
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

    /// Removes all lines; to be called before the run has begun, when none of them can have been passed on.
    pub fn remove_lines(&self) -> io::Result<()> {
        match fs::remove_dir_all(self.to_claude()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// The keys that begin with `beginning`, without it, of all lines that were left for claude, passed on or not;
    /// oldest first.
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

    /// The oldest line that was not passed on to claude yet, open for reading, and marked as passed on: its file is
    /// emptied and stays. Marked first, because a line that claude gets twice is worse than one that it never gets.
    pub fn take_line(&self) -> io::Result<Option<File>> {
        let mut names = match names_in(&self.to_claude()) {
            Ok(names) => names,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        names.sort_unstable();
        for name in names {
            let path = self.to_claude().join(name);
            if fs::metadata(&path)?.len() > 0 {
                let line = File::open(&path)?;
                // Another file takes its name: this one can still be read to its end.
                write_whole(&path, b"", Sync::No)?;
                return Ok(Some(line));
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

    /// Makes the folder with its spec, claude's settings and its empty files. An existing folder is not an error.
    pub fn create(&self, spec: &Spec, settings: &str) -> io::Result<()> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.path)?;
        // Not synced: if the machine crashes before the run has begun, the bot writes it again.
        write_whole(&self.spec(), &serde_json::to_vec_pretty(spec)?, Sync::No)?;
        write_whole(&self.settings(), settings.as_bytes(), Sync::No)?;
        for file in [self.events(), self.stderr()] {
            private_append(&file)?;
        }
        Ok(())
    }

    pub fn read_spec(&self) -> io::Result<Spec> {
        Ok(serde_json::from_slice(&fs::read(self.spec())?)?)
    }

    /// Takes the lock for this process and writes its id into it, durably only after [`RunFolder::make_durable`].
    ///
    /// `None` if another process has the lock, or ever had it: a run never begins twice.
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
            // Another process is looking in `kept`, for a moment; or another keeper is about to write its id.
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Makes the run's beginning survive a crash of the machine, so that it never begins again.
    pub fn make_durable(&self, lock: &File) -> io::Result<()> {
        lock.sync_all()?;
        File::open(&self.path)?.sync_all()?;
        match self.path.parent() {
            Some(runs) => File::open(runs)?.sync_all(),
            None => Ok(()),
        }
    }

    /// Whether the run has a keeper.
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
            // A keeper has the lock and is about to write its id.
            (Err(TryLockError::WouldBlock), None) => Ok(Kept::NotYet),
            (Err(TryLockError::Error(error)), _) => Err(error),
        }
    }

    /// Records how the run ended; the record survives a crash of the machine.
    pub fn write_exit(&self, exit: &Exit) -> io::Result<()> {
        write_whole(&self.exit(), &serde_json::to_vec_pretty(exit)?, Sync::Yes)
    }

    /// `None` if there is no record, or none that can be read.
    pub fn read_exit(&self) -> Option<Exit> {
        let bytes = fs::read(self.exit()).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// The last lines of `stderr.log`, at most `limit` bytes of them, without blanks around them.
    pub fn stderr_end(&self, limit: usize) -> String {
        // More than is told, so that what is cut off here is not told.
        let end = last_bytes(&self.stderr(), 2 * limit).unwrap_or_default();
        last_lines(String::from_utf8_lossy(&end).trim(), limit)
    }

    /// Cuts a large `stderr.log` to its end. Lines that claude writes meanwhile may be lost.
    pub fn shorten_stderr(&self) -> io::Result<()> {
        let path = self.stderr();
        if fs::metadata(&path)?.len() <= STDERR_MOST {
            return Ok(());
        }
        let end = last_bytes(&path, STDERR_KEPT)?;
        // claude writes to its end, wherever that is.
        let mut file = OpenOptions::new().append(true).open(&path)?;
        file.set_len(0)?;
        file.write_all(&end)
    }
}

/// The end of a file, however long the file is.
fn last_bytes(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let limit = u64::try_from(limit).unwrap_or(u64::MAX);
    file.seek(SeekFrom::Start(length.saturating_sub(limit)))?;
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The names in a folder, without those of files that are being written.
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

/// Opens a file to append to, readable only by its owner.
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

/// A reader never sees half of the file. If it is synced, a crash leaves the old file or the new one.
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
