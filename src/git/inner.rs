//! The repositories inside a workspace: clones, submodules and worktrees. Each is kept and goes back as the workspace's
//! own does, by itself.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, percent_encode};

use super::GitError;
use super::index::{OwnIndex, look};
use super::repository::Repository;
use super::snapshot::{self, Moment, Snapshot};
use crate::domain::id::RunId;

/// How many are kept.
const MOST: usize = 50;
/// The folder in which one is made again.
const NEW: &str = ".telecoder-makes-this";
/// What makes a folder a repository: the lines of a snapshot's message that begin so, percent-encoded.
const POINTER: &str = "pointer: ";
const CONFIG: &str = "config: ";

/// What makes a folder inside a workspace a repository. Format: gitrepository-layout(5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Root {
    /// `.git` is a file, as in a submodule or a worktree.
    Pointer(Vec<u8>),
    /// `.git` is a folder, with this `config`.
    Config(Vec<u8>),
}

impl Root {
    /// Of a repository inside another one; `None` for the workspace's own.
    pub(super) fn of(repository: Repository<'_>) -> Option<Root> {
        if repository.name().as_os_str().is_empty() {
            return None;
        }
        let path = repository.workspace.join(".git");
        match path.is_dir() {
            true => fs::read(path.join("config")).ok().map(Root::Config),
            false => fs::read(path).ok().map(Root::Pointer),
        }
    }

    /// As a line of a snapshot's message.
    pub(super) fn line(&self) -> String {
        let (kind, bytes) = match self {
            Root::Pointer(bytes) => (POINTER, bytes),
            Root::Config(bytes) => (CONFIG, bytes),
        };
        format!("\n{kind}{}", percent_encode(bytes, NON_ALPHANUMERIC))
    }

    pub(super) fn in_message(message: &str) -> Option<Root> {
        let bytes = |text| percent_decode_str(text).collect();
        message.lines().find_map(|line| {
            let pointer = line.strip_prefix(POINTER).map(bytes).map(Root::Pointer);
            pointer.or_else(|| line.strip_prefix(CONFIG).map(bytes).map(Root::Config))
        })
    }
}

/// Takes a snapshot of a workspace and of the repositories inside. A file that cannot be read is left out; so is a
/// repository inside that git cannot read, and named in the snapshot of the workspace.
///
/// Errors are git's, about the workspace's own.
pub async fn take_all(top: Repository<'_>, reference: &str) -> Result<(), GitError> {
    let index = OwnIndex::within(&top.git.scratch);
    let looked = look(top, &index).await?;
    let (mut waiting, mut beside) = (looked.repositories, looked.beside);
    let mut seen = BTreeSet::new();
    while let Some(folder) = waiting.pop_first() {
        if !seen.insert(folder.clone()) {
            continue;
        }
        let inner = top.inner(&folder);
        let taken = match inner.is_there() && seen.len() <= MOST {
            true => take_one(inner, reference).await.ok(),
            false => None,
        };
        match taken {
            Some(more) => waiting.extend(more),
            None => drop(beside.unkept.insert(inner.name().to_owned())),
        }
    }
    snapshot::write(top, reference, &index, beside).await?;
    Ok(())
}

/// Returns the folders of the repositories inside.
async fn take_one(
    repository: Repository<'_>,
    reference: &str,
) -> Result<BTreeSet<PathBuf>, GitError> {
    let index = OwnIndex::within(&repository.git.scratch);
    let looked = look(repository, &index).await?;
    snapshot::write(repository, reference, &index, looked.beside).await?;
    Ok(looked.repositories)
}

/// The folders of all that are there now.
pub async fn all_there(top: Repository<'_>) -> Result<BTreeSet<PathBuf>, GitError> {
    let mut found = BTreeSet::new();
    let index = OwnIndex::within(&top.git.scratch);
    let mut waiting = look(top, &index).await?.repositories;
    while let Some(folder) = waiting.pop_first() {
        let inner = top.inner(&folder);
        if found.len() < MOST && inner.is_there() && found.insert(folder.clone()) {
            let index = OwnIndex::within(&top.git.scratch);
            let inside = look(inner, &index).await;
            waiting.extend(inside.map(|looked| looked.repositories).unwrap_or_default());
        }
    }
    Ok(found)
}

/// The repositories inside that a run found, with what they were; those around others first.
pub async fn found_by(
    top: Repository<'_>,
    run: RunId,
) -> Result<Vec<(PathBuf, Snapshot)>, GitError> {
    kept_under(top, &snapshot::reference(run, Moment::Before)).await
}

/// The repositories inside that have a snapshot under this ref; those around others first.
pub async fn kept_under(
    top: Repository<'_>,
    reference: &str,
) -> Result<Vec<(PathBuf, Snapshot)>, GitError> {
    let mut found = Vec::new();
    for folder in top.inner_ones() {
        if let Some(kept) = snapshot::find(top.inner(&folder), reference).await? {
            found.push((folder, kept));
        }
    }
    Ok(found)
}

/// Forgets all snapshots of a run.
pub async fn forget_run(top: Repository<'_>, run: RunId) -> Result<(), GitError> {
    for folder in top.inner_ones() {
        snapshot::forget(top.inner(&folder), run, &Moment::ALL).await?;
    }
    snapshot::forget(top, run, &Moment::ALL).await
}

/// Gives the room of what was forgotten back.
pub async fn clean_all(top: Repository<'_>) -> Result<(), GitError> {
    for folder in top.inner_ones() {
        let inner = top.inner(&folder);
        if !inner.is_there() && !snapshot::has_any(inner).await? {
            snapshot::forget_all(inner);
            continue;
        }
        snapshot::clean(inner).await?;
    }
    snapshot::clean(top).await
}

/// Makes a repository anew that the run removed, without files. Returns whether it is there: its place may be taken, or
/// what it pointed to may be gone. It is there whole or not at all.
pub(super) async fn make_again(
    repository: Repository<'_>,
    to: &Snapshot,
) -> Result<bool, GitError> {
    let folder = repository.workspace;
    let is_free = match folder.symlink_metadata() {
        Ok(there) => there.is_dir() && folder.join(".git").symlink_metadata().is_err(),
        Err(_) => true,
    };
    if !is_free || !repository.is_inside() {
        return Ok(false);
    }
    let failed = |error: std::io::Error| GitError::Refused {
        code: None,
        words: format!("{} cannot be made again: {error}", folder.display()),
    };
    let Some(root) = &to.root else {
        return Ok(false);
    };
    // What an earlier try has left goes first.
    let new = folder.join(NEW);
    let _ = fs::remove_dir_all(&new);
    fs::create_dir_all(&new).map_err(failed)?;
    match root {
        Root::Pointer(pointer) => fs::write(new.join(".git"), pointer).map_err(failed)?,
        Root::Config(config) => {
            repository.init(&new).await?;
            fs::write(new.join(".git/config"), config).map_err(failed)?;
        }
    }
    fs::rename(new.join(".git"), folder.join(".git")).map_err(failed)?;
    fs::remove_dir(&new).map_err(failed)?;
    if repository.is_there() {
        return Ok(true);
    }
    // What it points to is gone.
    fs::remove_file(folder.join(".git")).map_err(failed)?;
    let _ = fs::remove_dir(folder);
    Ok(false)
}
