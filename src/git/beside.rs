//! What a snapshot keeps beside the content: rights of files that are not the usual ones, empty folders, and which
//! repositories are inside, and the state of files that are too large to be kept.
//!
//! git knows nothing of the first two. A look notes the rights of each file that is new or has changed; they stay noted
//! in the file
//! `beside` next to the index until the file changes again. Rights that change in the second in which the file was looked
//! at are missed: git compares seconds.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, percent_encode};
use uuid::Uuid;

use super::found::is_behind_link;
use super::present::is_in_another_repository;
use super::repository::Repository;

/// How many empty folders are kept.
const FOLDERS_MOST: usize = 1_000;
/// The lines of a snapshot's message: rights in octal with a path, and a path; both percent-encoded.
const RIGHTS: &str = "rights: ";
const FOLDER: &str = "folder: ";
/// A large file: its state, which has no blank, and its path.
const LARGE: &str = "large: ";
/// Repositories inside, and those that could not be kept.
const REPOSITORY: &str = "repository: ";
const UNKEPT: &str = "not kept: ";
/// The person's index of which all files are known.
const SEEN: &str = "seen: ";
const NOT_IN_A_LINE: &AsciiSet = &CONTROLS.add(b'%');
/// The bits that are kept.
const BITS: u32 = 0o7777;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beside {
    rights: BTreeMap<PathBuf, u32>,
    folders: BTreeSet<PathBuf>,
    /// The files that are too large to be kept, each with what shows that it has changed: size, time and inode.
    large: BTreeMap<PathBuf, String>,
    /// The repositories inside that the index has.
    pub(super) repositories: BTreeSet<PathBuf>,
    /// Repositories inside, with their paths in the session's workspace, that are in no snapshot.
    pub unkept: BTreeSet<PathBuf>,
    /// The state of the person's index of which all files are known.
    pub(super) seen: Option<String>,
}

impl Beside {
    /// What the last look has noted beside its index; `None` if there is no index, or it is not the one of these notes.
    pub(super) fn noted(repository: Repository<'_>) -> Option<Beside> {
        let noted = fs::read_to_string(file(repository)).ok()?;
        let (stamp, noted) = noted.split_once('\n').unwrap_or((&noted, ""));
        let is_of_it = stamp == stamp_of(&repository.last_index()).ok()?;
        is_of_it.then(|| Beside::in_message(noted))
    }

    /// Notes it for the next look, beside this index, which is, or becomes, that of the last look.
    pub(super) fn note(&self, repository: Repository<'_>, index: &Path) -> io::Result<()> {
        let file = file(repository);
        let new = file.with_added_extension(Uuid::new_v4().simple().to_string());
        let noted = format!("{}{}", stamp_of(index)?, self.lines());
        let kept = fs::write(&new, noted).and_then(|()| fs::rename(&new, file));
        kept.inspect_err(|_| drop(fs::remove_file(&new)))
    }

    /// Takes the rights of a file as they are now; one that is not there has none.
    pub(super) fn look_at(&mut self, workspace: &Path, path: &Path) {
        let there = workspace.join(path).symlink_metadata();
        let mode = there
            .ok()
            .filter(fs::Metadata::is_file)
            .map(|there| there.permissions().mode() & BITS);
        match mode.filter(|mode| !is_usual(*mode)) {
            Some(mode) => drop(self.rights.insert(path.to_owned(), mode)),
            None => drop(self.rights.remove(path)),
        }
    }

    /// Takes the folders that have nothing, as many as there is room for.
    pub(super) fn set_folders(&mut self, folders: BTreeSet<PathBuf>) {
        self.folders = folders.into_iter().take(FOLDERS_MOST).collect();
    }

    /// Takes the states of these files.
    pub(super) fn set_large(&mut self, workspace: &Path, paths: &BTreeSet<Vec<u8>>) {
        let states = paths.iter().filter_map(|path| {
            let path = PathBuf::from(OsStr::from_bytes(path));
            let there = workspace.join(&path).symlink_metadata().ok()?;
            let (seconds, nanoseconds) = (there.mtime(), there.mtime_nsec());
            let state = format!("{}-{seconds}.{nanoseconds}-{}", there.len(), there.ino());
            Some((path, state))
        });
        self.large = states.collect();
    }

    /// The large files that are others than then, or only then or now large.
    pub fn large_since<'a>(&'a self, then: &'a Beside) -> Vec<&'a Path> {
        let all = self.large.keys().chain(then.large.keys());
        let all: BTreeSet<&PathBuf> = all.collect();
        let is_other = |path: &&PathBuf| self.large.get(*path) != then.large.get(*path);
        all.into_iter()
            .filter(is_other)
            .map(PathBuf::as_path)
            .collect()
    }

    /// As lines of a snapshot's message.
    pub(super) fn lines(&self) -> String {
        let encoded =
            |path: &Path| percent_encode(path.as_os_str().as_bytes(), NOT_IN_A_LINE).to_string();
        let rights = self.rights.iter();
        let rights = rights.map(|(path, mode)| format!("\n{RIGHTS}{mode:o} {}", encoded(path)));
        let folders = self.folders.iter();
        let folders = folders.map(|path| format!("\n{FOLDER}{}", encoded(path)));
        let large = self.large.iter();
        let large = large.map(|(path, state)| format!("\n{LARGE}{state} {}", encoded(path)));
        let repositories = self.repositories.iter();
        let repositories = repositories.map(|path| format!("\n{REPOSITORY}{}", encoded(path)));
        let unkept = self.unkept.iter();
        let unkept = unkept.map(|path| format!("\n{UNKEPT}{}", encoded(path)));
        let seen = self.seen.iter().map(|seen| format!("\n{SEEN}{seen}"));
        let lines = rights.chain(folders).chain(large);
        let lines = lines.chain(repositories).chain(unkept);
        lines.chain(seen).collect()
    }

    pub(super) fn in_message(message: &str) -> Beside {
        let path =
            |text: &str| PathBuf::from(OsString::from_vec(percent_decode_str(text).collect()));
        let mut beside = Beside::default();
        for line in message.lines() {
            if let Some((mode, name)) = line.strip_prefix(RIGHTS).and_then(|it| it.split_once(' '))
                && let Ok(mode) = u32::from_str_radix(mode, 8)
            {
                beside.rights.insert(path(name), mode & BITS);
            }
            if let Some((state, name)) = line.strip_prefix(LARGE).and_then(|it| it.split_once(' '))
            {
                beside.large.insert(path(name), state.to_owned());
            }
            for (prefix, paths) in [
                (FOLDER, &mut beside.folders),
                (REPOSITORY, &mut beside.repositories),
                (UNKEPT, &mut beside.unkept),
            ] {
                paths.extend(line.strip_prefix(prefix).map(path));
            }
            if let Some(seen) = line.strip_prefix(SEEN) {
                beside.seen = Some(seen.to_owned());
            }
        }
        beside
    }

    /// Whether rights and empty folders are the same.
    pub(super) fn has_same_to_put_back(&self, other: &Beside) -> bool {
        (&self.rights, &self.folders) == (&other.rights, &other.folders)
    }

    /// Puts rights and empty folders back. `kept` are the files that the snapshot has: no other one is touched.
    pub(super) fn put_back(
        &self,
        from: &Beside,
        repository: Repository<'_>,
        kept: &BTreeSet<PathBuf>,
    ) -> io::Result<()> {
        let workspace = repository.workspace;
        let is_ours = |path: &Path| {
            !is_behind_link(workspace, path) && !is_in_another_repository(workspace, path)
        };
        for path in from.rights.keys().chain(self.rights.keys()) {
            let place = workspace.join(path);
            let Ok(there) = place.symlink_metadata() else {
                continue;
            };
            if !there.is_file() || !kept.contains(path) || !is_ours(path) {
                continue;
            }
            let is = there.permissions().mode() & BITS;
            let mode = self.rights.get(path).copied();
            let mode = mode.unwrap_or_else(|| usual(is & 0o100 != 0));
            if mode != is {
                fs::set_permissions(&place, fs::Permissions::from_mode(mode))?;
            }
        }
        for path in from.folders.difference(&self.folders) {
            let around = path.ancestors().take_while(|folder| {
                !folder.as_os_str().is_empty() && !self.folders.contains(*folder)
            });
            for folder in around.filter(|_| is_ours(path)) {
                // It may have something by now.
                if fs::remove_dir(workspace.join(folder)).is_err() {
                    break;
                }
            }
        }
        for path in &self.folders {
            if is_ours(path) {
                // Something else may lie there.
                let _ = fs::create_dir_all(workspace.join(path));
            }
        }
        Ok(())
    }
}

fn file(repository: Repository<'_>) -> PathBuf {
    repository.folder().join("beside")
}

/// What tells an index from one that was written before or after it.
fn stamp_of(index: &Path) -> io::Result<String> {
    let there = index.metadata()?;
    let (seconds, nanoseconds) = (there.mtime(), there.mtime_nsec());
    Ok(format!("{seconds}.{nanoseconds} {}", there.len()))
}

fn is_usual(mode: u32) -> bool {
    mode == usual(false) || mode == usual(true)
}

/// The rights of a file that git writes.
fn usual(executes: bool) -> u32 {
    let most = if executes { 0o777 } else { 0o666 };
    most & !umask()
}

/// Of this process, which git inherits. Format: proc_pid_status(5).
fn umask() -> u32 {
    const COMMON: u32 = 0o022;
    static UMASK: std::sync::LazyLock<u32> = std::sync::LazyLock::new(|| {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("Umask:"));
        let mask = mask.and_then(|mask| u32::from_str_radix(mask.trim(), 8).ok());
        mask.unwrap_or(COMMON)
    });
    *UMASK
}
