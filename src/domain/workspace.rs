//! Facts about making a workspace, and why it can fail.

use std::path::PathBuf;

/// A remark about a new workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remark {
    /// The folders of submodules that are not checked out.
    Submodules(Vec<String>),
    /// How many files are only pointers, because git-lfs is not set up here.
    LargeFiles(usize),
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
