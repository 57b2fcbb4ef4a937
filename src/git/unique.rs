//! Commits that would be gone with a workspace.

use std::path::Path;

use super::workspace::own_branch_to_go;
use super::{Git, GitError};
use crate::domain::session::{Session, Source};

/// How many commits are nowhere else.
///
/// Of a clone: those of its branches and its stash that no remote branch has, as far as is known here. Of a worktree:
/// those that its repository has on no other branch and no tag, when the branch that is named after the session has
/// gone. Of an empty workspace this says nothing: all of it is nowhere else.
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
