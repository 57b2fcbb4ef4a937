//! A workspace that is a worktree of a repository on this machine.

use std::path::Path;

use super::branch::{self, Wanted};
use super::workspace::{Made, Workshop};
use super::{Git, GitError, checkout, include};
use crate::domain::workspace::Remark;

/// Makes a worktree, with the ignored files that `.worktreeinclude` names.
pub(super) async fn make(
    shop: &Workshop<'_>,
    repository: &Path,
    folder: &Path,
    wanted: &Wanted<'_>,
) -> Result<Made, GitError> {
    let git = shop.git;
    look_for_repository(repository)?;
    let branches = branch::all(git, repository, "refs/heads/").await?;
    let branch = wanted.beside(&branches)?;
    if let Some(place) = checked_out_in(git, repository, &branch).await? {
        return Err(GitError::Impossible(format!(
            "the branch {branch} is checked out in {place}, and git lets a branch be in one place only; name \
             another branch, or leave it out"
        )));
    }
    let is_there = branches.contains(&branch);
    let added = add(shop, repository, folder, &branch, &branches).await;
    let mut remarks = match added {
        Ok(remarks) => remarks,
        Err(failure) => {
            if !is_there {
                take_back(git, repository, folder, &branch).await;
            }
            return Err(failure);
        }
    };
    remarks.extend(include::copy(shop, repository, folder).await?);
    Ok(Made { branch, remarks })
}

/// Adds the worktree, on the branch if it is there, or on a new one from `HEAD`.
async fn add(
    shop: &Workshop<'_>,
    repository: &Path,
    folder: &Path,
    branch: &str,
    branches: &[String],
) -> Result<Vec<Remark>, GitError> {
    let target = folder.to_string_lossy();
    let mut remarks = Vec::new();
    let mut arguments = vec!["worktree", "add", "--quiet"];
    let new = ["-b", branch, &target];
    if branches.iter().any(|there| there == branch) {
        arguments.extend([&target, branch]);
    } else if has_commit(shop.git, repository).await {
        arguments.extend(new.into_iter().chain(["HEAD"]));
    } else if let Some(likely) = branch::likely_default(branches) {
        remarks.push(Remark::BeginsAt(likely.to_owned()));
        arguments.extend(new.into_iter().chain([likely]));
    } else {
        add_unborn(shop.git, repository, &target, branch).await?;
        return Ok(remarks);
    }
    remarks.extend(checkout::run(shop, repository, folder, branch, &arguments).await?);
    Ok(remarks)
}

/// Adds a worktree to a repository without a commit, on a branch without one.
///
/// git can do so itself since 2.42 (`--orphan`). Here the worktree is made on an empty commit that no branch has, and
/// then put on the branch.
async fn add_unborn(
    git: &Git,
    repository: &Path,
    target: &str,
    branch: &str,
) -> Result<(), GitError> {
    let tree = git
        .run(repository, ["hash-object", "-w", "-t", "tree", "--stdin"])
        .await?;
    let commit = format!(
        "tree {tree}\nauthor telecoder <telecoder@localhost> 0 +0000\ncommitter telecoder <telecoder@localhost> 0 +0000\n\n\
         A worktree begins here, before its first commit.\n"
    );
    let commit = git
        .call(repository, ["hash-object", "-w", "-t", "commit", "--stdin"])
        .input(commit.into_bytes())
        .output()
        .await?
        .text();
    // Without a record of where HEAD was, which nobody would understand.
    let no_record = ["-c", "core.logAllRefUpdates=false"].into_iter();
    let add = ["worktree", "add", "--quiet", "--detach", "--no-checkout"];
    let add = no_record.chain(add).chain([target, &commit]);
    git.run(repository, add).await?;
    let head = format!("refs/heads/{branch}");
    git.run(Path::new(target), ["symbolic-ref", "HEAD", &head])
        .await
        .map(drop)
}

async fn has_commit(git: &Git, repository: &Path) -> bool {
    let ask = ["rev-parse", "--verify", "--quiet", "HEAD"];
    git.run(repository, ask).await.is_ok()
}

/// Removes a new branch, and first the worktree that has it checked out.
async fn take_back(git: &Git, repository: &Path, folder: &Path, branch: &str) {
    let target = folder.to_string_lossy();
    let remove = ["worktree", "remove", "--force", &target];
    let _ = git.run(repository, remove).await;
    let _ = git.run(repository, ["branch", "-D", "--", branch]).await;
}

/// Whether the folder is the top of a repository. Format: gitrepository-layout(5).
fn look_for_repository(folder: &Path) -> Result<(), GitError> {
    let is_bare = ["HEAD", "objects", "refs"].map(|part| folder.join(part).exists());
    if folder.join(".git").exists() || is_bare == [true; 3] {
        return Ok(());
    }
    let mut above = folder.ancestors().skip(1);
    Err(GitError::Impossible(
        match above.find(|above| above.join(".git").exists()) {
            Some(top) => format!(
                "that folder is only a part of the git repository {}; name that one",
                top.display()
            ),
            None => "that folder is not a git repository".to_owned(),
        },
    ))
}

/// Where a branch is checked out. Format: `git worktree list --porcelain -z`.
async fn checked_out_in(
    git: &Git,
    repository: &Path,
    branch: &str,
) -> Result<Option<String>, GitError> {
    let list = git
        .run(repository, ["worktree", "list", "--porcelain", "-z"])
        .await?;
    let wanted = format!("branch refs/heads/{branch}");
    let mut place = None;
    for line in list.split('\0') {
        if let Some(path) = line.strip_prefix("worktree ") {
            place = Some(path.to_owned());
        } else if line == wanted {
            return Ok(place);
        }
    }
    Ok(None)
}
