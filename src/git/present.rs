//! Keeps what is in a workspace before something is restored: every byte at a path that may be written over or removed.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::GitError;
use super::beside::Beside;
use super::index::{self, OwnIndex};
use super::look::add_paths;
use super::repository::Repository;
use super::snapshot::{self, Snapshot};

/// How many folders are looked through for what is in the way of one file.
pub(super) const IN_THE_WAY: usize = 10_000;

/// The present state of a workspace, kept before something is restored.
pub struct Present {
    pub snapshot: Snapshot,
    pub(super) index: OwnIndex,
}

/// Keeps what is there now under a ref: what a snapshot has, and whatever else lies at the paths of `to`, ignored or
/// not.
pub async fn keep_present(
    repository: Repository<'_>,
    reference: &str,
    to: &Snapshot,
) -> Result<Present, GitError> {
    let index = OwnIndex::within(&repository.git.scratch);
    let beside = look_at(repository, &index, to).await?;
    let snapshot = snapshot::write(repository, reference, &index, beside).await?;
    Ok(Present { snapshot, index })
}

/// Takes into an index what a look sees, and whatever else lies at the paths of a snapshot.
pub(super) async fn look_at(
    repository: Repository<'_>,
    index: &Path,
    to: &Snapshot,
) -> Result<Beside, GitError> {
    let looked = index::look(repository, index).await?;
    let unseen = [
        "diff-index",
        "--cached",
        "--no-renames",
        "--diff-filter=D",
        "--name-only",
        "-z",
        &to.commit,
    ];
    let unseen = repository.through(index, unseen).keeping(usize::MAX);
    let unseen = unseen.output().await?.bytes;
    let workspace = repository.workspace.to_owned();
    let lying = move || lying_at(&workspace, &unseen);
    let lying = tokio::task::spawn_blocking(lying).await;
    let lying = lying.map_err(|error| GitError::Impossible(error.to_string()))?;
    add_paths(repository, index, lying).await?;
    Ok(looked.beside)
}

/// The files that lie at these paths, below them, or where one of their folders has to be.
fn lying_at(workspace: &Path, paths: &[u8]) -> Vec<u8> {
    let mut found = BTreeSet::new();
    for path in paths
        .split(|byte| *byte == 0)
        .filter(|path| !path.is_empty())
    {
        let path = Path::new(OsStr::from_bytes(path));
        if is_in_another_repository(workspace, path) {
            continue;
        }
        for place in path
            .ancestors()
            .filter(|place| !place.as_os_str().is_empty())
        {
            match fs::symlink_metadata(workspace.join(place)) {
                Ok(there) if there.is_dir() => {
                    if place == path {
                        files_below(workspace, place, &mut found);
                    }
                    break;
                }
                Ok(there) => {
                    // git cannot keep a socket; the restore leaves it.
                    if there.is_file() || there.is_symlink() {
                        found.insert(place.to_owned());
                    }
                    break;
                }
                Err(_) => {}
            }
        }
    }
    nul_ended(&found)
}

pub(super) fn nul_ended(paths: &BTreeSet<PathBuf>) -> Vec<u8> {
    let mut listed = Vec::new();
    for path in paths {
        listed.extend_from_slice(path.as_os_str().as_bytes());
        listed.push(0);
    }
    listed
}

fn files_below(workspace: &Path, folder: &Path, found: &mut BTreeSet<PathBuf>) {
    let mut folders = vec![folder.to_owned()];
    let mut looked = 0;
    while let Some(folder) = folders.pop() {
        looked += 1;
        if looked > IN_THE_WAY || workspace.join(&folder).join(".git").exists() {
            continue;
        }
        for entry in fs::read_dir(workspace.join(&folder))
            .into_iter()
            .flatten()
            .flatten()
        {
            let path = folder.join(entry.file_name());
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(path),
                Ok(kind) if kind.is_file() || kind.is_symlink() => drop(found.insert(path)),
                // git cannot keep a socket; it stays in the way.
                _ => {}
            }
        }
    }
}

/// Whether a path leads through a folder that is a repository of its own.
pub(super) fn is_in_another_repository(workspace: &Path, path: &Path) -> bool {
    let mut folders = path
        .ancestors()
        .filter(|place| !place.as_os_str().is_empty());
    folders.any(|folder| {
        workspace
            .join(folder)
            .join(".git")
            .symlink_metadata()
            .is_ok()
    })
}
