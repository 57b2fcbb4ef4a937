//! Commits that would be gone with a branch.

use std::path::Path;

use super::{Git, GitError};

/// How many commits of what is checked out are on no other branch, here or on a remote, and on no tag.
pub async fn commits(git: &Git, workspace: &Path, branch: Option<&str>) -> Result<u64, GitError> {
    let exclude = format!("--exclude={}", branch.unwrap_or_default());
    let arguments = [
        "rev-list",
        "--count",
        "HEAD",
        "--not",
        &exclude,
        "--branches",
        "--remotes",
        "--tags",
    ];
    let counted = git.run(workspace, arguments).await?;
    counted
        .trim()
        .parse()
        .map_err(|_| GitError::Impossible("git did not count".into()))
}
