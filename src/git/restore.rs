//! Takes a workspace back to a snapshot: its branch, its files, those that are not tracked included.
//!
//! What git ignores stays as it is, and so does a repository within the workspace. What was staged is not
//! staged any more. May be done again from the start at any moment.

use std::path::Path;

use super::snapshot::{Snapshot, git_folder, own};
use super::{Git, GitError};

/// Goes back; take a snapshot of what there is first.
pub async fn restore(git: &Git, workspace: &Path, to: &Snapshot) -> Result<(), GitError> {
    leave_what_is_in_progress(git, workspace).await;
    // With everything in the index, what the snapshot does not have is removed.
    match git
        .run(workspace, own(["add", "--all", "--ignore-errors", "."]))
        .await
    {
        Ok(_) | Err(GitError::Refused { .. }) => {}
        Err(other) => return Err(other),
    }
    git.run(workspace, own(["read-tree", "--reset", "-u", &to.commit]))
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
