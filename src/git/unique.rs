//! Commits that would be lost with a workspace.

use std::path::Path;

use super::workspace::own_branch_to_go;
use super::{Git, GitError};
use crate::domain::session::{Session, Source};

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
            if let Some(own) = own_branch_to_go(session, branch_prefix) {
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
    let counted = git.call(folder, arguments).output().await?.text();
    counted
        .trim()
        .parse()
        .map_err(|_| GitError::Impossible("git did not count".into()))
}

async fn exists(git: &Git, folder: &Path, reference: &str) -> bool {
    let arguments = ["rev-parse", "--verify", "--quiet", reference];
    git.run(folder, arguments).await.is_ok()
}
