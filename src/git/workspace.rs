//! Makes a session's workspace: an empty repository, a `clone`, or a `worktree` of a local repository.
//!
//! An interrupted try is begun anew; a failed one leaves nothing behind.

use std::path::Path;

use tokio::fs;

use super::branch::{self, Wanted};
use super::mirror::Mirrors;
use super::{Git, GitError, Listener, clone, worktree};
use crate::domain::session::{Session, Source};
use crate::domain::workspace::Remark;

/// What workspaces are made with.
pub struct Workshop<'a> {
    pub git: &'a Git,
    pub mirrors: &'a Mirrors,
    pub branch_prefix: &'a str,
    pub listener: Listener<'a>,
}

/// A workspace that was made.
pub struct Made {
    pub branch: String,
    pub remarks: Vec<Remark>,
}

/// Makes the workspace. A half-made one of an earlier try is made anew.
///
/// Its branch is the one asked for, or `<prefix><session>`. A new one begins at the remote's default branch or the
/// local
/// `HEAD`. An empty repository is on `main` if nobody asked for another branch.
pub async fn make(shop: &Workshop<'_>, session: &Session) -> Result<Made, GitError> {
    let git = shop.git;
    let folder = &session.workspace;
    remove(git, session, shop.branch_prefix).await;
    if let Some(parent) = folder.parent() {
        fs::create_dir_all(parent)
            .await
            .map_err(|error| impossible(parent, &error))?;
    }
    if let Some(named) = &session.wanted_branch {
        branch::check_name(git, named).await?;
    }
    let wanted = match &session.wanted_branch {
        Some(named) => Wanted::Named(named),
        None => Wanted::Own(branch::own(session, shop.branch_prefix)),
    };
    match &session.source {
        Source::Empty => {
            let branch = session.wanted_branch.as_deref().unwrap_or("main");
            fs::create_dir_all(folder)
                .await
                .map_err(|error| impossible(folder, &error))?;
            let first = format!("--initial-branch={branch}");
            git.run(folder, ["init", "--quiet", &first]).await?;
            Ok(Made {
                branch: branch.to_owned(),
                remarks: Vec::new(),
            })
        }
        Source::Clone(url) => clone::make(shop, url, folder, &wanted).await,
        Source::Worktree(repository) => worktree::make(shop, repository, folder, &wanted).await,
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
        let ours = match (&session.branch, session.wanted_branch.is_some()) {
            (_, true) => Vec::new(),
            (Some(branch), false) => vec![branch.clone()],
            (None, false) => branch::own(session, branch_prefix).into(),
        };
        for branch in ours {
            let _ = git.run(repository, ["branch", "-D", "--", &branch]).await;
        }
    }
    clone::remove_half_made(&session.workspace).await;
    if let Err(error) = fs::remove_dir_all(&session.workspace).await
        && error.kind() != std::io::ErrorKind::NotFound
    {
        // Something was still writing into it; its group has been killed.
        let _ = fs::remove_dir_all(&session.workspace).await;
    }
}

pub(super) fn impossible(folder: &Path, error: &std::io::Error) -> GitError {
    GitError::Impossible(format!("{} cannot be made ({error})", folder.display()))
}
