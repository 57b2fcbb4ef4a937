//! Makes a session's workspace: an empty repository, a clone, or a worktree of a local repository.
//!
//! Begun anew if it was interrupted, and leaves nothing behind if it fails.

use std::path::{Path, PathBuf};

use tokio::fs;

use super::{GitError, git};
use crate::session::{Session, Source};

/// Makes the workspace and returns the branch it is on. A half-made one of an earlier try is made anew.
///
/// The branch is `<prefix><session>` from the source's default branch, or the one that was asked for, which
/// is switched to where it exists and made where it does not.
pub async fn make(session: &Session, branch_prefix: &str) -> Result<String, GitError> {
    let folder = &session.workspace;
    remove(session).await;
    if let Some(parent) = folder.parent() {
        fs::create_dir_all(parent)
            .await
            .map_err(|error| impossible(parent, &error))?;
    }
    let branch = match &session.wanted_branch {
        Some(wanted) => valid_branch(wanted).await?,
        None => format!("{branch_prefix}{}", session.id),
    };
    match &session.source {
        Source::Empty => {
            fs::create_dir_all(folder)
                .await
                .map_err(|error| impossible(folder, &error))?;
            git(folder, ["init", "--quiet", "--initial-branch=main"]).await?;
            Ok("main".to_owned())
        }
        Source::Clone(url) => {
            clone(url, folder).await?;
            switch(folder, &branch).await?;
            Ok(branch)
        }
        Source::Worktree(repository) => {
            add_worktree(repository, folder, &branch).await?;
            Ok(branch)
        }
    }
}

/// Takes a workspace away that could not be finished, with what it left in the repository it came from.
pub async fn remove(session: &Session) {
    // A workspace that is ready has state and is never removed here; this one has none.
    let _ = fs::remove_dir_all(&session.workspace).await;
    if let Source::Worktree(repository) = &session.source {
        let _ = git(repository, ["worktree", "prune"]).await;
    }
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

async fn clone(url: &str, folder: &Path) -> Result<(), GitError> {
    let parent = folder.parent().unwrap_or(folder);
    let target = folder.to_string_lossy();
    git(parent, ["clone", "--quiet", "--", url, &target]).await?;
    Ok(())
}

async fn switch(folder: &Path, branch: &str) -> Result<(), GitError> {
    let exists_here = exists(folder, &format!("refs/heads/{branch}")).await;
    let exists_there = exists(folder, &format!("refs/remotes/origin/{branch}")).await;
    let arguments: &[&str] = if exists_here || exists_there {
        &["switch", "--quiet", branch]
    } else {
        &["switch", "--quiet", "--no-track", "--create", branch]
    };
    git(folder, arguments).await?;
    Ok(())
}

async fn add_worktree(repository: &Path, folder: &Path, branch: &str) -> Result<(), GitError> {
    let inside = git(repository, ["rev-parse", "--git-dir"]).await;
    if matches!(inside, Err(GitError::Refused { .. })) {
        return Err(GitError::Impossible(
            "that folder is not a git repository".into(),
        ));
    }
    inside?;
    let target = folder.to_string_lossy();
    let mut arguments = vec!["worktree", "add", "--quiet"];
    if exists(repository, &format!("refs/heads/{branch}")).await {
        arguments.extend([target.as_ref(), branch]);
    } else if exists(repository, "HEAD").await {
        arguments.extend(["-b", branch, target.as_ref(), "HEAD"]);
    } else {
        // No commit yet, so there is nothing to branch from.
        arguments.extend(["--orphan", "-b", branch, target.as_ref()]);
    }
    git(repository, arguments).await?;
    Ok(())
}

async fn exists(folder: &Path, reference: &str) -> bool {
    git(folder, ["rev-parse", "--verify", "--quiet", reference])
        .await
        .is_ok()
}

/// A name that git takes for a branch, and not for an option.
async fn valid_branch(wanted: &str) -> Result<String, GitError> {
    let invalid = || GitError::Impossible(format!("{wanted} is no name for a branch"));
    if wanted.starts_with('-') {
        return Err(invalid());
    }
    match git(Path::new("/"), ["check-ref-format", "--branch", wanted]).await {
        Ok(_) => Ok(wanted.to_owned()),
        Err(GitError::Refused { .. }) => Err(invalid()),
        Err(other) => Err(other),
    }
}

fn impossible(folder: &Path, error: &std::io::Error) -> GitError {
    GitError::Impossible(format!("{} cannot be made ({error})", folder.display()))
}
