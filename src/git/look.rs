//! What a look takes into an index: everything that has changed or is new, of what git can read.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::beside::Beside;
use super::found::{Found, in_new_folders, is_behind_link};
use super::index::{Looked, keep_index};
use super::repository::Repository;
use super::{GitError, file};

/// How many paths one call of git takes in. What it has taken in stays if the time is over.
const AT_ONCE: usize = 20_000;

/// Takes in what has changed since the look that `index` is from; `beside` is what that has noted.
pub(super) async fn take_in(
    repository: Repository<'_>,
    index: &Path,
    mut beside: Beside,
) -> Result<Looked, GitError> {
    beside.repositories = without_gone(repository, index, beside.repositories).await?;
    let persons = state_of_persons_index(repository);
    let in_spite = match beside.seen.take() {
        Some(seen) if Some(&seen) == persons.as_ref() => None,
        _ => Some(tracked_in_spite(repository)),
    };
    let changed = [
        "diff-files",
        "-z",
        "--name-only",
        "--ignore-submodules=dirty",
    ];
    let changed = repository.through(index, changed).keeping(usize::MAX);
    let others = [
        "ls-files",
        "-z",
        "--others",
        "--directory",
        "--exclude-standard",
    ];
    let others = repository.through(index, others).keeping(usize::MAX);
    let (changed, others, in_spite) = tokio::join!(changed.output(), others.output(), async {
        match in_spite {
            Some(in_spite) => in_spite.await,
            None => Vec::new(),
        }
    });
    let (files, mut new) = in_new_folders(repository, index, others?.bytes).await?;
    let paths = [changed?.bytes, files, in_spite.clone()].concat();
    beside.set_folders(std::mem::take(&mut new.empty));
    let mut found = Found::at(repository, paths, beside).await?;
    found.repositories.extend(new.repositories);
    let mut words = String::new();
    let large = found.large.iter();
    let large = large.map(|path| String::from_utf8_lossy(path).into_owned());
    let large = large.collect();
    found.beside.set_large(repository.workspace, &found.large);
    let gone: BTreeSet<Vec<u8>> = found.gone.union(&found.large).cloned().collect();
    forget_paths(repository, index, &gone).await?;
    match add_in_steps(repository, index, &found).await {
        Ok(()) => {
            add(repository, index, &found.repositories).await?;
            if found.large.is_empty() && found.gone.is_empty() {
                found.beside.seen = persons;
            }
        }
        // One of them is in the way of the others.
        Err(GitError::Refused { .. }) => {
            words.push_str(&add_what_can_be_read(repository, index, &found.large).await?);
            let in_spite = in_spite.split(|byte| *byte == 0);
            for path in in_spite.filter(|path| found.files.contains(*path)) {
                match add_paths(repository, index, [path, b"\0"].concat()).await {
                    Err(GitError::Refused { words: more, .. }) => words.push_str(&more),
                    added => added?,
                }
            }
        }
        Err(other) => return Err(other),
    }
    let named = found.repositories.iter();
    let named = named.map(|path| PathBuf::from(OsStr::from_bytes(path)));
    found.beside.repositories.extend(named);
    let inside = found.beside.repositories.iter();
    let mut repositories: BTreeSet<PathBuf> =
        inside.map(|name| repository.workspace.join(name)).collect();
    repositories.extend(worktrees_inside(repository));
    Ok(Looked {
        words,
        large,
        repositories,
        beside: found.beside,
    })
}

/// The repositories inside that are still there. What is left of another one is the files of the one around it.
async fn without_gone(
    repository: Repository<'_>,
    index: &Path,
    inside: BTreeSet<PathBuf>,
) -> Result<BTreeSet<PathBuf>, GitError> {
    let is_one = |name: &PathBuf| {
        let at = repository.workspace.join(name);
        let is_inside = !at.is_symlink() && !is_behind_link(repository.workspace, name);
        is_inside && at.join(".git").symlink_metadata().is_ok()
    };
    let (there, gone): (BTreeSet<PathBuf>, BTreeSet<PathBuf>) =
        inside.into_iter().partition(is_one);
    let gone = gone.iter().map(|name| name.as_os_str().as_bytes().to_vec());
    forget_paths(repository, index, &gone.collect()).await?;
    Ok(there)
}

/// Takes the files in that were found. What is taken in at the end of the time stays: the next look goes on from there.
async fn add_in_steps(
    repository: Repository<'_>,
    index: &Path,
    found: &Found,
) -> Result<(), GitError> {
    let mut files = found.files.iter();
    loop {
        let some: BTreeSet<Vec<u8>> = files.by_ref().take(AT_ONCE).cloned().collect();
        if some.is_empty() {
            return Ok(());
        }
        let is_whole = some.len() < AT_ONCE;
        add_paths(repository, index, listed(&some)).await?;
        if !is_whole {
            keep_index(repository, index, &found.beside);
        }
    }
}

/// What the person tracks although it is ignored. A broken index of the person's is the person's to mend.
async fn tracked_in_spite(repository: Repository<'_>) -> Vec<u8> {
    let tracked = [
        "ls-files",
        "-z",
        "--cached",
        "--ignored",
        "--exclude-standard",
    ];
    let tracked = repository.person(tracked).keeping(usize::MAX);
    let tracked = tracked.output().await;
    tracked.map(|output| output.bytes).unwrap_or_default()
}

/// It is another one after each write.
fn state_of_persons_index(repository: Repository<'_>) -> Option<String> {
    let there = repository.git_folder()?.join("index").metadata().ok()?;
    let (seconds, nanoseconds) = (there.ctime(), there.ctime_nsec());
    Some(format!("{seconds}.{nanoseconds} {}", there.ino()))
}

/// Takes repositories in, as the commits that are checked out there; those that have none, or that git cannot read, are
/// left out.
async fn add(
    repository: Repository<'_>,
    index: &Path,
    repositories: &BTreeSet<Vec<u8>>,
) -> Result<(), GitError> {
    let one = |path: &Vec<u8>| [b":(literal,top)", path.as_slice(), b"\0"].concat();
    if repositories.is_empty() {
        return Ok(());
    }
    let all = repositories.iter().flat_map(one).collect();
    match add_by(repository, index, all).await {
        Err(GitError::Refused { .. }) => {}
        added => return added.map(drop),
    }
    for path in repositories {
        match add_by(repository, index, one(path)).await {
            Ok(_) | Err(GitError::Refused { .. }) => {}
            Err(other) => return Err(other),
        }
    }
    Ok(())
}

/// Takes everything in that git can read, but for these. Returns git's words about the rest.
async fn add_what_can_be_read(
    repository: Repository<'_>,
    index: &Path,
    but: &BTreeSet<Vec<u8>>,
) -> Result<String, GitError> {
    let mut paths = b".\0".to_vec();
    for path in but {
        paths.extend([b":(exclude,literal,top)", path.as_slice(), b"\0"].concat());
    }
    add_by(repository, index, paths).await
}

async fn add_by(
    repository: Repository<'_>,
    index: &Path,
    patterns: Vec<u8>,
) -> Result<String, GitError> {
    let add = [
        "add",
        "--all",
        "--sparse",
        "--ignore-errors",
        "--pathspec-from-file=-",
        "--pathspec-file-nul",
    ];
    match repository
        .through(index, add)
        .input(patterns)
        .output()
        .await
    {
        Ok(_) => Ok(String::new()),
        // Some could not be read; the others are there.
        Err(GitError::Refused {
            code: Some(1),
            words,
        }) => Ok(words),
        Err(other) => Err(other),
    }
}

/// The worktrees of a repository that lie in its own folder, ignored or not. Format: gitrepository-layout(5),
/// `worktrees`.
fn worktrees_inside(repository: Repository<'_>) -> Vec<PathBuf> {
    let Some(folder) = repository.git_folder() else {
        return Vec::new();
    };
    let worktrees = fs::read_dir(folder.join("worktrees"));
    let worktrees = worktrees.into_iter().flatten().flatten();
    let places = worktrees.filter_map(|worktree| {
        let pointer = file::text(&worktree.path().join("gitdir"))?;
        Some(Path::new(pointer.trim()).parent()?.to_owned())
    });
    let is_inside = |place: &PathBuf| {
        place != repository.workspace
            && place.starts_with(repository.workspace)
            && place.join(".git").is_file()
    };
    places.filter(is_inside).collect()
}

/// The index does not have these paths any more.
async fn forget_paths(
    repository: Repository<'_>,
    index: &Path,
    paths: &BTreeSet<Vec<u8>>,
) -> Result<(), GitError> {
    if paths.is_empty() {
        return Ok(());
    }
    let forget = ["update-index", "--force-remove", "-z", "--stdin"];
    let forget = repository.through(index, forget).input(listed(paths));
    forget.output().await.map(drop)
}

/// Each with a NUL at its end.
fn listed(paths: &BTreeSet<Vec<u8>>) -> Vec<u8> {
    let ended = paths.iter().flat_map(|path| [path, &b"\0"[..]].concat());
    ended.collect()
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
