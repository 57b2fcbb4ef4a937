//! A snapshot of a workspace: all files that git does not ignore, including untracked ones, as they are on the disk.
//!
//! It is a commit below `refs/telecoder/` in a `repository` of telecoder's own. Its parents are the commits of `HEAD`,
//! of all branches and of the stash, and its message names these, so the snapshot alone is enough to go back to it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use fail::fail_point;

use super::beside::Beside;
use super::inner::Root;
use super::refs::{self, Position, Refs};
use super::repository::Repository;
pub use super::state::Snapshot;
use super::{GitError, begun, file};
use crate::domain::id::RunId;
use crate::domain::run::Before;

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
    /// What was before, of a repository that the run had removed.
    Absent,
    /// What lay there when something was restored that had been cut off, or is taken back.
    Found,
}

/// The command by which a person gets the files of a snapshot.
pub fn how_to_get(repository: Repository<'_>, name: &str) -> String {
    format!(
        "git -c core.bare=false --git-dir={} --work-tree=. checkout {name} -- .",
        repository.folder().display()
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
        Moment::Absent => "absent",
        Moment::Found => "found",
    };
    format!("refs/telecoder/{run}/{moment}")
}

/// Keeps what an index has.
pub(super) async fn write(
    repository: Repository<'_>,
    reference: &str,
    index: &Path,
    mut beside: Beside,
) -> Result<Snapshot, GitError> {
    // That is for the next look alone.
    beside.seen = None;
    let write = repository.through(index, ["write-tree"]);
    let (tree, position) = tokio::join!(write.output(), refs::look(repository));
    let position = position?;
    let mut snapshot = Snapshot {
        commit: String::new(),
        tree: tree?.text(),
        is_busy: repository
            .git_folder()
            .is_some_and(|folder| refs::in_progress(&folder).is_some()),
        is_as_cloned: false,
        root: Root::of(repository),
        position,
        beside,
    };
    // With its parents it keeps every commit that a branch or the stash has.
    let refs = snapshot.position.refs.iter();
    let others = refs.flat_map(|refs| refs.branches.values().chain(&refs.stash));
    let commits = snapshot.position.head.iter().chain(others);
    let commits: BTreeSet<&str> = commits.map(String::as_str).collect();
    let parents: Vec<&str> = commits.iter().flat_map(|commit| ["-p", commit]).collect();
    snapshot.commit = commit(repository, &snapshot.tree, &snapshot.message(), &parents).await?;
    fail_point!("snapshot-made", |_| std::process::abort());
    keep(repository, &snapshot.commit, reference).await?;
    Ok(snapshot)
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
    repository: Repository<'_>,
    branch: &str,
    reference: &str,
) -> Result<Snapshot, GitError> {
    repository.open().await?;
    let tree = repository.snapshots(["mktree"]).output().await?.text();
    let mut snapshot = Snapshot {
        commit: String::new(),
        tree,
        position: Position {
            branch: Some(branch.to_owned()),
            refs: Some(Refs::default()),
            tags: Some(BTreeMap::new()),
            ..Position::default()
        },
        is_busy: false,
        is_as_cloned: false,
        root: None,
        beside: Beside::default(),
    };
    snapshot.commit = commit(repository, &snapshot.tree, &snapshot.message(), &[]).await?;
    keep(repository, &snapshot.commit, reference).await?;
    Ok(snapshot)
}

/// The snapshot of a repository that the run has cloned: what it got, at this commit, as this tree.
pub async fn take_as_cloned(
    repository: Repository<'_>,
    first: &str,
    tree: String,
    run: RunId,
) -> Result<Snapshot, GitError> {
    let branch = begun::cloned_branch(repository);
    let mut refs = Refs::default();
    refs.set_branch(branch.as_deref(), Some(first));
    let mut snapshot = Snapshot {
        commit: String::new(),
        tree,
        position: Position {
            head: Some(first.to_owned()),
            branch,
            refs: Some(refs),
            ..Position::default()
        },
        is_busy: false,
        is_as_cloned: true,
        root: Root::of(repository),
        beside: Beside::default(),
    };
    let message = snapshot.message();
    snapshot.commit = commit(repository, &snapshot.tree, &message, &["-p", first]).await?;
    keep(
        repository,
        &snapshot.commit,
        &reference(run, Moment::Before),
    )
    .await?;
    Ok(snapshot)
}

async fn commit(
    repository: Repository<'_>,
    tree: &str,
    message: &str,
    parent: &[&str],
) -> Result<String, GitError> {
    let arguments = [&["commit-tree", tree, "-F", "-"], parent].concat();
    let commit = repository
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
    repository: Repository<'_>,
    reference: &str,
) -> Result<Option<Snapshot>, GitError> {
    Ok(find_all(repository, reference).await?.remove(reference))
}

/// The snapshots whose refs begin so, whole parts of their names, by these.
pub async fn find_all(
    repository: Repository<'_>,
    prefix: &str,
) -> Result<BTreeMap<String, Snapshot>, GitError> {
    if repository.has_old_snapshots() {
        repository.open().await?;
        take_over(repository, prefix).await?;
    }
    if !repository.folder().is_dir() {
        return Ok(BTreeMap::new());
    }
    let known = [
        "for-each-ref",
        "--format=%(refname)%00%(objectname) %(tree) %(parent)%0a%(contents)%00",
        "--",
        prefix,
    ];
    let found = repository.snapshots(known).keeping(usize::MAX);
    let found = found.output().await?.text();
    let mut fields = found.split('\0');
    let mut all = BTreeMap::new();
    while let (Some(name), Some(record)) = (fields.next(), fields.next()) {
        if let Some(snapshot) = Snapshot::read(record) {
            all.insert(name.trim_start().to_owned(), snapshot);
        }
    }
    Ok(all)
}

/// Takes over what an earlier telecoder has left in the person's repository. All objects are linked already.
async fn take_over(repository: Repository<'_>, prefix: &str) -> Result<(), GitError> {
    let old = [
        "for-each-ref",
        "--format=%(refname) %(objectname)",
        "--",
        prefix,
    ];
    let old = repository.person(old).keeping(usize::MAX);
    let old = old.output().await?.text();
    if old.is_empty() {
        return Ok(());
    }
    let lines = |what: &str| old.lines().map(|line| format!("{what} {line}\n")).collect();
    let all: String = lines("update");
    let take = repository.snapshots(["update-ref", "--stdin"]);
    take.input(all.into_bytes()).output().await?;
    let all: String = lines("delete");
    let remove = repository.person(["update-ref", "--stdin"]);
    remove.input(all.into_bytes()).output().await.map(drop)
}

/// Gives the room of what was forgotten back: objects of an hour ago that no snapshot has, and packs that the person's
/// repository has replaced. Many loose objects become one pack.
pub async fn clean(repository: Repository<'_>) -> Result<(), GitError> {
    if !repository.folder().is_dir() {
        return Ok(());
    }
    if repository.has_old_packs() {
        // A snapshot of this moment may count on an object that nothing has yet.
        let repack = ["repack", "-q", "-a", "-d", "-l", "--keep-unreachable"];
        repository.snapshots(repack).output().await?;
    } else if repository.has_many_loose() {
        let repack = ["repack", "-q", "-d", "-l"];
        repository.snapshots(repack).output().await?;
    }
    let prune = ["prune", "--expire=1.hour.ago"];
    repository.snapshots(prune).output().await.map(drop)
}

/// The snapshot from before a run; that of an empty workspace is made when it is first needed.
pub async fn before(
    repository: Repository<'_>,
    run: RunId,
    before: &Before,
) -> Result<Snapshot, GitError> {
    let name = reference(run, Moment::Before);
    if let Some(snapshot) = find(repository, &name).await? {
        return Ok(snapshot);
    }
    match before {
        Before::Empty { branch } => take_empty(repository, branch, &name).await,
        Before::Missing { why } => Err(GitError::Impossible(why.clone())),
        Before::Kept => Err(GitError::Impossible(
            "there is no snapshot of what was before it".into(),
        )),
    }
}

/// A file in a snapshot, as text.
pub async fn file(
    repository: Repository<'_>,
    snapshot: &Snapshot,
    name: &str,
) -> Result<String, GitError> {
    let named = format!("{}:{name}", snapshot.commit);
    let read = repository.snapshots(["cat-file", "blob", &named]);
    read.output().await.map(|output| output.text())
}

/// Keeps a commit under another ref too.
pub async fn keep(
    repository: Repository<'_>,
    commit: &str,
    reference: &str,
) -> Result<(), GitError> {
    let keep = repository.snapshots(["update-ref", reference, commit]);
    keep.output().await.map(drop)
}

impl Moment {
    pub const ALL: [Moment; 7] = [
        Moment::Before,
        Moment::Undone,
        Moment::Redoing,
        Moment::Tip,
        Moment::Left,
        Moment::Absent,
        Moment::Found,
    ];
}

/// Forgets snapshots of a run; [`clean`] gives their room back.
pub async fn forget(
    repository: Repository<'_>,
    run: RunId,
    moments: &[Moment],
) -> Result<(), GitError> {
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

/// Whether there is any snapshot of it.
pub async fn has_any(repository: Repository<'_>) -> Result<bool, GitError> {
    let list = ["for-each-ref", "--count=1", "refs/telecoder/"];
    let list = repository.snapshots(list).output().await?;
    Ok(!list.bytes.is_empty())
}

/// Removes all snapshots of a repository, and of those inside.
pub fn forget_all(repository: Repository<'_>) {
    let _ = fs::remove_dir_all(repository.folder());
}
