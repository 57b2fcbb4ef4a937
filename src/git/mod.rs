//! The only module that runs git: the binary, with worktrees, hooks and credentials as the person has them.
//!
//! `call` runs it. [`workspace`] makes a workspace from what [`source`] found and [`mirror`] keeps: a `clone`, or a
//! `worktree` with what `include` copies; `branch` names its branch, and `checkout` copes with hooks and filters. [`snapshot`] (its
//! content is a `state`) and [`diff`] say what a run changed, with [`history`] of its commits and refs, [`ignored`] for
//! what git does not see and [`begun`] for a repository that the run made, through an [`index`], which `seed` begins
//! and `look` brings up to date with what it has `found`; `beside` has what git cannot keep. They are in a
//! [`repository`] of our own, with the person's [`objects`] linked. [`undo`] takes a run back, from what is `known`:
//! [`present`] keeps what is there, `plan` says what may be touched, [`restore`] writes it, and [`inner`] finds the
//! repositories inside the workspace for all of these. [`push`] publishes a branch. [`unique`] finds what would be lost
//! with a workspace.

pub mod begun;
pub mod beside;
mod branch;
mod call;
pub mod changes;
mod checkout;
mod clone;
pub mod diff;
pub mod file;
mod found;
mod heard;
pub mod history;
pub mod ignored;
mod include;
pub mod index;
pub mod inner;
mod known;
mod look;
pub mod mirror;
pub mod objects;
mod plan;
pub mod present;
pub mod push;
pub mod refs;
pub mod remarks;
pub mod repository;
pub mod restore;
mod seed;
pub mod snapshot;
pub mod source;
mod state;
pub mod undo;
pub mod unique;
pub mod workspace;
mod worktree;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use tokio_util::sync::CancellationToken;

use crate::domain::id::RunId;

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GitError {
    #[error("git is not installed on this machine")]
    Missing,
    /// `words` are from git's stderr.
    #[error("git refused")]
    Refused {
        /// git's exit code: 1 is mostly a no, 128 a fatal error; `None` if a signal ended it.
        code: Option<i32>,
        words: String,
    },
    /// In telecoder's words.
    #[error("{0}")]
    Impossible(String),
    #[error("it was stopped")]
    Stopped,
}

impl GitError {
    /// For a sentence: "… could not be cloned: {reason}."
    pub fn reason(&self) -> String {
        match self {
            GitError::Refused { words, .. } if words.is_empty() => {
                "git refused without a word".to_owned()
            }
            GitError::Refused { .. } => "git refused, in these words".to_owned(),
            other => other.to_string(),
        }
    }

    /// git's own words; empty if git did not refuse.
    pub fn words(&self) -> &str {
        match self {
            GitError::Refused { words, .. } => words,
            _ => "",
        }
    }
}

/// What a long call reports to, and what stops it.
#[derive(Clone, Copy)]
pub struct Listener<'a> {
    /// Gets git's progress, a line at a time.
    pub heard: &'a (dyn Fn(&str) + Sync),
    /// Ends the call, with everything that git has started, before it returns.
    pub stop: &'a CancellationToken,
    /// Finds git's processes later if bot and supervisor are killed. `None`: only this call finds them.
    pub marker: Option<RunId>,
}

/// git with the environment that claude gets too: its hooks and helpers see nothing of telecoder's own.
pub struct Git {
    pub environment: BTreeMap<OsString, OsString>,
    /// A folder in the data folder for files that are only needed during a call.
    pub scratch: PathBuf,
    /// The folder in the data folder that has the snapshots of workspaces.
    pub snapshots: PathBuf,
    /// How many bytes a file may have that is kept in them.
    pub file_max: u64,
}

impl Git {
    /// As git says it, like `2.39.5`.
    pub async fn version(&self) -> Result<String, GitError> {
        let said = self.run(Path::new("/"), ["--version"]).await?;
        Ok(said.trim_start_matches("git version ").trim().to_owned())
    }
}
