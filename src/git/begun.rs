//! How a repository began that a run made.

use std::fs;
use std::path::Path;

use super::repository::{Repository, common_folder};
use super::snapshot::{self, Moment, Snapshot};
use super::{GitError, file};
use crate::domain::changes::Fate;
use crate::domain::id::RunId;

const LOGS_OF_BRANCHES: &str = "logs/refs/heads";
/// What git logs of a clone's first commit.
const CLONE: &str = "clone:";

/// How it was made, and the commit that it had from the beginning.
pub fn by(repository: Repository<'_>) -> (Fate, Option<String>) {
    let Some(folder) = repository.git_folder() else {
        return (Fate::New, None);
    };
    match first_of(&folder.join("logs/HEAD")) {
        Some((new, _)) if common_folder(&folder) != folder => (Fate::Worktree, Some(new)),
        Some((new, message)) if message.starts_with(CLONE) => (Fate::Cloned, Some(new)),
        _ => (Fate::New, None),
    }
}

/// Keeps what a clone has got as what was before the run: so much of the run can be taken back in it.
pub async fn keep_as_cloned(
    repository: Repository<'_>,
    run: RunId,
    first: &str,
) -> Result<Snapshot, GitError> {
    let branch = repository
        .git_folder()
        .and_then(|folder| cloned_branch(&folder));
    let name = snapshot::reference(run, Moment::Before);
    snapshot::take_as_cloned(repository, first, branch, &name).await
}

/// The tree that has nothing.
pub async fn nothing(repository: Repository<'_>) -> Result<String, GitError> {
    Ok(repository.snapshots(["mktree"]).output().await?.text())
}

/// The branch that a clone has checked out first.
fn cloned_branch(git_folder: &Path) -> Option<String> {
    let logs = git_folder.join(LOGS_OF_BRANCHES);
    let mut folders = vec![logs.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if first_of(&path).is_some_and(|(_, message)| message.starts_with(CLONE)) {
                let name = path.strip_prefix(&logs).ok()?;
                return Some(name.to_string_lossy().into_owned());
            }
        }
    }
    None
}

/// The first entry of a log of git's: the commit, and why. Format: `old new person TAB message`.
fn first_of(log: &Path) -> Option<(String, String)> {
    let log = file::text(log)?;
    let first = log.lines().next()?;
    let (ids, message) = first.split_once('\t').unwrap_or((first, ""));
    Some((ids.split(' ').nth(1)?.to_owned(), message.to_owned()))
}
