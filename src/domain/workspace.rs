//! Facts about making a workspace, and why it can fail.

use std::path::PathBuf;

/// A remark about a new workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remark {
    /// The folders of submodules that are not checked out.
    Submodules(Vec<String>),
    /// How many files are only pointers, because git-lfs is not set up here.
    LargeFiles(usize),
    /// The hook post-checkout failed, with these words; everything is checked out.
    HookFailed(String),
    /// The repository's `HEAD` names no branch that exists; this one was taken.
    BeginsAt(String),
    /// Ignored files that were copied from the checkout, because `.worktreeinclude` names them.
    Copied(Vec<String>),
    /// Those that could not be copied.
    NotCopied(Vec<NotCopied>),
}

/// A file that was to be copied into a worktree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotCopied {
    pub name: String,
    /// For a person.
    pub why: String,
}

impl NotCopied {
    pub fn of(name: &str, why: &str) -> NotCopied {
        NotCopied {
            name: name.to_owned(),
            why: why.to_owned(),
        }
    }
}

/// Why a source cannot become a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// No URL, folder or known name.
    Unknown,
    /// A URL whose transport can do more than name a repository.
    Transport(String),
    /// A folder that `TELECODER_REPO_ROOTS` does not allow.
    Outside(Vec<PathBuf>),
    /// A folder whose disk does not answer.
    NoAnswer,
}

/// Where the chat is after a session is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackIn {
    /// In the session it had before.
    Previous,
    /// In a newer session, as before.
    Newer,
    /// In none; the next message makes one.
    None,
}
