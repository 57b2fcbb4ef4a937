//! Changes in a workspace, and whether its commits were pushed.

use std::path::Path;

use serde::{Deserialize, Serialize};

/// How many changed files are named.
const FILES_NAMED: usize = 100;

/// A workspace's changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    pub files: Files,
    pub commits: Commits,
    /// `None` for a detached `HEAD`.
    pub branch: Option<String>,
    pub remote: Remote,
    /// git's words about files that the snapshots left out.
    pub left_out: String,
    /// The checked-out commit or branch is another one than before.
    pub has_moved: bool,
    /// There are submodules, not examined.
    pub has_submodules: bool,
}

impl Changes {
    pub fn is_none(&self) -> bool {
        self.files.is_empty() && self.commits.count == 0 && !self.has_moved
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

/// The commits that a run made.
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
    /// The number of commits that are on no known remote branch.
    Ahead(u64),
}

/// The result of a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    pub branch: String,
    /// The remote had everything already.
    pub up_to_date: bool,
    /// The host's link for opening a pull request, if it gave one.
    pub link: Option<String>,
}
