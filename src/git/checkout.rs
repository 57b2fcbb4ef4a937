//! A checkout into a new workspace, where hooks and filters of the person's machine may fail.

use std::fs::{File, FileTimes};
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::workspace::Workshop;
use super::{Git, GitError};
use crate::domain::workspace::Remark;

/// Lets files that Git LFS keeps elsewhere be their pointers.
const AS_POINTERS: [&str; 8] = [
    "-c",
    "filter.lfs.required=false",
    "-c",
    "filter.lfs.process=",
    "-c",
    "filter.lfs.smudge=",
    "-c",
    "filter.lfs.clean=",
];

/// Runs a git that checks `branch` out in `workspace`; git is called in `folder`.
///
/// git runs the hook post-checkout when all is done, and fails as the hook does. The workspace is complete then, so
/// that is a remark. Large files that are kept elsewhere are fetched here too; if the program for that is required and
/// not there, they stay pointers.
pub(super) async fn run(
    shop: &Workshop<'_>,
    folder: &Path,
    workspace: &Path,
    branch: &str,
    arguments: &[&str],
) -> Result<Option<Remark>, GitError> {
    let git = shop.git;
    let as_pointers = cannot_filter(git, folder).await;
    let before: &[&str] = if as_pointers { &AS_POINTERS } else { &[] };
    let call = git.call(folder, before.iter().chain(arguments).copied());
    let hook_failed = match call.supervised(shop.listener).await {
        Ok(_) => None,
        Err(GitError::Refused { words, .. }) if is_complete(git, workspace, branch).await => {
            Some(Remark::HookFailed(words))
        }
        Err(failure) => return Err(failure),
    };
    if as_pointers {
        settle_pointers(git, workspace).await?;
    }
    Ok(hook_failed)
}

/// Whether git-lfs is on this machine.
pub(super) async fn has_lfs(git: &Git, folder: &Path) -> bool {
    let ask = ["-c", "help.autoCorrect=never", "lfs", "version"];
    git.run(folder, ask).await.is_ok()
}

/// Whether git would refuse to check files out because git-lfs is required and not there.
async fn cannot_filter(git: &Git, folder: &Path) -> bool {
    let ask = ["config", "--type=bool", "--get", "filter.lfs.required"];
    let required = git.run(folder, ask).await;
    required.is_ok_and(|required| required == "true") && !has_lfs(git, folder).await
}

/// Whether the branch is checked out with all its files.
async fn is_complete(git: &Git, workspace: &Path, branch: &str) -> bool {
    if !workspace.join(".git").exists() {
        return false;
    }
    let head = git
        .run(workspace, ["symbolic-ref", "--quiet", "HEAD"])
        .await;
    if !head.is_ok_and(|head| head == format!("refs/heads/{branch}")) {
        return false;
    }
    let index = ["diff-index", "--cached", "--quiet", "HEAD", "--"];
    let missing = git.run(workspace, ["ls-files", "--deleted", "-z"]).await;
    git.run(workspace, index).await.is_ok() && missing.is_ok_and(|missing| missing.is_empty())
}

/// Makes git sure that the pointers are unchanged. It looks into a file that is as new as its index, through the filter
/// that is not there, and would fail at that in every later call.
async fn settle_pointers(git: &Git, workspace: &Path) -> Result<(), GitError> {
    let named = ["ls-files", "-z", "--", ":(attr:filter=lfs)"];
    let names = git.run(workspace, named).await?;
    let earlier = FileTimes::new().set_modified(SystemTime::now() - Duration::from_secs(10));
    for name in names.split_terminator('\0') {
        let path = workspace.join(name);
        if path.symlink_metadata().is_ok_and(|found| found.is_file())
            && let Ok(file) = File::open(&path)
        {
            // At worst git looks into it.
            let _ = file.set_times(earlier);
        }
    }
    let refresh = ["update-index", "--refresh"];
    git.run(workspace, AS_POINTERS.into_iter().chain(refresh))
        .await
        .map(drop)
}
