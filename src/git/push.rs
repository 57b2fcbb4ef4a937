//! Pushes the branch of a workspace. Never by force.

use crate::domain::changes::Pushed;
use std::path::Path;

use super::{Git, GitError, Listener};

/// Pushes `HEAD` to the remote branch of the same name and makes it the upstream.
///
/// Errors are git's own words, including those of hooks on both sides.
pub async fn push(git: &Git, workspace: &Path, listener: Listener<'_>) -> Result<Pushed, GitError> {
    let impossible = |why: &str| GitError::Impossible(why.to_owned());
    let branch = git
        .run(workspace, ["symbolic-ref", "--quiet", "--short", "HEAD"])
        .await
        .map_err(|_| {
            impossible("the workspace is on no branch (git calls that a detached HEAD)")
        })?;
    git.run(
        workspace,
        ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"],
    )
    .await
    .map_err(|_| impossible("there is no commit yet"))?;
    let remote = remote_of(git, workspace, &branch).await?;
    let refspec = format!("HEAD:refs/heads/{branch}");
    let arguments = [
        "push",
        "--porcelain",
        "--progress",
        "--set-upstream",
        &remote,
        &refspec,
    ];
    let output = git.call(workspace, arguments).supervised(listener).await?;
    Ok(Pushed {
        // `flag TAB from:to TAB summary`; git-push(1), OUTPUT.
        up_to_date: output.text().lines().any(|line| line.starts_with("=\t")),
        link: link_in(&output.words),
        branch,
    })
}

/// The address for a pull or merge request that GitHub, GitLab, Gitea, Bitbucket and similar hosts print after
/// `remote:`.
fn link_in(words: &str) -> Option<String> {
    const PATHS: [&str; 4] = [
        "/pull/new/",
        "/merge_requests/",
        "/compare/",
        "/pull-requests/",
    ];
    words
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("remote:"))
        .flat_map(str::split_whitespace)
        .find(|word| {
            let is_address = word.starts_with("https://") || word.starts_with("http://");
            is_address && PATHS.iter().any(|path| word.contains(path))
        })
        .map(str::to_owned)
}

/// Where git itself would push the branch to; else `origin`, else the only remote. Format: git-config(1).
async fn remote_of(git: &Git, workspace: &Path, branch: &str) -> Result<String, GitError> {
    let set = [
        format!("branch.{branch}.pushRemote"),
        "remote.pushDefault".to_owned(),
        format!("branch.{branch}.remote"),
    ];
    for name in &set {
        let found = git.run(workspace, ["config", "--get", name]).await;
        if let Ok(remote) = found
            && remote != "."
            && !remote.starts_with('-')
        {
            return Ok(remote);
        }
    }
    let remotes = git.run(workspace, ["remote"]).await?;
    if remotes.lines().any(|name| name == "origin") {
        return Ok("origin".to_owned());
    }
    let names: Vec<&str> = remotes
        .lines()
        .filter(|name| !name.starts_with('-'))
        .collect();
    match names.as_slice() {
        [only] => Ok((*only).to_owned()),
        [] => Err(GitError::Impossible(
            "the repository has no remote to push to".into(),
        )),
        several => Err(GitError::Impossible(format!(
            "the repository has several remotes ({}), and none is set for this branch; git config \
             remote.pushDefault NAME sets one",
            several.join(", ")
        ))),
    }
}
