//! What is to be known of a workspace when it is made, or could not be.

use std::path::PathBuf;

/// Something to be said about a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remark {
    /// Submodules are not checked out; their folders.
    Submodules(Vec<String>),
    /// So many files are only pointers, because git-lfs is not set up here.
    LargeFiles(usize),
}

/// Why nothing can be made of what was named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// Neither a URL nor a folder.
    Unknown,
    /// A URL of a kind that does more than name a repository.
    Transport(String),
    /// A folder that `TELECODER_REPO_ROOTS` does not allow.
    Outside(Vec<PathBuf>),
}

/// Where the chat is when a session came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackIn {
    /// The session it had before.
    Previous,
    /// A newer one, where it was already.
    Newer,
    /// None; its next message makes one.
    None,
}
