//! What changed since a snapshot, and which commits are new.

use crate::domain::changes::Changed;
use crate::domain::changes::Commit;
use crate::domain::changes::Commits;
use crate::domain::changes::Files;
use crate::domain::changes::Remote;
use std::path::Path;

use super::repository::Repository;
use super::{Git, GitError};

/// How many bytes of a diff are kept; a larger file helps nobody on a phone.
const PATCH_KEPT: usize = 10 * 1024 * 1024;
/// How much of the list of changed files is kept, in bytes: some hundred thousand files.
const FILES_KEPT: usize = 32 * 1024 * 1024;
/// How many new commits are named.
const COMMITS_NAMED: usize = 10;

/// The files that differ between a snapshot and the last look through `index`, in git's order.
pub async fn files(
    git: &Git,
    workspace: &Path,
    before: &str,
    index: &Path,
) -> Result<Files, GitError> {
    let arguments = ["diff-index", "--cached", "-z", "-M", "--numstat", before];
    let output = Repository::new(git, workspace)
        .through(index, arguments)
        .keeping(FILES_KEPT)
        .output()
        .await?;
    Ok(parse(&String::from_utf8_lossy(&output.bytes)))
}

/// The difference as a patch, and whether it was cut. The person's external diff programs and text conversions are not
/// used.
pub async fn patch(
    git: &Git,
    workspace: &Path,
    before: &str,
    index: &Path,
) -> Result<(String, bool), GitError> {
    let arguments = [
        "diff-index",
        "--cached",
        "-p",
        "-M",
        "--stat",
        "--no-color",
        before,
    ];
    let output = Repository::new(git, workspace)
        .through(index, arguments)
        .keeping(PATCH_KEPT)
        .output()
        .await?;
    Ok((
        String::from_utf8_lossy(&output.bytes).into_owned(),
        output.is_cut,
    ))
}

/// Commits on top of `before` since a moment in Unix seconds: commits only fetched or switched to are older.
pub async fn commits(
    git: &Git,
    workspace: &Path,
    before: Option<&str>,
    since: i64,
) -> Result<Commits, GitError> {
    let range = match before {
        Some(before) => format!("{before}..HEAD"),
        None => "HEAD".to_owned(),
    };
    let since = format!("--since=@{since}");
    let log = git
        .run(
            workspace,
            [
                "-c",
                "log.showSignature=false",
                "log",
                "-z",
                "--format=%h%x09%s",
                &since,
                &range,
                "--",
            ],
        )
        .await;
    let log = match log {
        Ok(log) => log,
        // No commit yet.
        Err(GitError::Refused { .. }) => return Ok(Commits::default()),
        Err(other) => return Err(other),
    };
    let all: Vec<Commit> = log
        .split('\0')
        .filter_map(|record| record.split_once('\t'))
        .map(|(id, subject)| Commit {
            id: id.to_owned(),
            subject: subject.to_owned(),
        })
        .collect();
    Ok(Commits {
        count: all.len() as u64,
        newest: all.into_iter().take(COMMITS_NAMED).collect(),
    })
}

/// How far the current branch is ahead of all remotes, as far as known here.
pub async fn remote(git: &Git, workspace: &Path) -> Result<Remote, GitError> {
    if git.run(workspace, ["remote"]).await?.is_empty() {
        return Ok(Remote::None);
    }
    let ahead = ["rev-list", "--count", "HEAD", "--not", "--remotes"];
    match git.run(workspace, ahead).await {
        Ok(count) => Ok(Remote::Ahead(count.trim().parse().unwrap_or(0))),
        // No commit yet.
        Err(GitError::Refused { .. }) => Ok(Remote::Ahead(0)),
        Err(other) => Err(other),
    }
}

/// `added TAB removed TAB path NUL`, or for a rename `added TAB removed TAB NUL from NUL to NUL`.
fn parse(output: &str) -> Files {
    let mut fields = output.split('\0');
    let mut files = Files::default();
    while let Some(record) = fields.next() {
        let mut parts = record.splitn(3, '\t');
        let (Some(added), Some(removed), Some(path)) = (parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        let lines = added.parse().ok().zip(removed.parse().ok());
        let (from, path) = match path {
            "" => match (fields.next(), fields.next()) {
                (Some(from), Some(to)) => (Some(from.to_owned()), to),
                _ => break,
            },
            path => (None, path),
        };
        files.push(Changed {
            path: path.to_owned(),
            from,
            lines,
        });
    }
    files
}
