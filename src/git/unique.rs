//! Commits that would be lost with a workspace.

use std::path::{Path, PathBuf};

use super::branch;
use super::repository::Repository;
use super::{Git, GitError};
use crate::domain::session::{Session, Source};

/// In how many folders repositories are looked for.
const FOLDERS_MOST: usize = 100_000;

/// How many commits are nowhere else.
///
/// For a clone: those of its branches and its stash that no remote branch has, as far as known here. For a worktree:
/// those that no other branch or tag of its repository has once the session's own branch is deleted. For an empty
/// workspace it returns 0, though none of it is elsewhere.
pub async fn commits(git: &Git, session: &Session, branch_prefix: &str) -> Result<u64, GitError> {
    let folder = &session.workspace;
    let mut from = Vec::new();
    if exists(git, folder, "HEAD").await {
        from.push("HEAD".to_owned());
    }
    let but: Vec<String> = match &session.source {
        Source::Empty => return Ok(0),
        Source::Clone(_) => {
            from.push("--branches".to_owned());
            if exists(git, folder, "refs/stash").await {
                from.push("refs/stash".to_owned());
            }
            vec!["--remotes".to_owned()]
        }
        Source::Worktree(_) => {
            let mut but = Vec::new();
            if let Some(own) = branch::own_to_go(session, branch_prefix) {
                let reference = format!("refs/heads/{own}");
                if exists(git, folder, &reference).await {
                    from.push(reference);
                }
                but.push(format!("--exclude={own}"));
            }
            but.extend(["--branches", "--remotes", "--tags"].map(str::to_owned));
            but
        }
    };
    if from.is_empty() {
        return Ok(0);
    }
    let begin = ["rev-list", "--count"].map(str::to_owned).into_iter();
    let arguments = begin.chain(from).chain(["--not".to_owned()]).chain(but);
    let arguments: Vec<String> = arguments.collect();
    let counted = Repository::new(git, folder).person(arguments.iter().map(String::as_str));
    let counted = counted.output().await?.text();
    counted
        .trim()
        .parse()
        .map_err(|_| GitError::Impossible("git did not count".into()))
}

/// The repositories inside a workspace, submodules among them, by their paths in it.
pub fn within(workspace: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![workspace.to_owned()];
    let mut looked = 0;
    while let Some(folder) = folders.pop() {
        looked += 1;
        if looked > FOLDERS_MOST {
            break;
        }
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            if !entry.file_type().is_ok_and(|kind| kind.is_dir()) || entry.file_name() == ".git" {
                continue;
            }
            let path = entry.path();
            if path.join(".git").exists()
                && let Ok(name) = path.strip_prefix(workspace)
            {
                found.push(name.to_owned());
            }
            folders.push(path);
        }
    }
    found.sort();
    found
}

/// How many commits of a repository inside a workspace no remote branch has, as far as known here; its stash included.
pub async fn commits_within(git: &Git, folder: &Path) -> Result<u64, GitError> {
    let repository = Repository::new(git, folder);
    let stash = exists(git, folder, "refs/stash").await;
    let stash = stash.then_some("refs/stash");
    let count = ["rev-list", "--count", "--branches", "HEAD"].into_iter();
    let count = count.chain(stash).chain(["--not", "--remotes"]);
    match repository.person(count).output().await {
        Ok(count) => Ok(count.text().trim().parse().unwrap_or(1)),
        // It has no commit.
        Err(GitError::Refused { .. }) => Ok(0),
        Err(other) => Err(other),
    }
}

async fn exists(git: &Git, folder: &Path, reference: &str) -> bool {
    let arguments = ["rev-parse", "--verify", "--quiet", reference];
    git.run(folder, arguments).await.is_ok()
}
