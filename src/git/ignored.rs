//! What was written since a moment that git does not see: files that it ignores, and its own settings and hooks.
//!
//! The time of the last change of a file's status (`ctime`, stat(2)) tells, which no program can set back.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::repository::{Repository, common_folder};
use super::{GitError, changes};
use crate::domain::changes::Ignored;

/// How many entries are looked at, and how long that may take.
const ENTRIES_MOST: usize = 300_000;
const LOOK_LIMIT: Duration = Duration::from_secs(3);
/// git's own files of which a person has something.
const OWN: [&str; 5] = [
    "config",
    "config.worktree",
    "info/attributes",
    "info/exclude",
    "info/sparse-checkout",
];

/// What was found, and whether all was looked at.
pub struct Found {
    pub ignored: Ignored,
    pub is_whole: bool,
}

/// `since` is in Unix milliseconds. The names are paths in the session's workspace. git's own files do not count
/// where the whole repository is new.
pub async fn written(
    repository: Repository<'_>,
    since: i64,
    is_new: bool,
) -> Result<Found, GitError> {
    let listed = changes::ignored(repository.git, repository.workspace).await?;
    let workspace = repository.workspace.to_owned();
    let name = repository.name().to_owned();
    let git_folder = repository.git_folder().filter(|_| !is_new);
    let look = move || {
        let mut look = Look {
            since,
            left: ENTRIES_MOST,
            until: Instant::now() + LOOK_LIMIT,
        };
        let mut ignored = Ignored::default();
        for path in listed {
            if look.has_written(&workspace.join(&path)) {
                ignored.push(name.join(path).to_string_lossy().into_owned());
            }
        }
        for path in git_folder.iter().flat_map(|folder| own_files(folder)) {
            if look.has_written(&path) {
                // A worktree's are elsewhere.
                let path = path.canonicalize().unwrap_or(path);
                let shown = path.strip_prefix(&workspace).unwrap_or(&path);
                ignored.push(name.join(shown).to_string_lossy().into_owned());
            }
        }
        Found {
            ignored,
            is_whole: !look.is_over(),
        }
    };
    let looked = tokio::task::spawn_blocking(look).await;
    looked.map_err(|error| GitError::Impossible(error.to_string()))
}

fn own_files(folder: &Path) -> Vec<PathBuf> {
    let common = common_folder(folder);
    let hooks = fs::read_dir(common.join("hooks")).into_iter().flatten();
    let hooks = hooks.flatten().map(|hook| hook.path());
    let own = OWN.iter().map(|name| common.join(name));
    own.chain(hooks).collect()
}

struct Look {
    /// Unix milliseconds.
    since: i64,
    left: usize,
    until: Instant,
}

impl Look {
    /// Whether this, or anything in it, was written since. Links are not followed.
    fn has_written(&mut self, path: &Path) -> bool {
        let Ok(there) = path.symlink_metadata() else {
            return false;
        };
        self.is_since(&there) || (there.is_dir() && self.has_any(path))
    }

    fn has_any(&mut self, folder: &Path) -> bool {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            if self.is_over() {
                return false;
            }
            self.left -= 1;
            // Of the entry itself, not of what a link points to.
            let Ok(there) = entry.metadata() else {
                continue;
            };
            if self.is_since(&there) || (there.is_dir() && self.has_any(&entry.path())) {
                return true;
            }
        }
        false
    }

    fn is_since(&self, there: &Metadata) -> bool {
        there.ctime() * 1000 + there.ctime_nsec() / 1_000_000 >= self.since
    }

    fn is_over(&self) -> bool {
        self.left == 0 || Instant::now() > self.until
    }
}
