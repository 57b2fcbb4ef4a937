//! Takes a workspace back to a snapshot: its branch and its files, including untracked ones.
//!
//! Files that git ignores now or ignored then stay as they are, and so do repositories inside the workspace. Nothing
//! stays staged. A restore can be repeated from the start at any moment. The git that changes files ends with the bot,
//! so two never work in one workspace.

use std::path::Path;

use tokio_util::sync::CancellationToken;

use super::index::{look, with_index};
use super::snapshot::{Snapshot, git_folder, in_place, in_progress};
use super::{Git, GitError, Listener};
use crate::domain::id::RunId;

/// Restores; take a snapshot of the present state first. A file of our own is made at `index`; `marker` finds git's
/// processes if bot and supervisor are killed.
///
/// Nothing is changed if the error is [`GitError::Impossible`].
pub async fn restore(
    git: &Git,
    workspace: &Path,
    to: &Snapshot,
    index: &Path,
    marker: RunId,
) -> Result<(), GitError> {
    let folder = git_folder(workspace).ok_or_else(|| {
        GitError::Impossible("the workspace is no git repository any more".into())
    })?;
    if folder.join("index.lock").exists() {
        return Err(GitError::Impossible(
            "another git is at work in the workspace, or was killed there (index.lock)".into(),
        ));
    }
    look(git, workspace, index).await?;
    put_head(git, workspace, to)
        .await
        .map_err(|error| match error {
            GitError::Refused { words, .. } => {
                GitError::Impossible(format!("git cannot put the branch back ({words})"))
            }
            other => other,
        })?;
    spare_what_was_ignored(git, workspace, to, index).await?;
    if !to.is_busy {
        leave_what_is_in_progress(git, workspace, &folder).await;
    }
    let never = CancellationToken::new();
    let listener = Listener {
        heard: &|_| {},
        stop: &never,
        marker: Some(marker),
    };
    let files = ["read-tree", "--reset", "-u", &to.commit];
    with_index(git, workspace, index, files)
        .supervised(listener)
        .await?;
    let own_index: &[&str] = match &to.head {
        Some(head) => &["read-tree", "--reset", head],
        None => &["read-tree", "--empty"],
    };
    in_place(git, workspace, own_index.iter().copied())
        .output()
        .await?;
    // Only so that the next look at the workspace is quick.
    let _ = in_place(git, workspace, ["update-index", "-q", "--refresh"])
        .output()
        .await;
    Ok(())
}

/// Spares files that the snapshot lacks because git ignored them then: they may have been there all the time. Those
/// rules are in the snapshot's `.gitignore` files, which are restored first.
async fn spare_what_was_ignored(
    git: &Git,
    workspace: &Path,
    to: &Snapshot,
    index: &Path,
) -> Result<(), GitError> {
    let new = [
        "diff-index",
        "--cached",
        "--no-renames",
        "--diff-filter=A",
        "--name-only",
        "-z",
        &to.commit,
    ];
    let new = with_index(git, workspace, index, new).output().await?.bytes;
    if new.is_empty() {
        return Ok(());
    }
    let rules = [
        "checkout",
        "--quiet",
        &to.commit,
        "--",
        ":(glob)**/.gitignore",
    ];
    match with_index(git, workspace, index, rules).output().await {
        // The snapshot has none.
        Ok(_) | Err(GitError::Refused { code: Some(1), .. }) => {}
        Err(other) => return Err(other),
    }
    let ignored = in_place(
        git,
        workspace,
        ["check-ignore", "--no-index", "-z", "--stdin"],
    )
    .input(new)
    .output()
    .await;
    let ignored = match ignored {
        Ok(ignored) => ignored.bytes,
        Err(GitError::Refused { code: Some(1), .. }) => return Ok(()),
        Err(other) => return Err(other),
    };
    let forget = ["update-index", "--force-remove", "-z", "--stdin"];
    with_index(git, workspace, index, forget)
        .input(ignored)
        .output()
        .await
        .map(drop)
}

/// Sets `HEAD` and its branch.
async fn put_head(git: &Git, workspace: &Path, to: &Snapshot) -> Result<(), GitError> {
    let reference = to
        .branch
        .as_ref()
        .map(|branch| format!("refs/heads/{branch}"));
    let run = async |arguments: &[&str]| {
        in_place(git, workspace, arguments.iter().copied())
            .output()
            .await
            .map(drop)
    };
    match (&reference, &to.head) {
        (Some(reference), Some(head)) => {
            run(&["update-ref", reference, head]).await?;
            run(&["symbolic-ref", "HEAD", reference]).await
        }
        (Some(reference), None) => {
            run(&["symbolic-ref", "HEAD", reference]).await?;
            // It had no commit.
            run(&["update-ref", "-d", reference]).await
        }
        (None, Some(head)) => run(&["update-ref", "--no-deref", "HEAD", head]).await,
        (None, None) => Ok(()),
    }
}

/// Removes the lock that a git of ours left on the workspace's index when it was ended with the bot. Call it only if
/// nobody else can be working there.
pub fn unlock(workspace: &Path) {
    if let Some(folder) = git_folder(workspace) {
        let _ = std::fs::remove_file(folder.join("index.lock"));
    }
}

/// The commit that a branch is at; `None` if there is no such branch.
pub async fn tip(git: &Git, workspace: &Path, branch: &str) -> Option<String> {
    let reference = format!("refs/heads/{branch}");
    in_place(
        git,
        workspace,
        ["rev-parse", "--verify", "--quiet", &reference],
    )
    .output()
    .await
    .ok()
    .map(|output| output.text())
}

/// Puts a branch that is not checked out back to where it was.
pub async fn put_branch(
    git: &Git,
    workspace: &Path,
    branch: &str,
    commit: &str,
) -> Result<(), GitError> {
    let reference = format!("refs/heads/{branch}");
    in_place(git, workspace, ["update-ref", &reference, commit])
        .output()
        .await
        .map(drop)
}

/// Quits a merge, a rebase or the like that the run has begun.
async fn leave_what_is_in_progress(git: &Git, workspace: &Path, folder: &Path) {
    if let Some((_, command)) = in_progress(folder) {
        // What it leaves is overwritten.
        let _ = in_place(git, workspace, [command, "--quit"]).output().await;
    }
}
