//! What a run changed, as `--json` has it.

use serde::Serialize;

use crate::domain::changes::{self, Became, Fate, Remote};

/// What a run changed in the repositories of a workspace.
#[derive(Clone, Debug, Serialize)]
pub struct Changes {
    /// The workspace's own first, then those inside in which anything happened.
    pub repositories: Vec<Repository>,
    /// What was not looked at.
    pub unseen: Vec<Unseen>,
}

impl From<&changes::Changes> for Changes {
    fn from(changes: &changes::Changes) -> Changes {
        let all = changes.all();
        Changes {
            repositories: all
                .map(|(folder, work)| Repository::new(folder, work))
                .collect(),
            unseen: changes.unseen.iter().map(Unseen::from).collect(),
        }
    }
}

/// Something that was not looked at.
#[derive(Clone, Debug, Serialize)]
pub struct Unseen {
    /// A path in the workspace; empty if git's words in `why` name it.
    pub what: String,
    pub why: String,
}

impl From<&changes::Unseen> for Unseen {
    fn from(unseen: &changes::Unseen) -> Unseen {
        Unseen {
            what: unseen.what.clone(),
            why: unseen.why.clone(),
        }
    }
}

/// What a run did in a repository.
#[derive(Clone, Debug, Serialize)]
pub struct Repository {
    /// Its folder in the workspace; empty for the workspace's own.
    pub folder: String,
    /// What the run did to it as a whole: `cloned`, `worktree`, `submodule`, `new` or `gone`; else `None`.
    pub fate: Option<&'static str>,
    pub files: Files,
    /// Made on what is checked out.
    pub commits: Commits,
    /// How many commits of others came with a pull or a merge.
    pub brought: u64,
    /// What is checked out; `None` for a detached `HEAD`.
    pub branch: Option<String>,
    /// Whether another commit or branch is checked out than before.
    pub has_moved: bool,
    /// How many commits of the branch are on no remote branch that is known here; `None` without a remote.
    pub unpushed: Option<u64>,
    /// What became of the other branches, the tags and the stash.
    pub refs: Vec<Ref>,
    /// Commits that no branch, tag or stash has any more.
    pub gone: Commits,
    /// Whether others share its branches and stash, and may have changed them.
    pub is_shared: bool,
    pub ignored: Ignored,
    /// The paths of files that are too large to be kept: an undo leaves them as they are.
    pub too_large: Vec<String>,
}

impl Repository {
    fn new(folder: &str, work: &changes::Work) -> Repository {
        Repository {
            folder: folder.to_owned(),
            fate: work.fate.as_ref().map(|fate| match fate {
                Fate::Cloned => "cloned",
                Fate::Worktree => "worktree",
                Fate::Submodule => "submodule",
                Fate::New => "new",
                Fate::Gone => "gone",
            }),
            files: Files::from(&work.files),
            commits: Commits::from(&work.commits),
            brought: work.brought,
            branch: work.branch.clone(),
            has_moved: work.has_moved,
            unpushed: match work.remote {
                Remote::None => None,
                Remote::Ahead(commits) => Some(commits),
            },
            refs: work.refs.iter().map(Ref::from).collect(),
            gone: Commits::from(&work.gone),
            is_shared: work.is_shared,
            ignored: Ignored {
                count: work.ignored.count,
                first: work.ignored.first.clone(),
            },
            too_large: work.too_large.clone(),
        }
    }
}

/// The changed files.
#[derive(Clone, Debug, Serialize)]
pub struct Files {
    pub count: u64,
    /// Lines, in all text files.
    pub added: u64,
    /// Lines, in all text files.
    pub removed: u64,
    /// The first of them, in git's order.
    pub first: Vec<File>,
}

impl From<&changes::Files> for Files {
    fn from(files: &changes::Files) -> Files {
        Files {
            count: files.count,
            added: files.added,
            removed: files.removed,
            first: files.first.iter().map(File::from).collect(),
        }
    }
}

/// A changed file.
#[derive(Clone, Debug, Serialize)]
pub struct File {
    /// In the workspace.
    pub path: String,
    /// The path before a rename; else `None`.
    pub from: Option<String>,
    /// Lines; `None` for a binary file.
    pub added: Option<u64>,
    /// Lines; `None` for a binary file.
    pub removed: Option<u64>,
    /// `executable`, `not_executable`, `link`, `file` or `repository` if it was of another kind before; else `None`.
    pub became: Option<&'static str>,
}

impl From<&changes::Changed> for File {
    fn from(file: &changes::Changed) -> File {
        File {
            path: file.path.clone(),
            from: file.from.clone(),
            added: file.lines.map(|(added, _)| added),
            removed: file.lines.map(|(_, removed)| removed),
            became: file.became.map(|became| match became {
                Became::Executable => "executable",
                Became::NotExecutable => "not_executable",
                Became::Link => "link",
                Became::File => "file",
                Became::Repository => "repository",
            }),
        }
    }
}

/// Some commits.
#[derive(Clone, Debug, Serialize)]
pub struct Commits {
    pub count: u64,
    /// The newest of them.
    pub newest: Vec<Commit>,
}

impl From<&changes::Commits> for Commits {
    fn from(commits: &changes::Commits) -> Commits {
        Commits {
            count: commits.count,
            newest: commits.newest.iter().map(Commit::from).collect(),
        }
    }
}

#[derive(Clone, Debug, Serialize)]
pub struct Commit {
    /// Abbreviated.
    pub id: String,
    pub subject: String,
}

impl From<&changes::Commit> for Commit {
    fn from(commit: &changes::Commit) -> Commit {
        Commit {
            id: commit.id.clone(),
            subject: commit.subject.clone(),
        }
    }
}

/// Files that were written and are not git's to see.
#[derive(Clone, Debug, Serialize)]
pub struct Ignored {
    /// How many files and folders.
    pub count: u64,
    /// The paths of the first; a folder that is ignored as a whole ends with a slash.
    pub first: Vec<String>,
}

/// What became of a branch that is not checked out, a tag or the stash.
#[derive(Clone, Debug, Serialize)]
pub struct Ref {
    /// `branch`, `tag` or `stash`.
    pub kind: &'static str,
    /// `None` for the stash.
    pub name: Option<String>,
    /// `new`, `moved` or `gone`. The stash has moved if it got entries.
    pub became: &'static str,
    /// The commits that were made here and that a branch got; the new entries of the stash; else `None`.
    pub count: Option<u64>,
    /// The abbreviated commit of one that is gone; else `None`.
    pub id: Option<String>,
}

impl From<&changes::RefChange> for Ref {
    fn from(change: &changes::RefChange) -> Ref {
        use changes::RefChange;
        let new_or_moved = |is_new: bool| if is_new { "new" } else { "moved" };
        let (kind, name, became) = match change {
            RefChange::Branch { name, is_new, .. } => ("branch", Some(name), new_or_moved(*is_new)),
            RefChange::BranchGone { name, .. } => ("branch", Some(name), "gone"),
            RefChange::Tag { name, is_new } => ("tag", Some(name), new_or_moved(*is_new)),
            RefChange::TagGone { name, .. } => ("tag", Some(name), "gone"),
            RefChange::Stashed(_) => ("stash", None, "moved"),
            RefChange::StashGone { .. } => ("stash", None, "gone"),
        };
        Ref {
            kind,
            name: name.cloned(),
            became,
            count: match change {
                RefChange::Branch { commits: count, .. } | RefChange::Stashed(count) => {
                    Some(*count)
                }
                _ => None,
            },
            id: match change {
                RefChange::BranchGone { id, .. }
                | RefChange::TagGone { id, .. }
                | RefChange::StashGone { id } => Some(id.clone()),
                _ => None,
            },
        }
    }
}
