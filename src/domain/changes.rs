//! What a run changed in the repositories of a workspace, and what was not looked at.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// How many changed files are named, and how many that git ignores.
const FILES_NAMED: usize = 100;
const IGNORED_NAMED: usize = 10;

/// What a run changed in the repositories of a workspace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// In the workspace's own repository.
    #[serde(flatten)]
    pub own: Work,
    /// In the repositories inside, by their folders in the workspace: those in which anything happened.
    #[serde(default)]
    pub inside: BTreeMap<String, Work>,
    /// What was not looked at.
    #[serde(default)]
    pub unseen: Vec<Unseen>,
}

/// Something that was not looked at, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unseen {
    /// A path in the workspace; empty if it is in git's words.
    pub what: String,
    pub why: String,
}

/// What is known after a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    Changed,
    Unchanged,
    /// Nothing that was looked at has changed; something was not looked at.
    NotWholly,
}

impl Changes {
    pub fn seen(&self) -> Seen {
        match self.all().all(|(_, work)| work.is_none()) {
            false => Seen::Changed,
            true if self.unseen.is_empty() => Seen::Unchanged,
            true => Seen::NotWholly,
        }
    }

    /// Each repository by its folder; that of the workspace's own is empty.
    pub fn all(&self) -> impl Iterator<Item = (&str, &Work)> {
        let inside = self.inside.iter();
        let inside = inside.map(|(folder, work)| (folder.as_str(), work));
        std::iter::once(("", &self.own)).chain(inside)
    }

    /// All files, by their paths in the workspace.
    pub fn files(&self) -> Files {
        self.all().map(|(_, work)| work.files.clone()).sum()
    }

    /// Whether an undo may have something to take back.
    pub fn can_be_taken_back(&self) -> bool {
        let is_left = |work: &Work| match work.fate {
            Some(Fate::Cloned) => Work {
                fate: None,
                ..work.clone()
            }
            .is_none(),
            _ => work.is_none(),
        };
        !self.unseen.is_empty() || !self.to_take_back().all(|(_, work)| is_left(work))
    }

    /// Those in which an undo takes something back: not in a repository that the run made in another way than by a
    /// clone.
    pub fn to_take_back(&self) -> impl Iterator<Item = (&str, &Work)> {
        let is_made = |work: &Work| {
            matches!(
                work.fate,
                Some(Fate::New | Fate::Submodule | Fate::Worktree)
            )
        };
        self.all().filter(move |(_, work)| !is_made(work))
    }
}

/// What a run did in a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    /// By their paths in the workspace.
    pub files: Files,
    /// Made on what is checked out now.
    pub commits: Commits,
    /// How many commits of others came with a pull or a merge.
    #[serde(default)]
    pub brought: u64,
    /// `None` for a detached `HEAD`.
    pub branch: Option<String>,
    pub remote: Remote,
    /// The checked-out commit or branch is another one than before.
    pub has_moved: bool,
    /// What became of the other branches, the tags and the stash.
    #[serde(default)]
    pub refs: Vec<RefChange>,
    /// Commits that were there before, or were made, and that no branch, tag or stash has any more.
    #[serde(default)]
    pub gone: Commits,
    /// The other branches and the stash are also others', who may have changed them.
    #[serde(default)]
    pub is_shared: bool,
    /// What was written and is not git's to see.
    #[serde(default)]
    pub ignored: Ignored,
    /// Files that are too large to be kept: an undo leaves them as they are.
    #[serde(default)]
    pub too_large: Vec<String>,
    /// The run made it, or removed it.
    #[serde(default)]
    pub fate: Option<Fate>,
}

/// What a run did to a repository as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// Its files are compared with those that were cloned.
    Cloned,
    Worktree,
    Submodule,
    New,
    Gone,
}

impl Work {
    /// Whether what is checked out is as before.
    pub fn is_still(&self) -> bool {
        self.files.is_empty() && self.commits.count == 0 && !self.has_moved && self.fate.is_none()
    }

    /// Whether git sees nothing that this run may have done.
    pub fn is_none(&self) -> bool {
        self.is_still() && (self.is_shared || (self.refs.is_empty() && self.gone.count == 0))
    }

    /// Whether there is nothing to tell of it.
    pub fn is_silent(&self) -> bool {
        self.is_none() && self.refs.is_empty() && self.gone.count == 0
    }
}

/// What became of a branch, a tag or the stash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefChange {
    /// A branch that is not checked out got commits that were made here; none if it was only put elsewhere.
    Branch {
        name: String,
        is_new: bool,
        commits: u64,
    },
    BranchGone {
        name: String,
        id: String,
    },
    Tag {
        name: String,
        is_new: bool,
    },
    TagGone {
        name: String,
        id: String,
    },
    /// So many new entries.
    Stashed(u64),
    StashGone {
        id: String,
    },
}

/// Files that git ignores, and its own settings and hooks, that were written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ignored {
    /// A folder that is ignored as a whole ends with a slash.
    pub first: Vec<String>,
    /// How many such files and folders.
    pub count: u64,
}

impl Ignored {
    pub fn push(&mut self, name: String) {
        self.count += 1;
        if self.first.len() < IGNORED_NAMED {
            self.first.push(name);
        }
    }
}

/// A file that changed. Format: `git diff --numstat -z`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    pub path: String,
    /// The path before a rename.
    pub from: Option<String>,
    /// Lines added and removed; `None` for a binary file.
    pub lines: Option<(u64, u64)>,
    /// What kind of file it is now, if that is another than before.
    #[serde(default)]
    pub became: Option<Became>,
}

/// What a file has become.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Became {
    Executable,
    NotExecutable,
    Link,
    /// Of a link or a repository.
    File,
    Repository,
}

/// The changed files: their totals, and the first of them by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Files {
    pub count: u64,
    /// Lines, in all text files.
    pub added: u64,
    pub removed: u64,
    /// In git's order.
    pub first: Vec<Changed>,
}

impl Files {
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Counts a file, and names it if there is room.
    pub fn push(&mut self, file: Changed) {
        self.count += 1;
        let (added, removed) = file.lines.unwrap_or_default();
        self.added = self.added.saturating_add(added);
        self.removed = self.removed.saturating_add(removed);
        if self.first.len() < FILES_NAMED {
            self.first.push(file);
        }
    }
}

impl Files {
    /// Counts a file of which no lines are known, if it is not named already.
    pub fn push_unread(&mut self, path: &Path) {
        let path = path.to_string_lossy().into_owned();
        if self.first.iter().all(|file| file.path != path) {
            self.push(Changed {
                path,
                from: None,
                lines: None,
                became: None,
            });
        }
    }

    /// Leaves out those named files of which this is so.
    pub fn leave_out(&mut self, which: impl Fn(&Changed) -> bool) {
        let named = self.first.len();
        self.first.retain(|file| !which(file));
        self.count -= (named - self.first.len()) as u64;
    }

    /// Adds those of another repository.
    pub fn add(&mut self, others: Files) {
        self.count += others.count;
        self.added = self.added.saturating_add(others.added);
        self.removed = self.removed.saturating_add(others.removed);
        let room = FILES_NAMED.saturating_sub(self.first.len());
        self.first.extend(others.first.into_iter().take(room));
    }
}

impl std::iter::Sum for Files {
    fn sum<I: Iterator<Item = Files>>(files: I) -> Files {
        files.fold(Files::default(), |mut sum, files| {
            sum.add(files);
            sum
        })
    }
}

impl FromIterator<Changed> for Files {
    fn from_iter<I: IntoIterator<Item = Changed>>(changed: I) -> Files {
        let mut files = Files::default();
        changed.into_iter().for_each(|file| files.push(file));
        files
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// Abbreviated.
    pub id: String,
    pub subject: String,
}

/// Some commits: how many, and the newest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commits {
    pub count: u64,
    /// The newest ones.
    pub newest: Vec<Commit>,
}

/// How far the branch is ahead of the remotes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remote {
    /// There is no remote.
    #[default]
    None,
    /// The number of commits that are on no remote branch that is known here.
    Ahead(u64),
}

/// The result of a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    pub branch: String,
    /// How many files and new folders are not committed, and so were not pushed.
    pub uncommitted: usize,
    /// The remote had everything already.
    pub up_to_date: bool,
    /// The host's link for opening a pull request, if it gave one.
    pub link: Option<String>,
}
