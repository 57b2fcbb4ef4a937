//! A snapshot of a workspace: all files that git does not ignore, including untracked ones, as they are on the disk.
//!
//! It is a commit below `refs/telecoder/` in a `repository` of telecoder's own. Its parents are the commits of `HEAD`, of
//! all branches and of the stash, and its message names these, so the snapshot alone is enough to go back to it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use fail::fail_point;

use super::index::look;
use super::refs::{self, Refs};
use super::repository::{Repository, git_folder};
use super::{Git, GitError, file};
use crate::domain::id::RunId;

/// The prefix of the message's line that names the branch.
const BRANCH: &str = "branch: ";
/// The lines that name the commit that was checked out, a branch and its commit, and a stashed commit.
const HEAD: &str = "head: ";
const ALL_REFS: &str = "all branches:";
const REF: &str = "ref: ";
const STASH: &str = "stash: ";
/// The line of the message that says that something was in progress.
const BUSY: &str = "in progress: a merge or its like";
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
    /// What an undo has left: it is taken back only where nothing was added to that.
    Left,
    /// What lay there when something was restored that had been cut off, or is taken back.
    Found,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    pub commit: String,
    /// All that it keeps.
    pub tree: String,
    /// The commit that was checked out; `None` if there was none.
    pub head: Option<String>,
    /// The branch that was checked out; `None` for a detached `HEAD`.
    pub branch: Option<String>,
    /// A merge, a rebase or their like was in progress.
    pub is_busy: bool,
    /// Branches and stash, where the repository is the workspace's own.
    pub refs: Option<Refs>,
}

impl Snapshot {
    /// Whether files, commit, branches and stash are the same.
    pub fn is_same_state(&self, other: &Snapshot) -> bool {
        (&self.tree, &self.head, &self.branch) == (&other.tree, &other.head, &other.branch)
            && self.refs == other.refs
    }
}

/// The command by which a person gets the files of a snapshot.
pub fn how_to_get(git: &Git, workspace: &Path, name: &str) -> String {
    format!(
        "git -c core.bare=false --git-dir={} --work-tree=. checkout {name} -- .",
        Repository::new(git, workspace).folder().display()
    )
}

/// The ref of a run's snapshot.
pub fn reference(run: RunId, moment: Moment) -> String {
    let moment = match moment {
        Moment::Before => "before",
        Moment::Undone => "undone",
        Moment::Redoing => "redoing",
        Moment::Tip => "tip",
        Moment::Left => "left",
        Moment::Found => "found",
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
    write(git, workspace, reference, index).await
}

/// Keeps what an index has.
pub(super) async fn write(
    git: &Git,
    workspace: &Path,
    reference: &str,
    index: &Path,
) -> Result<(), GitError> {
    let repository = Repository::new(git, workspace);
    let write = repository.through(index, ["write-tree"]);
    let (tree, refs, (head, branch)) = tokio::join!(
        write.output(),
        refs::all(repository),
        refs::head(repository)
    );
    let (tree, refs) = (tree?.text(), refs?);
    let is_busy = git_folder(workspace).is_some_and(|folder| refs::in_progress(&folder).is_some());
    let mut message = message(branch.as_deref(), is_busy);
    message.push_str(&told(head.as_deref(), refs.as_ref()));
    // With its parents it keeps every commit that a branch or the stash has.
    let others = refs
        .iter()
        .flat_map(|refs| refs.branches.values().chain(&refs.stash));
    let commits = head.iter().chain(others);
    let commits: BTreeSet<&str> = commits.map(String::as_str).collect();
    let parents: Vec<&str> = commits.iter().flat_map(|commit| ["-p", commit]).collect();
    let commit = commit(git, workspace, &tree, &message, &parents).await?;
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
    let repository = Repository::new(git, workspace);
    repository.open().await?;
    let tree = repository.snapshots(["mktree"]).output().await?.text();
    let mut message = message(Some(branch), false);
    message.push_str(&told(None, Some(&Refs::default())));
    let commit = commit(git, workspace, &tree, &message, &[]).await?;
    keep(git, workspace, &commit, reference).await
}

fn message(branch: Option<&str>, is_busy: bool) -> String {
    let branch = branch.unwrap_or_default();
    let busy = if is_busy { BUSY } else { "" };
    format!("What the workspace was\n\n{BRANCH}{branch}\n{busy}")
}

/// The lines of a message that name the commit that is checked out, branches and stash.
fn told(head: Option<&str>, refs: Option<&Refs>) -> String {
    let mut lines = format!("\n{HEAD}{}", head.unwrap_or_default());
    if let Some(refs) = refs {
        lines.push_str(&format!("\n{ALL_REFS}"));
        for (name, commit) in &refs.branches {
            lines.push_str(&format!("\n{REF}{commit} {name}"));
        }
        for commit in &refs.stash {
            lines.push_str(&format!("\n{STASH}{commit}"));
        }
    }
    lines
}

async fn commit(
    git: &Git,
    workspace: &Path,
    tree: &str,
    message: &str,
    parent: &[&str],
) -> Result<String, GitError> {
    let arguments = [&["commit-tree", tree, "-F", "-"], parent].concat();
    let commit = Repository::new(git, workspace)
        .snapshots(arguments)
        .input(message.as_bytes().to_vec())
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
        "--format=%(objectname) %(tree) %(parent)%0a%(contents)",
        "--",
        reference,
    ];
    let repository = Repository::new(git, workspace);
    if repository.has_old_snapshots() {
        repository.open().await?;
        take_over(repository, reference).await;
    }
    if !repository.folder().is_dir() {
        return Ok(None);
    }
    let found = repository.snapshots(known).keeping(usize::MAX);
    let found = found.output().await?.text();
    let Some((names, message)) = found.split_once('\n') else {
        return Ok(None);
    };
    let mut names = names.split(' ');
    let mut name = || names.next().unwrap_or_default().to_owned();
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let said = |what: &'static str| {
        let lines = message.lines();
        lines.filter_map(move |line| line.strip_prefix(what))
    };
    let refs = || Refs {
        branches: said(REF)
            .filter_map(|line| line.split_once(' '))
            .map(|(commit, name)| (name.to_owned(), commit.to_owned()))
            .collect(),
        stash: said(STASH).map(str::to_owned).collect(),
    };
    Ok(Some(Snapshot {
        commit: name(),
        tree: name(),
        head: match said(HEAD).next() {
            Some(head) => some(head),
            // An earlier telecoder kept it as the only parent.
            None => some(&name()),
        },
        branch: said(BRANCH).next().and_then(some),
        refs: message.lines().any(|line| line == ALL_REFS).then(refs),
        is_busy: message.lines().any(|line| line == BUSY),
    }))
}

/// Takes over a snapshot that an earlier telecoder has left in the person's repository. All objects are linked already.
async fn take_over(repository: Repository<'_>, reference: &str) {
    let old = ["rev-parse", "--verify", "--quiet", reference];
    let Ok(commit) = repository.person(old).output().await else {
        return;
    };
    let take = ["update-ref", reference, &commit.text()];
    if repository.snapshots(take).output().await.is_ok() {
        let remove = ["update-ref", "-d", reference];
        let _ = repository.person(remove).output().await;
    }
}

/// Gives the room of what was forgotten back: objects of an hour ago that no snapshot has, and packs that the person's
/// repository has replaced.
pub async fn clean(git: &Git, workspace: &Path) -> Result<(), GitError> {
    let repository = Repository::new(git, workspace);
    if !repository.folder().is_dir() {
        return Ok(());
    }
    if repository.has_old_packs() {
        // A snapshot of this moment may count on an object that nothing has yet.
        let repack = ["repack", "-q", "-a", "-d", "-l", "--keep-unreachable"];
        repository.snapshots(repack).output().await?;
    }
    let prune = ["prune", "--expire=1.hour.ago"];
    repository.snapshots(prune).output().await.map(drop)
}

/// The snapshot from before a run; that of an empty workspace is made when it is first needed.
pub async fn before(
    git: &Git,
    workspace: &Path,
    run: RunId,
    was_empty: Option<&str>,
) -> Result<Snapshot, GitError> {
    let name = reference(run, Moment::Before);
    let found = find(git, workspace, &name).await?;
    match (found, was_empty) {
        (Some(snapshot), _) => Ok(snapshot),
        (None, Some(branch)) => {
            take_empty(git, workspace, branch, &name).await?;
            let made = find(git, workspace, &name).await?;
            made.ok_or_else(no_snapshot)
        }
        (None, None) => Err(no_snapshot()),
    }
}

fn no_snapshot() -> GitError {
    GitError::Impossible("there is no snapshot of what was before it".into())
}

/// A file in a snapshot, as text.
pub async fn file(
    git: &Git,
    workspace: &Path,
    snapshot: &Snapshot,
    name: &str,
) -> Result<String, GitError> {
    let named = format!("{}:{name}", snapshot.commit);
    let read = Repository::new(git, workspace).snapshots(["cat-file", "blob", &named]);
    read.output().await.map(|output| output.text())
}

/// Keeps a commit under another ref too.
pub async fn keep(
    git: &Git,
    workspace: &Path,
    commit: &str,
    reference: &str,
) -> Result<(), GitError> {
    let keep = Repository::new(git, workspace).snapshots(["update-ref", reference, commit]);
    keep.output().await.map(drop)
}

impl Moment {
    pub const ALL: [Moment; 6] = [
        Moment::Before,
        Moment::Undone,
        Moment::Redoing,
        Moment::Tip,
        Moment::Left,
        Moment::Found,
    ];
}

/// Forgets snapshots of a run; [`clean`] gives their room back.
pub async fn forget(
    git: &Git,
    workspace: &Path,
    run: RunId,
    moments: &[Moment],
) -> Result<(), GitError> {
    let repository = Repository::new(git, workspace);
    if !repository.folder().is_dir() {
        return Ok(());
    }
    let mut names: Vec<String> = moments
        .iter()
        .map(|moment| reference(run, *moment))
        .collect();
    if moments == Moment::ALL {
        // What lay there at some time has names of its own.
        let prefix = format!("refs/telecoder/{run}/");
        let list = ["for-each-ref", "--format=%(refname)", &prefix];
        let list = repository.snapshots(list).output().await?.text();
        names.extend(list.lines().map(str::to_owned));
        names.sort();
        names.dedup();
    }
    let names = names.into_iter();
    let input: String = names.map(|name| format!("delete {name}\n")).collect();
    let remove = repository.snapshots(["update-ref", "--stdin"]);
    remove.input(input.clone().into_bytes()).output().await?;
    if repository.has_old_snapshots() {
        let remove = repository.person(["update-ref", "--stdin"]);
        remove.input(input.into_bytes()).output().await?;
    }
    Ok(())
}

/// Removes all snapshots of a workspace.
pub fn forget_all(git: &Git, workspace: &Path) {
    let _ = fs::remove_dir_all(Repository::new(git, workspace).folder());
}
