//! Makes a session's workspace: an empty repository, a clone, or a worktree of a local repository.
//!
//! Begun anew if it was interrupted, and leaves nothing behind if it fails.

use std::path::{Path, PathBuf};

use tokio::fs;
use uuid::Uuid;

use super::{Git, GitError};
use crate::session::{Session, Source};

/// Makes the workspace and returns the branch it is on. A half-made one of an earlier try is made anew.
///
/// The branch is `<prefix><session>` from the source's default branch, or the one that was asked for, which
/// is switched to where it exists and made where it does not.
pub async fn make(git: &Git, session: &Session, branch_prefix: &str) -> Result<String, GitError> {
    let folder = &session.workspace;
    remove(git, session, branch_prefix).await;
    if let Some(parent) = folder.parent() {
        fs::create_dir_all(parent)
            .await
            .map_err(|error| impossible(parent, &error))?;
    }
    let branch = match &session.wanted_branch {
        Some(wanted) => valid_branch(git, wanted).await?,
        None => own_branch(session, branch_prefix),
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
            clone(git, url, folder).await?;
            switch(git, folder, &branch).await?;
            Ok(branch)
        }
        Source::Worktree(repository) => {
            add_worktree(git, repository, folder, &branch).await?;
            Ok(branch)
        }
    }
}

/// Takes a workspace away that could not be finished, with what it left in the repository it came from: its
/// entry in the list of worktrees, and the branch that is named after the session.
pub async fn remove(git: &Git, session: &Session, branch_prefix: &str) {
    let folder = session.workspace.to_string_lossy();
    if let Source::Worktree(repository) = &session.source {
        // Each says no where there is nothing to take away.
        let _ = git
            .run(repository, ["worktree", "remove", "--force", &folder])
            .await;
        if session.wanted_branch.is_none() {
            let branch = own_branch(session, branch_prefix);
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

/// How the folders of clones that are not finished begin.
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

fn own_branch(session: &Session, branch_prefix: &str) -> String {
    format!("{branch_prefix}{}", session.id)
}

/// What a person named: a URL that git can clone, or a folder on this machine. `None` when it is neither.
pub fn source_named(named: &str) -> Option<Source> {
    if named.starts_with('-') {
        return None;
    }
    if named.contains("://") || is_scp_like(named) {
        return Some(Source::Clone(named.to_owned()));
    }
    let path = match named.strip_prefix("~/") {
        Some(rest) => PathBuf::from(std::env::var_os("HOME")?).join(rest),
        None => PathBuf::from(named),
    };
    let path = path.is_absolute().then_some(path)?.canonicalize().ok()?;
    path.is_dir().then_some(Source::Worktree(path))
}

/// `user@host:path`, as git reads it: a colon before the first slash.
fn is_scp_like(named: &str) -> bool {
    named.split_once(':').is_some_and(|(host, path)| {
        !host.is_empty()
            && !host.contains('/')
            && !path.is_empty()
            && !path.starts_with(':')
            && host
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "@.-_".contains(c))
    })
}

async fn clone(git: &Git, url: &str, folder: &Path) -> Result<(), GitError> {
    let parent = folder.parent().unwrap_or(folder);
    // A git that outlived a killed bot takes its own folder away when it fails, so each has one of its own.
    let name = format!("{}{}", half_made(folder), Uuid::new_v4().simple());
    let half = parent.join(&name);
    git.run(parent, ["clone", "--quiet", "--", url, &name])
        .await?;
    fs::rename(&half, folder)
        .await
        .map_err(|error| impossible(folder, &error))
}

async fn switch(git: &Git, folder: &Path, branch: &str) -> Result<(), GitError> {
    let exists_here = exists(git, folder, &format!("refs/heads/{branch}")).await;
    let exists_there = exists(git, folder, &format!("refs/remotes/origin/{branch}")).await;
    let arguments: &[&str] = if exists_here || exists_there {
        &["switch", "--quiet", branch]
    } else {
        &["switch", "--quiet", "--no-track", "--create", branch]
    };
    git.run(folder, arguments).await?;
    Ok(())
}

async fn add_worktree(
    git: &Git,
    repository: &Path,
    folder: &Path,
    branch: &str,
) -> Result<(), GitError> {
    let inside = git.run(repository, ["rev-parse", "--git-dir"]).await;
    if let Err(GitError::Refused { words }) = &inside
        && words.contains("not a git repository")
    {
        return Err(GitError::Impossible(
            "that folder is not a git repository".into(),
        ));
    }
    inside?;
    let target = folder.to_string_lossy();
    let mut arguments = vec!["worktree", "add", "--quiet"];
    if exists(git, repository, &format!("refs/heads/{branch}")).await {
        arguments.extend([target.as_ref(), branch]);
    } else if exists(git, repository, "HEAD").await {
        arguments.extend(["-b", branch, target.as_ref(), "HEAD"]);
    } else {
        // No commit yet, so there is nothing to branch from.
        arguments.extend(["--orphan", "-b", branch, target.as_ref()]);
    }
    git.run(repository, arguments).await?;
    Ok(())
}

async fn exists(git: &Git, folder: &Path, reference: &str) -> bool {
    git.run(folder, ["rev-parse", "--verify", "--quiet", reference])
        .await
        .is_ok()
}

/// A name that git takes for a branch, and not for an option.
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
