//! A look at a workspace: its content, in an index of telecoder's own; the person's index stays as it is.
//!
//! Each look begins with the index of the one before, so a file that has not changed is not read again, and one that git
//! has come to ignore is still seen. What the person tracks is seen too, ignored or not.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::ops::Deref;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::repository::Repository;
use super::seed::seed;
use super::{Git, GitError};

/// How long git may take to look through a workspace. It waits for ever for a FIFO named `.gitignore`.
const LOOK_LIMIT: Duration = Duration::from_secs(60);
/// How often to look again if git gives up, after pauses that grow fourfold: a git ended with the bot may still be busy
/// with its last file.
const LOOKED_AGAIN: u32 = 3;
const LOOK_PAUSE: Duration = Duration::from_millis(150);

/// An index file to look at a workspace through, deleted on drop. Each look has its own: a git that outlived a killed
/// bot may still write into an older one.
pub struct OwnIndex(PathBuf);

impl OwnIndex {
    /// An unused name.
    pub fn within(scratch: &Path) -> OwnIndex {
        OwnIndex(scratch.join(format!("{}.index", Uuid::new_v4().simple())))
    }
}

impl Deref for OwnIndex {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Drop for OwnIndex {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
        let _ = fs::remove_file(self.0.with_added_extension("lock"));
    }
}

/// Takes the workspace's content into an index of our own, for comparisons. Returns git's words about files that it
/// could not read; usually none.
///
/// If a file comes and goes meanwhile, git gives up and is tried again.
pub async fn look(git: &Git, workspace: &Path, index: &Path) -> Result<String, GitError> {
    let repository = Repository::new(git, workspace);
    repository.open().await?;
    let mut tries = 0;
    loop {
        // An index that cannot be read is made anew.
        if !begin_index(repository, index, tries == 0)? && tries == 0 {
            seed(repository, index).await;
        }
        let looked = tokio::time::timeout(LOOK_LIMIT, take_in(repository, index)).await;
        let looked = looked.unwrap_or_else(|_| {
            Err(GitError::Impossible(format!(
                "git took longer than {} s to look through the workspace",
                LOOK_LIMIT.as_secs()
            )))
        });
        match looked {
            Ok(words) => {
                keep_index(repository, index);
                return Ok(words);
            }
            Err(GitError::Refused { .. }) if tries < LOOKED_AGAIN => {
                tokio::time::sleep(LOOK_PAUSE * 4u32.pow(tries)).await;
                tries += 1;
            }
            Err(other) => return Err(other),
        }
    }
}

async fn take_in(repository: Repository<'_>, index: &Path) -> Result<String, GitError> {
    let all = [
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ];
    let all = repository.through(index, all).keeping(usize::MAX);
    let tracked = repository.person(["ls-files", "-z", "--stage"]);
    let tracked = tracked.keeping(usize::MAX);
    let (all, tracked) = tokio::join!(all.output(), tracked.output());
    let all = Arc::new(all?.bytes);
    let large = leave_large_ones_out(repository, index, &all).await?;
    let mut words: String = large
        .iter()
        .map(|path| {
            let path = String::from_utf8_lossy(path);
            format!("{path} is larger than TELECODER_SNAPSHOT_FILE_MAX and not kept\n")
        })
        .collect();
    let add = [
        "add",
        "--all",
        "--sparse",
        "--ignore-errors",
        "--pathspec-from-file=-",
        "--pathspec-file-nul",
    ];
    let mut paths = b".\0".to_vec();
    for path in &large {
        paths.extend([b":(exclude,literal,top)", path.as_slice(), b"\0"].concat());
    }
    let add = repository.through(index, add).input(paths);
    match add.output().await {
        Ok(_) => {}
        // Some files could not be read; the others are there.
        Err(GitError::Refused {
            code: Some(1),
            words: said,
        }) => words.push_str(&said),
        Err(other) => return Err(other),
    }
    // A broken index of the person's is the person's to mend.
    let tracked = tracked.map(|output| output.bytes).unwrap_or_default();
    let ours: BTreeSet<&[u8]> = all.split(|byte| *byte == 0).collect();
    let mut missing = Vec::new();
    for path in tracked.split(|byte| *byte == 0).filter_map(file_of) {
        if !ours.contains(path) && !large.contains(path) {
            missing.extend_from_slice(path);
            missing.push(0);
        }
    }
    match add_paths(repository, index, missing).await {
        Err(GitError::Refused { words: more, .. }) => Ok(format!("{words}\n{more}")),
        added => added.map(|()| words),
    }
}

/// The files that are too large to be kept; the index does not have them any more.
async fn leave_large_ones_out(
    repository: Repository<'_>,
    index: &Path,
    all: &Arc<Vec<u8>>,
) -> Result<BTreeSet<Vec<u8>>, GitError> {
    let all = Arc::clone(all);
    let (workspace, most) = (repository.workspace.to_owned(), repository.git.file_max);
    let look = move || -> BTreeSet<Vec<u8>> {
        let paths = all.split(|byte| *byte == 0).filter(|path| !path.is_empty());
        let is_large = |path: &&[u8]| {
            let there = workspace.join(OsStr::from_bytes(path)).symlink_metadata();
            there.is_ok_and(|there| there.is_file() && there.len() > most)
        };
        paths.filter(is_large).map(<[u8]>::to_vec).collect()
    };
    let large = tokio::task::spawn_blocking(look).await;
    let large = large.map_err(|error| GitError::Impossible(error.to_string()))?;
    if !large.is_empty() {
        let listed: Vec<u8> = large
            .iter()
            .flat_map(|path| [path, &b"\0"[..]].concat())
            .collect();
        let forget = ["update-index", "--force-remove", "-z", "--stdin"];
        let forget = repository.through(index, forget).input(listed);
        forget.output().await?;
    }
    Ok(large)
}

/// The path of a line of `ls-files --stage`, `mode object stage TAB path`; `None` for a submodule.
fn file_of(line: &[u8]) -> Option<&[u8]> {
    let tab = line.iter().position(|byte| *byte == b'\t')?;
    (!line.starts_with(b"160000")).then(|| &line[tab + 1..])
}

/// Takes these paths in, ignored or not, if they are there, in place of what was known there. Each ends with a NUL.
pub(super) async fn add_paths(
    repository: Repository<'_>,
    index: &Path,
    paths: Vec<u8>,
) -> Result<(), GitError> {
    if paths.is_empty() {
        return Ok(());
    }
    let add = [
        "update-index",
        "--add",
        "--remove",
        "--replace",
        "-z",
        "--stdin",
    ];
    let add = repository.through(index, add).input(paths);
    add.output().await.map(drop)
}

/// Begins with the last look's index, or with nothing; returns whether there is one.
fn begin_index(repository: Repository<'_>, index: &Path, goes_on: bool) -> Result<bool, GitError> {
    let impossible =
        |error: io::Error| GitError::Impossible(format!("the snapshot cannot be made ({error})"));
    // Left by the previous try.
    let _ = fs::remove_file(index.with_added_extension("lock"));
    let _ = fs::remove_file(index);
    let last = repository.last_index();
    if !goes_on {
        let _ = fs::remove_file(&last);
        return Ok(false);
    }
    match fs::copy(&last, index) {
        Ok(_) => copy_time(&last, index).map(|()| true).map_err(impossible),
        // This is the first look.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(impossible(error)),
    }
}

/// The next look begins with this one. If it cannot be kept, the next one takes longer.
fn keep_index(repository: Repository<'_>, index: &Path) {
    let last = repository.last_index();
    let new = last.with_added_extension(Uuid::new_v4().simple().to_string());
    let kept = fs::copy(index, &new).and_then(|_| {
        copy_time(index, &new)?;
        fs::rename(&new, &last)
    });
    if kept.is_err() {
        let _ = fs::remove_file(&new);
    }
}

/// git tells by this time which files may have changed right after the index was written.
pub(super) fn copy_time(from: &Path, to: &Path) -> io::Result<()> {
    let modified = fs::metadata(from)?.modified()?;
    File::options().write(true).open(to)?.set_modified(modified)
}
