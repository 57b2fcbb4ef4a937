//! Takes a workspace back to a snapshot: its branch and its files, including untracked ones.
//!
//! What lies at a path is in a kept snapshot to the byte before it is written over or removed; a path of which that is
//! not so is left, and so is everything in a repository inside the workspace. Files that git ignores now or ignored
//! then stay, unless a file that comes back needs their place. Nothing stays staged. A restore can be repeated from the
//! start at any moment.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use fail::fail_point;
use tokio_util::sync::CancellationToken;

use super::GitError;
use super::beside::Beside;
use super::found::is_behind_link;
use super::index::OwnIndex;
use super::look::add_paths;
use super::plan::{Plan, paths_in};
use super::present::{Present, nul_ended};
use super::refs::{self, leave_what_is_in_progress, put_head};
use super::repository::Repository;
use super::snapshot::Snapshot;
use crate::domain::id::RunId;
use crate::process::RUN_MARKER;

/// How many files one call of git writes: their names are its arguments, and a stop waits for it.
const AT_ONCE: usize = 200;

/// What a restore is part of.
#[derive(Clone, Copy)]
pub struct Work<'a> {
    /// When `to` was taken, the paths of this snapshot were looked at, too: those that it lacks were not there.
    pub looked_at: Option<&'a Snapshot>,
    /// What a first try that was cut off had found: only that may be removed, and comes back.
    pub first_found: Option<&'a Snapshot>,
    /// Stops it between two calls of git.
    pub stop: &'a CancellationToken,
    /// In the environment of each git that changes files: one that outlives a killed bot is found by it.
    pub marker: RunId,
}

/// Restores, as far as what lies there is kept.
///
/// `from` is the present state, kept a moment ago. Nothing is changed if the error is [`GitError::Impossible`].
pub async fn restore(
    repository: Repository<'_>,
    from: &Present,
    to: &Snapshot,
    work: Work<'_>,
) -> Result<(), GitError> {
    let folder = folder_to_restore(repository)?;
    let back = OwnIndex::within(&repository.git.scratch);
    repository
        .through(&back, ["read-tree", &to.commit])
        .output()
        .await?;
    let plan = Plan::make(repository, from, to).await?;
    put_head(repository, &to.position)
        .await
        .map_err(|error| match error {
            GitError::Refused { words, .. } => {
                GitError::Impossible(format!("git cannot put the branch back ({words})"))
            }
            other => other,
        })?;
    if !to.is_busy {
        leave_what_is_in_progress(repository, &folder).await;
    }
    let restored = restore_all(repository, from, to, plan, &back, work).await;
    restored.map_err(|error| match error {
        // Something is changed by now.
        GitError::Impossible(words) => GitError::Refused { code: None, words },
        other => other,
    })
}

/// The folder of a repository in which nobody else is at work; else [`GitError::Impossible`].
pub(super) fn folder_to_restore(repository: Repository<'_>) -> Result<PathBuf, GitError> {
    let name = match repository.name().as_os_str() {
        name if name.is_empty() => "the workspace".to_owned(),
        name => name.to_string_lossy().into_owned(),
    };
    let Some(folder) = repository.git_folder() else {
        let words = format!("{name} is no git repository any more");
        return Err(GitError::Impossible(words));
    };
    if folder.join("index.lock").exists() {
        let words = format!("another git is at work in {name}, or was killed there (index.lock)");
        return Err(GitError::Impossible(words));
    }
    Ok(folder)
}

/// Restores what `HEAD` is not: other branches, the stash and files, from an index that has the files.
async fn restore_all(
    repository: Repository<'_>,
    from: &Present,
    to: &Snapshot,
    plan: Plan,
    back: &Path,
    work: Work<'_>,
) -> Result<(), GitError> {
    let workspace = repository.workspace;
    refs::put_all(repository, &from.snapshot.position, &to.position).await?;
    let (rules, files): (Vec<&PathBuf>, Vec<&PathBuf>) = plan
        .to_write
        .iter()
        .partition(|path| path.file_name() == Some(OsStr::new(".gitignore")));
    // The rules of then decide what was ignored then.
    write(repository, back, &rules, work).await?;
    let (gone, to_remove): (BTreeSet<PathBuf>, BTreeSet<PathBuf>) = plan
        .to_remove
        .into_iter()
        .partition(|path| path.file_name() == Some(OsStr::new(".gitignore")));
    for path in gone {
        remove(workspace, &path).map_err(|error| not_removed(&error))?;
    }
    let mut spared = ignored_then(repository, &to_remove).await?;
    if let Some(looked_at) = work.looked_at {
        let known = paths_in(repository, looked_at).await?;
        spared.retain(|path| !known.contains(path));
    }
    if let Some(first_found) = work.first_found {
        let known = paths_in(repository, first_found).await?;
        spared.extend(to_remove.difference(&known).cloned());
    }
    let workspace_too = workspace.to_owned();
    let in_the_way = plan.to_write.clone();
    let ignored = spared.clone();
    let removing = move || {
        let is_in_the_way = |path: &Path| {
            let mut files = in_the_way.iter();
            files.any(|file| path.starts_with(file) || file.starts_with(path))
        };
        for path in to_remove {
            if !spared.contains(&path) || is_in_the_way(&path) {
                remove(&workspace_too, &path)?;
            }
        }
        Ok(())
    };
    let removed: io::Result<()> = tokio::task::spawn_blocking(removing)
        .await
        .map_err(|error| io::Error::other(error.to_string()))
        .flatten();
    removed.map_err(|error| not_removed(&error))?;
    write(repository, back, &files, work).await?;
    let noted = Beside::noted(repository);
    // The next look sees what has come back, ignored or not, and passes over what is ignored again.
    let back_again: BTreeSet<PathBuf> = plan.to_write.iter().cloned().collect();
    add_paths(repository, &repository.last_index(), nul_ended(&back_again)).await?;
    forget_what_is_ignored(repository, &ignored).await?;
    put_beside_back(repository, &from.snapshot, to, back_again, noted).await?;
    let own_index: &[&str] = match &to.position.head {
        Some(head) => &["read-tree", head],
        None => &["read-tree", "--empty"],
    };
    repository
        .person(own_index.iter().copied())
        .output()
        .await?;
    // Only so that the next look at the workspace is quick.
    let refresh = ["update-index", "-q", "--refresh"];
    let _ = repository.person(refresh).output().await;
    Ok(())
}

/// Puts rights and empty folders back, and notes them for the next look.
async fn put_beside_back(
    repository: Repository<'_>,
    from: &Snapshot,
    to: &Snapshot,
    written: BTreeSet<PathBuf>,
    noted: Option<Beside>,
) -> Result<(), GitError> {
    if !to.beside.has_same_to_put_back(&from.beside) {
        let kept = paths_in(repository, to).await?;
        let put_back = to.beside.put_back(&from.beside, repository, &kept);
        put_back.map_err(|error| GitError::Refused {
            code: None,
            words: format!("the rights of a file cannot be put back: {error}"),
        })?;
    }
    // If it cannot be noted, the next look begins anew.
    if let Some(mut beside) = noted {
        for path in &written {
            beside.look_at(repository.workspace, path);
        }
        let _ = beside.note(repository, &repository.last_index());
    }
    Ok(())
}

fn not_removed(error: &io::Error) -> GitError {
    GitError::Refused {
        code: None,
        words: format!("a file cannot be removed: {error}"),
    }
}

/// Writes files as the index has them. A folder that is in the way of one has only files that are kept.
async fn write(
    repository: Repository<'_>,
    index: &Path,
    files: &[&PathBuf],
    work: Work<'_>,
) -> Result<(), GitError> {
    fail_point!("restore-write", |_| Err(GitError::Refused {
        code: None,
        words: "the disk is full".into(),
    }));
    for some in files.chunks(AT_ONCE) {
        if work.stop.is_cancelled() {
            return Err(GitError::Stopped);
        }
        let rights: Vec<(PathBuf, u32)> = some
            .iter()
            .filter_map(|path| {
                let place = repository.workspace.join(path);
                let there = place.symlink_metadata().ok()?;
                there.is_file().then(|| (place, there.permissions().mode()))
            })
            .collect();
        repository
            .through(index, ["checkout-index", "--force", "--"])
            .about(some.iter().map(|path| path.as_os_str()))
            .with(RUN_MARKER, work.marker.to_string())
            .output()
            .await?;
        for (place, before) in rights {
            // git knows whether a file can be executed, and nothing else of its rights.
            if let Ok(there) = place.symlink_metadata()
                && there.is_file()
            {
                let executes = match there.permissions().mode() & 0o100 {
                    0 => 0,
                    _ => (before & 0o444) >> 2,
                };
                let mode = (before & 0o7666) | executes;
                let _ = fs::set_permissions(&place, fs::Permissions::from_mode(mode));
            }
        }
    }
    Ok(())
}

/// Removes a file, and the folders that have nothing else. What lies behind a link is not the workspace's.
fn remove(workspace: &Path, path: &Path) -> io::Result<()> {
    if is_behind_link(workspace, path) {
        return Ok(());
    }
    match fs::remove_file(workspace.join(path)) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        // Something else lies there by now.
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Ok(()),
        Err(error) => return Err(error),
    }
    for folder in path
        .ancestors()
        .skip(1)
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        if fs::remove_dir(workspace.join(folder)).is_err() {
            break;
        }
    }
    Ok(())
}

/// Which of these git ignores by the rules that are in the workspace now: files that the snapshot lacks for that reason
/// may have been there all the time.
async fn ignored_then(
    repository: Repository<'_>,
    paths: &BTreeSet<PathBuf>,
) -> Result<BTreeSet<PathBuf>, GitError> {
    if paths.is_empty() {
        return Ok(BTreeSet::new());
    }
    // Without it a name that begins with a colon would be a pattern.
    const HERE: &[u8] = b"./";
    let named: Vec<u8> = paths
        .iter()
        .flat_map(|path| [HERE, path.as_os_str().as_bytes(), b"\0"].concat())
        .collect();
    let ask = ["check-ignore", "--no-index", "-z", "--stdin"];
    let ignored = repository.person(ask).input(named).keeping(usize::MAX);
    match ignored.output().await {
        Ok(ignored) => Ok(ignored
            .bytes
            .split(|byte| *byte == 0)
            .filter_map(|path| path.strip_prefix(HERE))
            .map(|path| PathBuf::from(OsStr::from_bytes(path)))
            .collect()),
        Err(GitError::Refused { code: Some(1), .. }) => Ok(BTreeSet::new()),
        Err(other) => Err(other),
    }
}

/// Files that were not ignored for a while are ignored again: looks pass over them as before.
async fn forget_what_is_ignored(
    repository: Repository<'_>,
    ignored: &BTreeSet<PathBuf>,
) -> Result<(), GitError> {
    if ignored.is_empty() {
        return Ok(());
    }
    let forget = ["update-index", "--force-remove", "-z", "--stdin"];
    let forget = repository.through(&repository.last_index(), forget);
    forget.input(nul_ended(ignored)).output().await.map(drop)
}
