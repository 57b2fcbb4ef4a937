//! What a fresh workspace lacks unexpectedly: submodules and large files.

use crate::domain::workspace::Remark;
use std::path::Path;

use super::{Git, GitError, checkout, file};

/// Looks at a workspace that was just made.
pub async fn look(git: &Git, workspace: &Path) -> Result<Vec<Remark>, GitError> {
    let mut remarks = Vec::new();
    if workspace.join(".gitmodules").is_file() {
        let paths = submodules(git, workspace).await?;
        if !paths.is_empty() {
            remarks.push(Remark::Submodules(paths));
        }
    }
    let attributes = file::text(&workspace.join(".gitattributes"));
    if attributes.is_some_and(|attributes| attributes.contains("filter=lfs")) {
        let filter = git.run(workspace, ["config", "--get", "filter.lfs.smudge"]);
        if filter.await.is_err() || !checkout::has_lfs(git, workspace).await {
            let named = ["ls-files", "-z", "--", ":(attr:filter=lfs)"];
            let count = git.run(workspace, named).await?.matches('\0').count();
            if count > 0 {
                remarks.push(Remark::LargeFiles(count));
            }
        }
    }
    Ok(remarks)
}

/// Format: gitmodules(5), as `git config --null` prints it.
async fn submodules(git: &Git, workspace: &Path) -> Result<Vec<String>, GitError> {
    let arguments = [
        "config",
        "--null",
        "--file",
        ".gitmodules",
        "--get-regexp",
        r"\.path$",
    ];
    match git.run(workspace, arguments).await {
        Ok(found) => Ok(found
            .split('\0')
            .filter_map(|record| record.split_once('\n'))
            .map(|(_, path)| path.to_owned())
            .collect()),
        Err(GitError::Refused { .. }) => Ok(Vec::new()),
        Err(other) => Err(other),
    }
}
