//! Pushes the branch of a repository in a workspace. Never by force.

use crate::domain::changes::Pushed;
use std::path::Path;

use super::repository::Repository;
use super::{Git, GitError, Listener, changes};

/// The refs among the snapshots that keep what was pushed.
const PUSHED: &str = "refs/pushed/";

/// Pushes `HEAD` to the remote branch of the same name and makes it the upstream.
///
/// Errors are git's own words, including those of hooks on both sides.
pub async fn push(repository: Repository<'_>, listener: Listener<'_>) -> Result<Pushed, GitError> {
    let (git, workspace) = (repository.git, repository.workspace);
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
    // It is pushed, whether that can be kept or not.
    let _ = keep(repository, &branch).await;
    let uncommitted = changes::uncommitted(git, workspace).await;
    let uncommitted = uncommitted.unwrap_or_default().into_iter();
    // A repository inside is pushed by itself.
    let is_own = |name: &String| !workspace.join(name).join(".git").exists();
    Ok(Pushed {
        uncommitted: uncommitted.filter(is_own).count(),
        // `flag TAB from:to TAB summary`; git-push(1), OUTPUT.
        up_to_date: output.text().lines().any(|line| line.starts_with("=\t")),
        link: link_in(&output.words),
        branch,
    })
}

/// Keeps what was pushed: git itself notes it only where the remote's branch is one that it fetches.
async fn keep(repository: Repository<'_>, branch: &str) -> Result<(), GitError> {
    repository.open().await?;
    let head = ["rev-parse", "--verify", "HEAD^{commit}"];
    let head = repository.person(head).output().await?.text();
    let name = format!("{PUSHED}{branch}");
    let keep = repository.snapshots(["update-ref", &name, &head]);
    keep.output().await.map(drop)
}

/// The commits that were pushed from here, one a line.
pub(super) async fn pushed_before(repository: Repository<'_>) -> String {
    if !repository.folder().is_dir() {
        return String::new();
    }
    let list = ["for-each-ref", "--format=%(objectname)", PUSHED];
    let list = repository.snapshots(list).output().await;
    list.map(|output| output.text()).unwrap_or_default()
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
