//! A snapshot of a workspace: all files that git does not ignore, including untracked ones.
//!
//! It is a commit below `refs/telecoder/`, outside every branch, made through an index of its own: the index, the
//! working tree and `HEAD` are not touched. Its parent is the commit that was checked out, and its message names the
//! branch, so the snapshot alone is enough to go back to it.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use fail::fail_point;

use super::call::Call;
use super::index::{look, with_index};
use super::{Git, GitError, file};
use crate::domain::id::RunId;

/// The prefix of the message's line that names the branch.
const BRANCH: &str = "branch: ";
/// The line of the message that says that something was in progress.
const BUSY: &str = "in progress: a merge or its like";
/// The person's settings must neither run anything nor change the result.
const OWN: [&str; 8] = [
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "advice.addEmbeddedRepo=false",
    "-c",
    "core.safecrlf=false",
];
const NAME: &str = "telecoder";
const EMAIL: &str = "telecoder@localhost";

/// A run's snapshots; each has a ref of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Just before the run.
    Before,
    /// What an undo took away.
    Undone,
    /// The same, once that undo is being taken back.
    Redoing,
    /// The tip of the branch that the run had left.
    Tip,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    pub commit: String,
    /// The commit that was checked out; `None` if there was none.
    pub head: Option<String>,
    /// The branch that was checked out; `None` for a detached `HEAD`.
    pub branch: Option<String>,
    /// A merge, a rebase or their like was in progress.
    pub is_busy: bool,
}

/// The ref of a run's snapshot.
pub fn reference(run: RunId, moment: Moment) -> String {
    let moment = match moment {
        Moment::Before => "before",
        Moment::Undone => "undone",
        Moment::Redoing => "redoing",
        Moment::Tip => "tip",
    };
    format!("refs/telecoder/{run}/{moment}")
}

/// Takes a snapshot and keeps it under a ref. A file of our own is made at `index`.
///
/// Errors are git's. A file that cannot be read is left out.
pub async fn take(
    git: &Git,
    workspace: &Path,
    reference: &str,
    index: &Path,
) -> Result<(), GitError> {
    look(git, workspace, index).await?;
    let tree = with_index(git, workspace, index, ["write-tree"])
        .output()
        .await?
        .text();
    let branch = branch(git, workspace).await;
    let is_busy = git_folder(workspace).is_some_and(|folder| in_progress(&folder).is_some());
    let message = message(branch.as_deref(), is_busy);
    let commit = match commit(git, workspace, &tree, &message, &["-p", "HEAD"]).await {
        // There is no commit yet that could be its parent.
        Err(GitError::Refused { .. }) => commit(git, workspace, &tree, &message, &[]).await?,
        commit => commit?,
    };
    fail_point!("snapshot-made", |_| std::process::abort());
    keep(git, workspace, &commit, reference).await
}

/// Whether a workspace has neither a file nor a commit.
pub fn is_empty(workspace: &Path) -> bool {
    unborn_branch(workspace).is_some()
}

/// The branch of a workspace without files and commits; `None` for any other. Does not call git.
pub fn unborn_branch(workspace: &Path) -> Option<String> {
    let mut entries = fs::read_dir(workspace).ok()?;
    let only = entries.next()?.ok()?;
    if entries.next().is_some() || only.file_name() != ".git" || !only.path().is_dir() {
        return None;
    }
    let folder = only.path();
    let head = file::text(&folder.join("HEAD"))?;
    let branch = head.trim().strip_prefix("ref: refs/heads/")?;
    let has_commit = folder.join("refs/heads").join(branch).exists()
        || folder.join("packed-refs").exists()
        || folder.join("reftable").exists()
        || folder.join("index").exists();
    (!has_commit).then(|| branch.to_owned())
}

/// The snapshot of a workspace that was empty.
pub async fn take_empty(
    git: &Git,
    workspace: &Path,
    branch: &str,
    reference: &str,
) -> Result<(), GitError> {
    let tree = in_place(git, workspace, ["mktree"]).output().await?.text();
    let message = message(Some(branch), false);
    let commit = commit(git, workspace, &tree, &message, &[]).await?;
    keep(git, workspace, &commit, reference).await
}

fn message(branch: Option<&str>, is_busy: bool) -> String {
    let branch = branch.unwrap_or_default();
    let busy = if is_busy { BUSY } else { "" };
    format!("What the workspace was\n\n{BRANCH}{branch}\n{busy}")
}

/// The branch that is checked out; `None` for a detached `HEAD`.
pub async fn branch(git: &Git, workspace: &Path) -> Option<String> {
    // git fails silently if there is none.
    git.run(workspace, ["symbolic-ref", "--quiet", "--short", "HEAD"])
        .await
        .ok()
}

/// The commit and the branch that are checked out.
pub async fn head(git: &Git, workspace: &Path) -> (Option<String>, Option<String>) {
    let commit = ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"];
    let commit = in_place(git, workspace, commit).output();
    let (commit, branch) = tokio::join!(commit, branch(git, workspace));
    (commit.ok().map(|output| output.text()), branch)
}

/// A call for this workspace only, whatever its settings say, even if it is no repository any more.
pub(super) fn in_place<'a, 'b>(
    git: &'a Git,
    workspace: &'a Path,
    arguments: impl IntoIterator<Item = &'b str>,
) -> Call<'a> {
    let call = git.call(workspace, own(arguments));
    match git_folder(workspace) {
        Some(folder) => call
            .with("GIT_DIR", folder)
            .with("GIT_WORK_TREE", workspace),
        None => call,
    }
}

async fn commit(
    git: &Git,
    workspace: &Path,
    tree: &str,
    message: &str,
    parent: &[&str],
) -> Result<String, GitError> {
    let arguments = [&["commit-tree", tree, "-m", message], parent].concat();
    let commit = git
        .call(workspace, arguments)
        .with("GIT_AUTHOR_NAME", NAME)
        .with("GIT_AUTHOR_EMAIL", EMAIL)
        .with("GIT_COMMITTER_NAME", NAME)
        .with("GIT_COMMITTER_EMAIL", EMAIL)
        .output()
        .await?;
    Ok(commit.text())
}

/// A snapshot that was taken before; `None` if that ref does not exist.
pub async fn find(
    git: &Git,
    workspace: &Path,
    reference: &str,
) -> Result<Option<Snapshot>, GitError> {
    let known = [
        "for-each-ref",
        "--format=%(objectname) %(parent)%0a%(contents)",
        "--",
        reference,
    ];
    let found = in_place(git, workspace, known).output().await?.text();
    let Some((names, message)) = found.split_once('\n') else {
        return Ok(None);
    };
    let (commit, head) = names.split_once(' ').unwrap_or((names, ""));
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Ok(Some(Snapshot {
        commit: commit.to_owned(),
        head: some(head),
        branch: message
            .lines()
            .find_map(|line| line.strip_prefix(BRANCH))
            .and_then(some),
        is_busy: message.lines().any(|line| line == BUSY),
    }))
}

/// A file in a snapshot, as text.
pub async fn file(
    git: &Git,
    workspace: &Path,
    snapshot: &Snapshot,
    name: &str,
) -> Result<String, GitError> {
    let named = format!("{}:{name}", snapshot.commit);
    git.run(workspace, ["cat-file", "blob", &named]).await
}

/// Keeps a commit under another ref too.
pub async fn keep(
    git: &Git,
    workspace: &Path,
    commit: &str,
    reference: &str,
) -> Result<(), GitError> {
    in_place(git, workspace, ["update-ref", reference, commit])
        .output()
        .await
        .map(drop)
}

impl Moment {
    pub const ALL: [Moment; 4] = [Moment::Before, Moment::Undone, Moment::Redoing, Moment::Tip];
}

/// Forgets snapshots of a run; git removes what only they had when it cleans up.
pub async fn forget(
    git: &Git,
    workspace: &Path,
    run: RunId,
    moments: &[Moment],
) -> Result<(), GitError> {
    for moment in moments {
        let reference = reference(run, *moment);
        in_place(git, workspace, ["update-ref", "-d", &reference])
            .output()
            .await?;
    }
    Ok(())
}

/// Removes all snapshots of these runs.
pub async fn forget_all(git: &Git, workspace: &Path, runs: &[RunId]) -> Result<(), GitError> {
    let list = ["for-each-ref", "--format=%(refname)", "refs/telecoder/"];
    let references = in_place(git, workspace, list).output().await?.text();
    let of_these = |reference: &&str| {
        let run = reference.split('/').nth(2).unwrap_or_default();
        runs.iter().any(|known| known.to_string() == run)
    };
    for reference in references.lines().filter(of_these) {
        in_place(git, workspace, ["update-ref", "-d", reference])
            .output()
            .await?;
    }
    Ok(())
}

pub(super) fn own<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Vec<OsString> {
    OWN.into_iter()
        .chain(arguments)
        .map(OsString::from)
        .collect()
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

/// `.git`, or where it points to. Format: gitrepository-layout(5).
pub(super) fn git_folder(workspace: &Path) -> Option<PathBuf> {
    let path = workspace.join(".git");
    if path.is_dir() {
        return Some(path);
    }
    let pointer = file::text(&path)?;
    Some(workspace.join(pointer.strip_prefix("gitdir:")?.trim()))
}
