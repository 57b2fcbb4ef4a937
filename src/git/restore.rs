//! Takes a workspace back to a snapshot: its branch, its files, those that are not tracked included.
//!
//! What git ignores stays as it is, and so does a repository within the workspace. What was staged is not
//! staged any more. May be done again from the start at any moment; what changes files ends with the bot, so that
//! two never work in one workspace.

use std::path::Path;

use tokio_util::sync::CancellationToken;

use super::snapshot::{Snapshot, git_folder, own};
use super::{Git, GitError, Listener};

/// Goes back; take a snapshot of what there is first.
pub async fn restore(git: &Git, workspace: &Path, to: &Snapshot) -> Result<(), GitError> {
    let never = CancellationToken::new();
    let listener = Listener {
        heard: &|_| {},
        stop: &never,
    };
    leave_what_is_in_progress(git, workspace).await;
    // With everything in the index, what the snapshot does not have is removed.
    match git
        .call(workspace, own(["add", "--all", "--ignore-errors"]))
        .held(listener)
        .await
    {
        Ok(_) | Err(GitError::Refused { code: Some(1), .. }) => {}
        Err(GitError::Refused { words, .. }) if words.contains("adding files failed") => {}
        Err(other) => return Err(other),
    }
    git.call(workspace, own(["read-tree", "--reset", "-u", &to.commit]))
        .held(listener)
        .await?;
    match (&to.branch, &to.head) {
        (Some(branch), Some(head)) => {
            let reference = format!("refs/heads/{branch}");
            git.run(workspace, own(["update-ref", &reference, head]))
                .await?;
            git.run(workspace, own(["symbolic-ref", "HEAD", &reference]))
                .await?;
        }
        (Some(branch), None) => {
            let reference = format!("refs/heads/{branch}");
            git.run(workspace, own(["symbolic-ref", "HEAD", &reference]))
                .await?;
            // It had no commit.
            git.run(workspace, own(["update-ref", "-d", &reference]))
                .await?;
        }
        (None, Some(head)) => {
            git.run(workspace, own(["update-ref", "--no-deref", "HEAD", head]))
                .await?;
        }
        (None, None) => {}
    }
    let index = match &to.head {
        Some(head) => own(["read-tree", head]),
        None => own(["read-tree", "--empty"]),
    };
    git.run(workspace, index).await?;
    // Only so that the next look at the workspace is quick.
    let _ = git
        .run(workspace, own(["update-index", "-q", "--refresh"]))
        .await;
    Ok(())
}

/// Takes away the lock that a git of ours left on the workspace's index when it was ended with the bot. To be called
/// only by who knows that nobody else is at work there.
pub fn unlock(workspace: &Path) {
    if let Some(folder) = git_folder(workspace) {
        let _ = std::fs::remove_file(folder.join("index.lock"));
    }
}

/// The commit that a branch is at; none where there is no such branch.
pub async fn tip(git: &Git, workspace: &Path, branch: &str) -> Option<String> {
    let reference = format!("refs/heads/{branch}");
    git.run(workspace, ["rev-parse", "--verify", "--quiet", &reference])
        .await
        .ok()
}

/// Puts a branch that is not checked out back to where it was.
pub async fn put_branch(
    git: &Git,
    workspace: &Path,
    branch: &str,
    commit: &str,
) -> Result<(), GitError> {
    let reference = format!("refs/heads/{branch}");
    git.run(workspace, own(["update-ref", &reference, commit]))
        .await
        .map(drop)
}

/// A merge, a rebase and their like, which the snapshot knows nothing of.
async fn leave_what_is_in_progress(git: &Git, workspace: &Path) {
    let Some(folder) = git_folder(workspace) else {
        return;
    };
    for (sign, command) in [
        ("MERGE_HEAD", "merge"),
        ("CHERRY_PICK_HEAD", "cherry-pick"),
        ("REVERT_HEAD", "revert"),
        ("rebase-merge", "rebase"),
        ("rebase-apply", "rebase"),
    ] {
        if folder.join(sign).exists() {
            // What it leaves is overwritten.
            let _ = git.run(workspace, own([command, "--quit"])).await;
        }
    }
}
