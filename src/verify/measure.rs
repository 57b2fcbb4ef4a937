//! What a run changed: the workspace now against the snapshot that was taken before it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Changes;
use crate::git::snapshot::{self, Moment, Snapshot};
use crate::git::{Git, GitError, diff};
use crate::id::{RunId, SessionId};

/// How long git may take for it; a workspace of millions of files is not measured.
const LIMIT: Duration = Duration::from_secs(120);

/// The index file that the snapshots of a session are made through.
pub fn index_of(scratch: &Path, session: &SessionId) -> PathBuf {
    scratch.join(format!("{session}.index"))
}

/// What the workspace shows now that it did not before the run. The error is for a person.
///
/// `since` is when the run began, in Unix milliseconds.
pub async fn changes(
    git: &Git,
    workspace: &Path,
    index: &Path,
    run: RunId,
    since: i64,
) -> Result<Changes, String> {
    let measured = async {
        let before = before(git, workspace, run).await?;
        let left_out = snapshot::look(git, workspace, index).await?;
        let (files, commits, remote, branch) = tokio::join!(
            diff::files(git, workspace, &before.commit, index),
            diff::commits(git, workspace, before.head.as_deref(), since / 1000),
            diff::remote(git, workspace),
            snapshot::branch(git, workspace),
        );
        Ok(Changes {
            files: files?,
            commits: commits?,
            branch,
            remote: remote?,
            left_out,
        })
    };
    match tokio::time::timeout(LIMIT, measured).await {
        Ok(Ok(changes)) => Ok(changes),
        Ok(Err(error)) => Err(in_words(&error)),
        Err(_) => Err(format!("git took longer than {} s", LIMIT.as_secs())),
    }
}

/// The snapshot of what was before a run.
pub async fn before(git: &Git, workspace: &Path, run: RunId) -> Result<Snapshot, GitError> {
    let reference = snapshot::reference(run, Moment::Before);
    snapshot::find(git, workspace, &reference)
        .await?
        .ok_or_else(|| GitError::Impossible("there is no snapshot of what was before it".into()))
}

/// A file as it was before a run, if it was there and is a text.
pub async fn file_before(git: &Git, workspace: &Path, run: RunId, name: &str) -> Option<String> {
    let before = before(git, workspace, run).await.ok()?;
    snapshot::file(git, workspace, &before, name).await.ok()
}

/// A reason, and git's words where it has said some.
pub fn in_words(error: &GitError) -> String {
    match error.words() {
        "" => error.reason(),
        words => format!("{}: {words}", error.reason()),
    }
}
