//! What a run changed: the workspace now against the snapshot that was taken before it.

use std::path::Path;
use std::time::Duration;

use crate::domain::changes::Changes;
use crate::domain::id::RunId;
use crate::git::repository::Repository;
use crate::git::snapshot;
use crate::git::{Git, GitError, diff, index, refs};

/// How long git may take; a workspace with millions of files is not measured.
const LIMIT: Duration = Duration::from_secs(60);

/// The workspace's changes since just before the run. The error is for a person.
///
/// `since` is when the run began, in Unix milliseconds; `was_empty` names the branch of a workspace that had no file
/// and no commit then.
pub async fn changes(
    git: &Git,
    workspace: &Path,
    index: &Path,
    run: RunId,
    since: i64,
    was_empty: Option<&str>,
) -> Result<Changes, String> {
    let measured = async {
        if was_empty.is_some() && snapshot::is_empty(workspace) {
            return Ok(Changes::default());
        }
        let before = snapshot::before(git, workspace, run, was_empty).await?;
        let left_out = index::look(git, workspace, index).await?;
        let (files, commits) = tokio::join!(
            diff::files(git, workspace, &before.commit, index),
            diff::commits(git, workspace, before.head.as_deref(), since / 1000),
        );
        let (head, branch) = refs::head(Repository::new(git, workspace)).await;
        let mut changes = Changes {
            files: files?,
            commits: commits?,
            has_moved: (head, &branch) != (before.head, &before.branch),
            has_submodules: workspace.join(".gitmodules").exists(),
            branch,
            left_out,
            ..Changes::default()
        };
        // Without changes, nobody asks what is pushed.
        if !changes.is_none() {
            changes.remote = diff::remote(git, workspace).await?;
        }
        Ok(changes)
    };
    match tokio::time::timeout(LIMIT, measured).await {
        Ok(Ok(changes)) => Ok(changes),
        Ok(Err(error)) => Err(in_words(&error)),
        Err(_) => Err(format!("git took longer than {} s", LIMIT.as_secs())),
    }
}

/// A file as it was before a run, if it was there and is a text.
pub async fn file_before(git: &Git, workspace: &Path, run: RunId, name: &str) -> Option<String> {
    let before = snapshot::before(git, workspace, run, None).await.ok()?;
    snapshot::file(git, workspace, &before, name).await.ok()
}

/// The reason, and git's words if there are any.
pub fn in_words(error: &GitError) -> String {
    match error.words() {
        "" => error.reason(),
        words => format!("{}: {words}", error.reason()),
    }
}
