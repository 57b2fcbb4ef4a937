//! Branches, `HEAD` and the stash of a workspace's repository: what they are, and back to what they were.
//!
//! A repository of which the workspace is only a worktree is others' too: there only the workspace's own branch is put
//! back.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use super::repository::{Repository, common_folder};
use super::snapshot::Snapshot;
use super::{Git, GitError};

/// Branches with their commits, and the stash, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refs {
    pub branches: BTreeMap<String, String>,
    pub stash: Vec<String>,
}

/// All, if they belong to the workspace alone; `None` if it is a worktree.
pub async fn all(repository: Repository<'_>) -> Result<Option<Refs>, GitError> {
    if !repository.workspace.join(".git").is_dir() {
        return Ok(None);
    }
    let list = [
        "for-each-ref",
        "--format=%(objectname) %(refname) %(symref)",
        "refs/heads/",
    ];
    let list = repository
        .person(list)
        .keeping(usize::MAX)
        .output()
        .await?
        .text();
    // A branch that only names another one has nothing of its own.
    let branches = list
        .lines()
        .filter_map(|line| line.strip_suffix(' ')?.split_once(' '));
    let stash = ["reflog", "show", "--format=%H", "refs/stash", "--"];
    let has_stash = repository.workspace.join(".git/logs/refs/stash").exists();
    // Reflogs are elsewhere in the newer format of refs.
    let may_have_one = has_stash || repository.workspace.join(".git/reftable").exists();
    let stash = match may_have_one {
        true => repository.person(stash).output().await.ok(),
        false => None,
    };
    // git refuses if nothing is stashed.
    let stash = stash.map(|output| output.text()).unwrap_or_default();
    let mut stash: Vec<String> = stash.lines().map(str::to_owned).collect();
    // Its log may have been cut.
    let newest = ["rev-parse", "--verify", "--quiet", "refs/stash"];
    if let Ok(newest) = repository.person(newest).output().await
        && stash.first() != Some(&newest.text())
    {
        stash.insert(0, newest.text());
    }
    Ok(Some(Refs {
        branches: branches
            .map(|(commit, name)| (name.to_owned(), commit.to_owned()))
            .collect(),
        stash,
    }))
}

/// Puts branches and stash back, from what they are now. A branch that is checked out in a worktree of the run's stays.
pub(super) async fn put_all(
    repository: Repository<'_>,
    from: &Snapshot,
    to: &Snapshot,
) -> Result<(), GitError> {
    let (Some(from), Some(to)) = (&from.refs, &to.refs) else {
        return Ok(());
    };
    let elsewhere = checked_out_elsewhere(repository).await?;
    // First, because a new name may be in the way of an old one.
    for name in from.branches.keys() {
        if !to.branches.contains_key(name) && !elsewhere.contains(name) {
            let remove = ["update-ref", "--no-deref", "-d", name];
            repository.person(remove).output().await?;
        }
    }
    for (name, commit) in &to.branches {
        if from.branches.get(name) != Some(commit) && !elsewhere.contains(name) {
            bring_back(repository, commit).await?;
            let put = ["update-ref", "--no-deref", name, commit];
            repository.person(put).output().await?;
        }
    }
    if from.stash == to.stash {
        return Ok(());
    }
    for commit in &to.stash {
        bring_back(repository, commit).await?;
    }
    repository.person(["stash", "clear"]).output().await?;
    for commit in to.stash.iter().rev() {
        let subject = ["show", "--no-patch", "--format=%s", commit];
        let subject = repository.person(subject).output().await?.text();
        let store = ["stash", "store", "--quiet", "--message", &subject, commit];
        repository.person(store).output().await?;
    }
    Ok(())
}

/// The branches that other worktrees of the repository have.
async fn checked_out_elsewhere(repository: Repository<'_>) -> Result<BTreeSet<String>, GitError> {
    let list = ["worktree", "list", "--porcelain"];
    let list = repository.person(list).output().await?.text();
    let own = repository.workspace.canonicalize().ok();
    let is_own = |block: &&str| {
        let place = block
            .lines()
            .find_map(|line| line.strip_prefix("worktree "));
        place.and_then(|place| Path::new(place).canonicalize().ok()) == own
    };
    Ok(list
        .split("\n\n")
        .filter(|block| !is_own(block))
        .flat_map(str::lines)
        .filter_map(|line| Some(line.strip_prefix("branch ")?.to_owned()))
        .collect())
}

/// The branch that is checked out; `None` for a detached `HEAD`.
async fn branch(repository: Repository<'_>) -> Option<String> {
    // git fails silently if there is none.
    let name = ["symbolic-ref", "--quiet", "--short", "HEAD"];
    let name = repository.person(name).output().await;
    name.ok().map(|output| output.text())
}

/// The commit and the branch that are checked out.
pub async fn head(repository: Repository<'_>) -> (Option<String>, Option<String>) {
    let commit = ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"];
    let commit = repository.person(commit).output();
    let (commit, branch) = tokio::join!(commit, branch(repository));
    (commit.ok().map(|output| output.text()), branch)
}

/// Sets `HEAD` and its branch.
pub(super) async fn put_head(repository: Repository<'_>, to: &Snapshot) -> Result<(), GitError> {
    let reference = to
        .branch
        .as_ref()
        .map(|branch| format!("refs/heads/{branch}"));
    if let Some(reference) = &reference
        && checked_out_elsewhere(repository).await?.contains(reference)
    {
        return Err(GitError::Impossible(format!(
            "the branch {} is checked out in another worktree",
            reference.trim_start_matches("refs/heads/")
        )));
    }
    if let Some(head) = &to.head {
        bring_back(repository, head).await?;
    }
    let run = async |arguments: &[&str]| {
        let call = repository.person(arguments.iter().copied());
        call.output().await.map(drop)
    };
    match (&reference, &to.head) {
        (Some(reference), Some(head)) => {
            run(&["update-ref", reference, head]).await?;
            run(&["symbolic-ref", "HEAD", reference]).await
        }
        (Some(reference), None) => {
            run(&["symbolic-ref", "HEAD", reference]).await?;
            // It had no commit.
            run(&["update-ref", "-d", reference]).await
        }
        (None, Some(head)) => run(&["update-ref", "--no-deref", "HEAD", head]).await,
        (None, None) => Ok(()),
    }
}

/// Brings a commit back into the person's repository, if that has been cleaned of it.
async fn bring_back(repository: Repository<'_>, commit: &str) -> Result<(), GitError> {
    let whole = ["rev-list", "--objects", "--quiet", commit, "--not", "--all"];
    let whole = repository.person(whole).with("GIT_NO_LAZY_FETCH", "1");
    if whole.output().await.is_ok() {
        return Ok(());
    }
    let reference = format!("refs/back/{commit}");
    let name = ["update-ref", &reference, commit];
    repository.snapshots(name).output().await?;
    let store = repository.folder().to_string_lossy().into_owned();
    let fetch = [
        "fetch",
        "--quiet",
        "--no-tags",
        "--no-write-fetch-head",
        "--no-recurse-submodules",
        "--no-auto-maintenance",
        &store,
        &reference,
    ];
    let fetched = repository.person(fetch).output().await.map(drop);
    let _ = repository
        .snapshots(["update-ref", "-d", &reference])
        .output()
        .await;
    fetched
}

/// Removes the locks that a git of ours left when it was ended with the bot. Call it only if nobody else can be working
/// there.
pub fn unlock(git: &Git, workspace: &Path, branch: Option<&str>) {
    let repository = Repository::new(git, workspace);
    let store = repository.folder();
    let mut folders = vec![store.clone()];
    let branch = branch.map(|branch| format!("refs/heads/{branch}.lock"));
    if let Some(own) = repository.git_folder() {
        let common = common_folder(&own);
        for name in ["index.lock", "HEAD.lock"] {
            let _ = fs::remove_file(own.join(name));
        }
        let _ = branch.map(|branch| fs::remove_file(common.join(branch)));
    }
    // Nobody but telecoder works in its own folder.
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && folder != store.join("objects") => folders.push(path),
                _ if path.extension() == Some(OsStr::new("lock")) => drop(fs::remove_file(path)),
                _ => {}
            }
        }
    }
}

/// The commit that a branch is at; `None` if there is no such branch.
pub async fn tip(git: &Git, workspace: &Path, branch: &str) -> Option<String> {
    let reference = format!("refs/heads/{branch}");
    let tip = ["rev-parse", "--verify", "--quiet", &reference];
    let tip = Repository::new(git, workspace).person(tip).output().await;
    tip.ok().map(|output| output.text())
}

/// Puts a branch that is not checked out back to where it was.
pub async fn put_branch(
    git: &Git,
    workspace: &Path,
    branch: &str,
    commit: &str,
) -> Result<(), GitError> {
    let repository = Repository::new(git, workspace);
    bring_back(repository, commit).await?;
    let reference = format!("refs/heads/{branch}");
    if checked_out_elsewhere(repository)
        .await?
        .contains(&reference)
    {
        return Ok(());
    }
    let put = repository.person(["update-ref", &reference, commit]);
    put.output().await.map(drop)
}

/// Quits a merge, a rebase or the like that the run has begun.
pub(super) async fn leave_what_is_in_progress(repository: Repository<'_>, folder: &Path) {
    if let Some((_, command)) = in_progress(folder) {
        // What it leaves is overwritten.
        let _ = repository.person([command, "--quit"]).output().await;
    }
}

/// What is in progress in a repository: the file that shows it, and its command. Format: gitrepository-layout(5).
pub(super) fn in_progress(git_folder: &Path) -> Option<(&'static str, &'static str)> {
    [
        ("MERGE_HEAD", "merge"),
        ("CHERRY_PICK_HEAD", "cherry-pick"),
        ("REVERT_HEAD", "revert"),
        ("rebase-merge", "rebase"),
        ("rebase-apply", "rebase"),
    ]
    .into_iter()
    .find(|(sign, _)| git_folder.join(sign).exists())
}
