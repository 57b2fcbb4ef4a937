//! What lies on the disk at the paths that git lists as changed or new.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::GitError;
use super::beside::Beside;
use super::repository::Repository;

/// How many folders of new ones are named to git, and how many are looked through for empty ones.
const FOLDERS_NAMED: usize = 1_000;
const FOLDERS_LOOKED_THROUGH: usize = 10_000;

/// What lies at the paths that a look has found changed or new.
#[derive(Default)]
pub(super) struct Found {
    pub files: BTreeSet<Vec<u8>>,
    /// Folders that are repositories.
    pub repositories: BTreeSet<Vec<u8>>,
    /// Files that are too large to be kept.
    pub large: BTreeSet<Vec<u8>>,
    pub gone: BTreeSet<Vec<u8>>,
    pub beside: Beside,
}

impl Found {
    /// Each path ends with a NUL; git lists a repository that it does not track with a slash before that.
    pub async fn at(
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

/// What is new as a whole.
#[derive(Default)]
pub(super) struct New {
    pub repositories: BTreeSet<Vec<u8>>,
    /// Folders that have nothing but such folders.
    pub empty: BTreeSet<PathBuf>,
}

/// The files among what git lists as untracked, those in folders that are new as a whole too; each ends with a NUL.
pub(super) async fn in_new_folders(
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
