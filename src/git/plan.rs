//! Which files a restore writes and removes: those of which what lies there is kept to the byte.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::GitError;
use super::present::{IN_THE_WAY, Present, is_in_another_repository};
use super::repository::Repository;
use super::snapshot::Snapshot;

/// What a restore does to files. Those that differ and may not be touched are in neither.
#[derive(Default)]
pub(super) struct Plan {
    pub to_write: Vec<PathBuf>,
    pub to_remove: BTreeSet<PathBuf>,
}

impl Plan {
    pub async fn make(
        repository: Repository<'_>,
        from: &Present,
        to: &Snapshot,
    ) -> Result<Plan, GitError> {
        let changes = [
            "diff-tree",
            "-r",
            "-z",
            "--raw",
            "--no-renames",
            &from.snapshot.tree,
            &to.tree,
        ];
        let changes = repository.snapshots(changes).keeping(usize::MAX);
        // What was written since the look a moment ago is kept nowhere.
        let since = [
            "diff-files",
            "-z",
            "--name-only",
            "--ignore-submodules=dirty",
        ];
        let since = repository.through(&from.index, since).keeping(usize::MAX);
        let (changes, since) = tokio::join!(changes.output(), since.output());
        let (changes, since) = (changes?.bytes, since?.bytes);
        let unkept = since.split(|byte| *byte == 0);
        let unkept: BTreeSet<PathBuf> = unkept
            .map(|path| PathBuf::from(OsStr::from_bytes(path)))
            .collect();
        let mut kept = paths_in(repository, &from.snapshot).await?;
        kept.retain(|path| !unkept.contains(path));
        let mut plan = Plan::default();
        let mut fields = changes.split(|byte| *byte == 0);
        // `:mode mode object object status NUL path NUL`
        while let (Some(change), Some(path)) = (fields.next(), fields.next()) {
            let at = PathBuf::from(OsStr::from_bytes(path));
            let change = String::from_utf8_lossy(change);
            let is_repository = change.split([' ', ':']).any(|mode| mode == "160000");
            let is_removed = change.ends_with('D');
            let stays = is_repository
                || is_in_another_repository(repository.workspace, &at)
                || unkept.contains(&at)
                || (!is_removed && !is_all_kept(repository.workspace, &at, &kept));
            match (stays, is_removed) {
                (true, _) => {}
                (false, true) => drop(plan.to_remove.insert(at)),
                (false, false) => plan.to_write.push(at),
            }
        }
        Ok(plan)
    }
}

/// Whether all that lies where a file is to be written is kept: at its path, below it, or where one of its folders has
/// to be.
fn is_all_kept(workspace: &Path, path: &Path, kept: &BTreeSet<PathBuf>) -> bool {
    let places = path
        .ancestors()
        .filter(|place| !place.as_os_str().is_empty());
    for place in places {
        match workspace.join(place).symlink_metadata() {
            Ok(there) if there.is_dir() => {
                return place != path || is_kept_below(workspace, place, kept);
            }
            Ok(_) => return kept.contains(place),
            Err(_) => {}
        }
    }
    true
}

fn is_kept_below(workspace: &Path, folder: &Path, kept: &BTreeSet<PathBuf>) -> bool {
    let mut folders = vec![folder.to_owned()];
    let mut looked = 0;
    while let Some(folder) = folders.pop() {
        looked += 1;
        let Ok(entries) = fs::read_dir(workspace.join(&folder)) else {
            return false;
        };
        if looked > IN_THE_WAY {
            return false;
        }
        for entry in entries.flatten() {
            let path = folder.join(entry.file_name());
            match entry.file_type() {
                _ if entry.file_name() == ".git" => return false,
                Ok(kind) if kind.is_dir() => folders.push(path),
                _ if kept.contains(&path) => {}
                _ => return false,
            }
        }
    }
    true
}

/// The files that a snapshot has.
pub(super) async fn paths_in(
    repository: Repository<'_>,
    snapshot: &Snapshot,
) -> Result<BTreeSet<PathBuf>, GitError> {
    let list = ["ls-tree", "-r", "-z", "--name-only", &snapshot.tree];
    let list = repository.snapshots(list).keeping(usize::MAX).output();
    let paths = list.await?.bytes;
    let paths = paths.split(|byte| *byte == 0);
    Ok(paths
        .map(|path| PathBuf::from(OsStr::from_bytes(path)))
        .collect())
}
