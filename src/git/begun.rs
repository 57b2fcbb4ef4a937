//! How a repository began that a run made.

use std::fs;

use super::GitError;
use super::repository::{Repository, common_folder};
use crate::domain::changes::Fate;

/// How it was made, and the commit that it had from the beginning. Format: the first line of git's log of `HEAD`,
/// `old new person TAB message`.
pub fn by(repository: Repository<'_>) -> (Fate, Option<String>) {
    let Some(folder) = repository.git_folder() else {
        return (Fate::New, None);
    };
    let log = fs::read_to_string(folder.join("logs/HEAD")).unwrap_or_default();
    let first = log.lines().next().unwrap_or_default();
    let (ids, message) = first.split_once('\t').unwrap_or((first, ""));
    let new = ids.split(' ').nth(1).map(str::to_owned);
    match message {
        _ if common_folder(&folder) != folder => (Fate::Worktree, new),
        _ if message.starts_with("clone:") => (Fate::Cloned, new),
        _ => (Fate::New, None),
    }
}

/// The tree that has nothing.
pub async fn nothing(repository: Repository<'_>) -> Result<String, GitError> {
    Ok(repository.snapshots(["mktree"]).output().await?.text())
}
