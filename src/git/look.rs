//! What a look takes into an index: everything that has changed or is new, of what git can read.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::beside::Beside;
use super::index::{Looked, keep_index};
use super::repository::Repository;
use super::{GitError, file};

/// How many paths one call of git takes in. What it has taken in stays if the time is over.
const AT_ONCE: usize = 20_000;
/// How many folders of new ones are named to git, and how many are looked through for empty ones.
const FOLDERS_NAMED: usize = 1_000;
const FOLDERS_LOOKED_THROUGH: usize = 10_000;

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
    let mut words: String = found
        .large
        .iter()
        .map(|path| {
            let path = String::from_utf8_lossy(path);
            format!("{path} is larger than TELECODER_SNAPSHOT_FILE_MAX and not kept\n")
        })
        .collect();
    let gone: BTreeSet<Vec<u8>> = found.gone.union(&found.large).cloned().collect();
    forget_paths(repository, index, &gone).await?;
    match add_in_steps(repository, index, &found).await {
        Ok(()) => {
            words.push_str(&add(repository, index, &found.repositories).await?);
            if found.large.is_empty() {
                found.beside.seen = persons;
            }
        }
        // One of them is in the way of the others.
        Err(GitError::Refused { .. }) => {
            words.push_str(&add_what_can_be_read(repository, index, &found.large).await?);
            if let Err(GitError::Refused { words: more, .. }) =
                add_paths(repository, index, in_spite).await
            {
                words.push_str(&format!("\n{more}"));
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
        let at = repository.workspace.join(name).join(".git");
        at.symlink_metadata().is_ok()
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

/// What is new as a whole.
#[derive(Default)]
struct New {
    repositories: BTreeSet<Vec<u8>>,
    /// Folders that have nothing but such folders.
    empty: BTreeSet<PathBuf>,
}

/// The files among what git lists as untracked, those in folders that are new as a whole too; each ends with a NUL.
async fn in_new_folders(
    repository: Repository<'_>,
    index: &Path,
    listed: Vec<u8>,
) -> Result<(Vec<u8>, New), GitError> {
    let workspace = repository.workspace.to_owned();
    let look = move || {
        let (mut files, mut folders, mut new) = (Vec::new(), Vec::new(), New::default());
        let mut looked_through = 0;
        for path in listed
            .split(|byte| *byte == 0)
            .filter(|path| !path.is_empty())
        {
            let Some(folder) = path.strip_suffix(b"/") else {
                files.extend([path, b"\0"].concat());
                continue;
            };
            let name = Path::new(OsStr::from_bytes(folder));
            if workspace.join(name).join(".git").symlink_metadata().is_ok() {
                new.repositories.insert(folder.to_vec());
                continue;
            }
            if has_files(&workspace, name, &mut looked_through, &mut new.empty) {
                folders.push(OsStr::from_bytes(folder).to_owned());
            }
        }
        (files, folders, new)
    };
    let looked = tokio::task::spawn_blocking(look).await;
    let (mut files, folders, new) =
        looked.map_err(|error| GitError::Impossible(error.to_string()))?;
    if !folders.is_empty() {
        let all = ["ls-files", "-z", "--others", "--exclude-standard", "--"];
        let all = repository
            .through(index, all)
            .with("GIT_LITERAL_PATHSPECS", "1");
        let named = folders
            .iter()
            .take_while(|_| folders.len() <= FOLDERS_NAMED);
        let all = all.about(named.map(|folder| folder.as_os_str()));
        files.extend(all.keeping(usize::MAX).output().await?.bytes);
    }
    Ok((files, new))
}

/// Whether there is anything but folders in a folder. Those that have not even these are noted in `empty`.
fn has_files(
    workspace: &Path,
    folder: &Path,
    looked_through: &mut usize,
    empty: &mut BTreeSet<PathBuf>,
) -> bool {
    *looked_through += 1;
    if workspace
        .join(folder)
        .join(".git")
        .symlink_metadata()
        .is_ok()
    {
        return true;
    }
    let entries = fs::read_dir(workspace.join(folder));
    let (Ok(entries), true) = (entries, *looked_through <= FOLDERS_LOOKED_THROUGH) else {
        return true;
    };
    let (mut any, mut below) = (false, BTreeSet::new());
    for entry in entries.flatten() {
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let path = folder.join(entry.file_name());
        any |= !is_folder || has_files(workspace, &path, looked_through, &mut below);
    }
    if !any && below.is_empty() {
        below.insert(folder.to_owned());
    }
    empty.extend(below);
    any
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

/// What lies at the paths that a look has found changed or new.
#[derive(Default)]
struct Found {
    files: BTreeSet<Vec<u8>>,
    /// Folders that are repositories.
    repositories: BTreeSet<Vec<u8>>,
    /// Files that are too large to be kept.
    large: BTreeSet<Vec<u8>>,
    gone: BTreeSet<Vec<u8>>,
    beside: Beside,
}

impl Found {
    /// Each path ends with a NUL; git lists a repository that it does not track with a slash before that.
    async fn at(
        repository: Repository<'_>,
        paths: Vec<u8>,
        beside: Beside,
    ) -> Result<Found, GitError> {
        let (workspace, most) = (repository.workspace.to_owned(), repository.git.file_max);
        let look = move || {
            let mut found = Found {
                beside,
                ..Found::default()
            };
            for path in paths
                .split(|byte| *byte == 0)
                .filter(|path| !path.is_empty())
            {
                let path = path.strip_suffix(b"/").unwrap_or(path);
                let name = Path::new(OsStr::from_bytes(path));
                let at = workspace.join(name);
                if let Some(inside) = repository_around(&workspace, name) {
                    // A folder whose files were kept has become one; they stay in the index too.
                    found
                        .repositories
                        .insert(inside.as_os_str().as_bytes().to_vec());
                }
                let kind = match at.symlink_metadata() {
                    Ok(_) if is_behind_link(&workspace, name) => &mut found.gone,
                    Ok(there) if there.is_file() && there.len() > most => &mut found.large,
                    Ok(there) if !there.is_dir() => &mut found.files,
                    Ok(_) if at.join(".git").symlink_metadata().is_ok() => &mut found.repositories,
                    Ok(_) | Err(_) => &mut found.gone,
                };
                kind.insert(path.to_vec());
                found.beside.look_at(&workspace, name);
            }
            found
        };
        let looked = tokio::task::spawn_blocking(look).await;
        looked.map_err(|error| GitError::Impossible(error.to_string()))
    }
}

/// The outermost folder of a path that is a repository of its own.
fn repository_around<'a>(workspace: &Path, path: &'a Path) -> Option<&'a Path> {
    let folders = path.ancestors().skip(1);
    let inside = folders.filter(|folder| !folder.as_os_str().is_empty());
    let is_one = |folder: &&Path| {
        workspace
            .join(folder)
            .join(".git")
            .symlink_metadata()
            .is_ok()
    };
    inside.filter(is_one).last()
}

/// Whether one of the folders of a path is a link: what is behind it is not the workspace's.
pub(super) fn is_behind_link(workspace: &Path, path: &Path) -> bool {
    let mut folders = path.ancestors().skip(1);
    folders.any(|folder| !folder.as_os_str().is_empty() && workspace.join(folder).is_symlink())
}

/// Takes repositories in, as the commits that are checked out there. Returns git's words about those that have none.
async fn add(
    repository: Repository<'_>,
    index: &Path,
    repositories: &BTreeSet<Vec<u8>>,
) -> Result<String, GitError> {
    if repositories.is_empty() {
        return Ok(String::new());
    }
    let paths = repositories
        .iter()
        .flat_map(|path| [b":(literal,top)", path.as_slice(), b"\0"].concat());
    add_by(repository, index, paths.collect()).await
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
