//! Makes a session's workspace: an empty repository, a clone, or a worktree of a local repository.
//!
//! An interrupted try is begun anew; a failed one leaves nothing behind.

use std::ffi::OsString;
use std::path::Path;

use fail::fail_point;
use tokio::fs;
use uuid::Uuid;

use super::mirror::Mirrors;
use super::{Git, GitError, Listener};
use crate::domain::session::{Session, Source};

/// What workspaces are made with.
pub struct Workshop<'a> {
    pub git: &'a Git,
    pub mirrors: &'a Mirrors,
    pub branch_prefix: &'a str,
    pub listener: Listener<'a>,
}

/// Makes the workspace and returns the branch it is on. A half-made one of an earlier try is made anew.
///
/// It is the branch asked for, or `<prefix><session>`. A new one begins at the remote's default branch or the local
/// `HEAD`. An empty repository is on `main`.
pub async fn make(shop: &Workshop<'_>, session: &Session) -> Result<String, GitError> {
    let git = shop.git;
    let folder = &session.workspace;
    remove(git, session, shop.branch_prefix).await;
    if let Some(parent) = folder.parent() {
        fs::create_dir_all(parent)
            .await
            .map_err(|error| impossible(parent, &error))?;
    }
    let branch = match &session.wanted_branch {
        Some(wanted) => valid_branch(git, wanted).await?,
        None => own_branch(session, shop.branch_prefix),
    };
    match &session.source {
        Source::Empty => {
            fs::create_dir_all(folder)
                .await
                .map_err(|error| impossible(folder, &error))?;
            git.run(folder, ["init", "--quiet", "--initial-branch=main"])
                .await?;
            Ok("main".to_owned())
        }
        Source::Clone(url) => {
            clone(shop, url, folder, &branch).await?;
            Ok(branch)
        }
        Source::Worktree(repository) => {
            add_worktree(shop, repository, folder, &branch).await?;
            Ok(branch)
        }
    }
}

/// Removes a workspace and what it left in its source repository: its entry in the list of worktrees, and the branch
/// that is named after the session.
pub async fn remove(git: &Git, session: &Session, branch_prefix: &str) {
    let folder = session.workspace.to_string_lossy();
    if let Source::Worktree(repository) = &session.source {
        // Each fails if there is nothing to remove.
        let _ = git
            .run(repository, ["worktree", "remove", "--force", &folder])
            .await;
        if let Some(branch) = own_branch_to_go(session, branch_prefix) {
            let _ = git.run(repository, ["branch", "-D", "--", &branch]).await;
        }
    }
    remove_half_made(&session.workspace).await;
    if let Err(error) = fs::remove_dir_all(&session.workspace).await
        && error.kind() != std::io::ErrorKind::NotFound
    {
        // Something was still writing into it; its group has been killed.
        let _ = fs::remove_dir_all(&session.workspace).await;
    }
}

/// The prefix of unfinished clones' folders.
fn half_made(folder: &Path) -> String {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    format!(".cloning-{name}-")
}

async fn remove_half_made(folder: &Path) {
    let Some(parent) = folder.parent() else {
        return;
    };
    let Ok(mut entries) = fs::read_dir(parent).await else {
        return;
    };
    while let Ok(Some(entry)) = entries.next_entry().await {
        if entry
            .file_name()
            .to_string_lossy()
            .starts_with(&half_made(folder))
        {
            let _ = fs::remove_dir_all(entry.path()).await;
        }
    }
}

/// The branch in a worktree's repository that is deleted with the session: the one named after it.
pub fn own_branch_to_go(session: &Session, branch_prefix: &str) -> Option<String> {
    let is_ours = session.wanted_branch.is_none();
    is_ours.then(|| own_branch(session, branch_prefix))
}

fn own_branch(session: &Session, branch_prefix: &str) -> String {
    format!("{branch_prefix}{}", session.id)
}

/// A clone that borrows its objects from the mirror and calls the URL its origin.
async fn clone(
    shop: &Workshop<'_>,
    url: &str,
    folder: &Path,
    branch: &str,
) -> Result<(), GitError> {
    let git = shop.git;
    let (mirror, default) = shop.mirrors.fetched(git, url, shop.listener).await?;
    let parent = folder.parent().unwrap_or(folder);
    // A git that outlived a killed bot removes its own folder when it fails, so each has its own.
    let half = parent.join(format!("{}{}", half_made(folder), Uuid::new_v4().simple()));
    let arguments = [
        "clone",
        "--quiet",
        "--shared",
        "--no-checkout",
        "--origin",
        "origin",
        "--",
    ]
    .map(OsString::from);
    let folders = [mirror.into_os_string(), half.clone().into()];
    git.call(parent, arguments.into_iter().chain(folders))
        .output()
        .await?;
    git.run(&half, ["remote", "set-url", "origin", url]).await?;
    if let Some(default) = &default {
        git.run(&half, ["remote", "set-head", "origin", default])
            .await?;
    }
    switch(shop, &half, branch, default.as_deref()).await?;
    fail_point!("workspace-cloned", |_| std::process::abort());
    fs::rename(&half, folder)
        .await
        .map_err(|error| impossible(folder, &error))
}

/// Switches to the branch if it exists, here or on the remote; else to a new one from the default branch.
async fn switch(
    shop: &Workshop<'_>,
    folder: &Path,
    branch: &str,
    default: Option<&str>,
) -> Result<(), GitError> {
    let git = shop.git;
    let exists_here = exists(git, folder, &format!("refs/heads/{branch}")).await;
    let exists_there = exists(git, folder, &format!("refs/remotes/origin/{branch}")).await;
    let start = default.map(|default| format!("origin/{default}"));
    let mut arguments = vec!["switch", "--progress"];
    if exists_here || exists_there {
        arguments.extend(["--guess", branch]);
    } else {
        arguments.extend(["--no-track", "--create", branch]);
        arguments.extend(start.as_deref());
    }
    // Large files that are kept elsewhere are fetched here too.
    git.call(folder, arguments)
        .supervised(shop.listener)
        .await?;
    Ok(())
}

async fn add_worktree(
    shop: &Workshop<'_>,
    repository: &Path,
    folder: &Path,
    branch: &str,
) -> Result<(), GitError> {
    let git = shop.git;
    let inside = git.run(repository, ["rev-parse", "--git-dir"]).await;
    if let Err(GitError::Refused { words, .. }) = &inside
        && words.contains("not a git repository")
    {
        return Err(GitError::Impossible(
            "that folder is not a git repository".into(),
        ));
    }
    inside?;
    if let Some(place) = checked_out_in(git, repository, branch).await? {
        return Err(GitError::Impossible(format!(
            "the branch {branch} is checked out in {place}, and git lets a branch be in one place only; name \
             another branch, or leave it out"
        )));
    }
    let target = folder.to_string_lossy();
    let mut arguments = vec!["worktree", "add", "--quiet"];
    let is_there = exists(git, repository, &format!("refs/heads/{branch}")).await;
    if is_there {
        arguments.extend([target.as_ref(), branch]);
    } else if exists(git, repository, "HEAD").await {
        arguments.extend(["-b", branch, target.as_ref(), "HEAD"]);
    } else {
        // No commit yet, so there is nothing to branch from.
        arguments.extend(["--orphan", "-b", branch, target.as_ref()]);
    }
    // Large files that are kept elsewhere are fetched here too.
    let added = git
        .call(repository, arguments)
        .supervised(shop.listener)
        .await;
    if added.is_err() && !is_there {
        // Remove the new branch, and first the worktree that has it checked out.
        let remove = ["worktree", "remove", "--force", &target];
        let _ = git.run(repository, remove).await;
        let _ = git.run(repository, ["branch", "-D", "--", branch]).await;
    }
    added.map(drop)
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

async fn exists(git: &Git, folder: &Path, reference: &str) -> bool {
    git.run(folder, ["rev-parse", "--verify", "--quiet", reference])
        .await
        .is_ok()
}

/// The name, if git takes it for a branch and not for an option.
async fn valid_branch(git: &Git, wanted: &str) -> Result<String, GitError> {
    let invalid = || GitError::Impossible(format!("{wanted} is no name for a branch"));
    if wanted.starts_with('-') {
        return Err(invalid());
    }
    match git
        .run(Path::new("/"), ["check-ref-format", "--branch", wanted])
        .await
    {
        Ok(_) => Ok(wanted.to_owned()),
        Err(GitError::Refused { .. }) => Err(invalid()),
        Err(other) => Err(other),
    }
}

fn impossible(folder: &Path, error: &std::io::Error) -> GitError {
    GitError::Impossible(format!("{} cannot be made ({error})", folder.display()))
}
