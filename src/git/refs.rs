//! Branches, `HEAD` and the stash of a workspace's repository: what they are, and back to what they were.
//!
//! A repository of which the workspace is only a worktree is others' too: there only the workspace's own branch is put
//! back.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use super::GitError;
use super::repository::{Repository, common_folder};

const STASH: &str = "refs/stash";
pub(super) const HEADS: &str = "refs/heads/";
const TAGS: &str = "refs/tags/";
/// Of more tags than that, nobody keeps where they were.
const TAGS_MOST: usize = 2_000;

/// Branches with their commits, and the stash, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refs {
    pub branches: BTreeMap<String, String>,
    pub stash: Vec<String>,
}

impl Refs {
    /// As if a branch were at this commit, or not there.
    pub fn set_branch(&mut self, branch: Option<&str>, commit: Option<&str>) {
        let Some(name) = branch.map(|branch| format!("{HEADS}{branch}")) else {
            return;
        };
        match commit {
            Some(commit) => drop(self.branches.insert(name, commit.to_owned())),
            None => drop(self.branches.remove(&name)),
        }
    }
}

/// Where a repository is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// The commit that is checked out; `None` if there is none.
    pub head: Option<String>,
    /// The branch that is checked out; `None` for a detached `HEAD`.
    pub branch: Option<String>,
    /// All, if they belong to the repository alone; `None` if it is a worktree.
    pub refs: Option<Refs>,
    /// All of the repository of which this is a worktree: they are told, and never put back.
    pub shared: Option<Refs>,
    /// Tags with what they name; `None` if there are very many, or nobody looked. They are not put back.
    pub tags: Option<BTreeMap<String, String>>,
}

impl Position {
    /// Whether all is the same that is put back.
    pub fn is_same(&self, other: &Position) -> bool {
        let parts = |it: &Position| (it.head.clone(), it.branch.clone(), it.refs.clone());
        parts(self) == parts(other)
    }

    /// All branches and the stash, whosever they are.
    pub fn all_refs(&self) -> Option<&Refs> {
        self.refs.as_ref().or(self.shared.as_ref())
    }
}

/// Where a repository is now.
pub async fn look(repository: Repository<'_>) -> Result<Position, GitError> {
    let gone = || GitError::Impossible("it is no git repository any more".into());
    let folder = repository.git_folder().ok_or_else(gone)?;
    let list = [
        "for-each-ref",
        "--format=%(HEAD)%(objectname) %(refname) %(symref)",
        HEADS,
        STASH,
        TAGS,
    ];
    let list = repository.person(list).keeping(usize::MAX);
    let list = list.output().await?.text();
    let mut position = Position::default();
    let (mut branches, mut stash, mut tags) = (BTreeMap::new(), None, BTreeMap::new());
    for line in list.lines() {
        let is_checked_out = line.starts_with('*');
        let mut words = line.get(1..).unwrap_or_default().split(' ');
        let (Some(commit), Some(name), link) = (words.next(), words.next(), words.next()) else {
            continue;
        };
        if name == STASH {
            stash = Some(commit);
            continue;
        }
        if let Some(tag) = name.strip_prefix(TAGS) {
            tags.insert(tag.to_owned(), commit.to_owned());
            continue;
        }
        if is_checked_out {
            position.head = Some(commit.to_owned());
            position.branch = name.strip_prefix(HEADS).map(str::to_owned);
        }
        // A branch that only names another one has nothing of its own.
        if link.is_none_or(str::is_empty) {
            branches.insert(name.to_owned(), commit.to_owned());
        }
    }
    if position.branch.is_none() {
        (position.head, position.branch) = head(repository).await;
    }
    let stash = match stash {
        Some(newest) => stashed(repository, newest).await,
        None => Vec::new(),
    };
    let all = Some(Refs { branches, stash });
    match common_folder(&folder) == folder {
        true => position.refs = all,
        false => position.shared = all,
    }
    position.tags = (tags.len() <= TAGS_MOST).then_some(tags);
    Ok(position)
}

/// All that is stashed, newest first.
async fn stashed(repository: Repository<'_>, newest: &str) -> Vec<String> {
    let log = ["reflog", "show", "--format=%H", STASH, "--"];
    let log = repository.person(log).output().await;
    let log = log.map(|output| output.text()).unwrap_or_default();
    let mut stash: Vec<String> = log.lines().map(str::to_owned).collect();
    // Its log may have been cut.
    if stash.first().is_none_or(|first| first != newest) {
        stash.insert(0, newest.to_owned());
    }
    stash
}

/// Puts branches and stash back, from what they are now. A branch that is checked out in a worktree of the run's stays.
pub(super) async fn put_all(
    repository: Repository<'_>,
    from: &Position,
    to: &Position,
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
    let is_main = repository
        .git_folder()
        .is_some_and(|folder| common_folder(&folder) == folder);
    let is_own = |number: usize, block: &str| {
        if is_main {
            // It is the first one, for a submodule under the name of its git folder.
            return number == 0;
        }
        let place = block
            .lines()
            .find_map(|line| line.strip_prefix("worktree "));
        place.and_then(|place| Path::new(place).canonicalize().ok()) == own
    };
    Ok(list
        .split("\n\n")
        .enumerate()
        .filter(|(number, block)| !is_own(*number, block))
        .flat_map(|(_, block)| block.lines())
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

/// The commit and the branch that are checked out, where the branch has no commit or there is none.
async fn head(repository: Repository<'_>) -> (Option<String>, Option<String>) {
    let commit = ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"];
    let commit = repository.person(commit).output();
    let (commit, branch) = tokio::join!(commit, branch(repository));
    (commit.ok().map(|output| output.text()), branch)
}

/// Sets `HEAD` and its branch.
pub(super) async fn put_head(repository: Repository<'_>, to: &Position) -> Result<(), GitError> {
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
    let is_whole = async || {
        let whole = repository.person(whole).with("GIT_NO_LAZY_FETCH", "1");
        whole.output().await.map(drop)
    };
    if is_whole().await.is_ok() {
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
        // Also where the history of a shallow clone ends.
        "--update-shallow",
        &store,
        &reference,
    ];
    let fetched = repository.person(fetch).output().await.map(drop);
    let _ = repository
        .snapshots(["update-ref", "-d", &reference])
        .output()
        .await;
    fetched?;
    // git says nothing if it has left some out.
    is_whole().await
}

/// Removes the locks that a git of ours left when it was ended with the bot. Call it only if nobody else can be working
/// there.
pub fn unlock(repository: Repository<'_>, branch: Option<&str>) {
    let store = repository.folder();
    if let Some(own) = repository.git_folder() {
        let common = common_folder(&own);
        for name in ["index.lock", "HEAD.lock"] {
            let _ = fs::remove_file(own.join(name));
        }
        if common == own {
            let _ = fs::remove_file(own.join("packed-refs.lock"));
            for name in ["refs", "reftable"] {
                remove_locks(&own.join(name));
            }
        } else if let Some(branch) = branch {
            let _ = fs::remove_file(common.join(format!("{HEADS}{branch}.lock")));
        }
    }
    // Nobody but telecoder works in its own folder.
    remove_locks(&store);
}

/// Removes all locks below a folder of git's, but for those of objects.
fn remove_locks(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && entry.file_name() != "objects" => remove_locks(&path),
            _ if path.extension() == Some(OsStr::new("lock")) => drop(fs::remove_file(path)),
            _ => {}
        }
    }
}

/// The commit that a branch is at; `None` if there is no such branch.
pub async fn tip(repository: Repository<'_>, branch: &str) -> Option<String> {
    let reference = format!("refs/heads/{branch}");
    let tip = ["rev-parse", "--verify", "--quiet", &reference];
    let tip = repository.person(tip).output().await;
    tip.ok().map(|output| output.text())
}

/// Puts a branch that is not checked out back to where it was.
pub async fn put_branch(
    repository: Repository<'_>,
    branch: &str,
    commit: &str,
) -> Result<(), GitError> {
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
