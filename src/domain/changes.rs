//! What changed in a workspace, and where its commits are.

use serde::{Deserialize, Serialize};

/// How many changed files are named.
const FILES_NAMED: usize = 100;

/// What the workspace shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    pub files: Files,
    pub commits: Commits,
    /// None for a detached `HEAD`.
    pub branch: Option<String>,
    pub remote: Remote,
    /// What the snapshots could not take in, in git's words.
    pub left_out: String,
    /// Another commit or another branch is checked out than before.
    pub has_moved: bool,
    /// There are submodules, in which nobody looked.
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
    /// Where it was before, if it was renamed.
    pub from: Option<String>,
    /// Lines added and removed; none for a binary file.
    pub lines: Option<(u64, u64)>,
}

/// The files that differ: their sums, and the first of them by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Files {
    pub count: u64,
    /// Lines in all of them that are text.
    pub added: u64,
    pub removed: u64,
    /// In git's order.
    pub first: Vec<Changed>,
}

impl Files {
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Counts a file, and names it where there is room.
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

/// How far the branch is with what other repositories have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remote {
    /// There is no other repository.
    #[default]
    None,
    /// So many commits are on no remote branch that is known here.
    Ahead(u64),
}

/// What a push came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    pub branch: String,
    /// There was nothing that the other side did not have.
    pub up_to_date: bool,
    /// What the host names to open a pull request, where it does.
    pub link: Option<String>,
}
