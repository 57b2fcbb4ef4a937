//! What changed since a snapshot, and which commits are new.

use crate::domain::changes::Changed;
use crate::domain::changes::Commit;
use crate::domain::changes::Commits;
use crate::domain::changes::Files;
use crate::domain::changes::Remote;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::GitError;
use super::repository::Repository;

/// How many bytes of a diff are kept; a larger file helps nobody on a phone.
const PATCH_KEPT: usize = 10 * 1024 * 1024;
/// How much of the list of changed files is kept, in bytes: some hundred thousand files.
const FILES_KEPT: usize = 32 * 1024 * 1024;
/// How many new commits are named.
const COMMITS_NAMED: usize = 10;

/// The files that differ between a snapshot and the last look through `index`, in git's order, with their paths in the
/// session's workspace. Those in `others`, folders of repositories inside, are left to them.
pub async fn files(
    repository: Repository<'_>,
    before: &str,
    index: &Path,
    others: &[PathBuf],
) -> Result<Files, GitError> {
    let arguments = ["diff-index", "--cached", "-z", "-M", "--numstat", before];
    let output = repository
        .through(index, arguments)
        .about(but(repository, others).iter().map(OsString::as_os_str))
        .keeping(FILES_KEPT)
        .output()
        .await?;
    let within = repository.name().join("").to_string_lossy().into_owned();
    Ok(parse(&String::from_utf8_lossy(&output.bytes), &within))
}

/// The difference as a patch, and whether it was cut. The person's external diff programs and text conversions are not
/// used.
pub async fn patch(
    repository: Repository<'_>,
    before: &str,
    index: &Path,
    others: &[PathBuf],
) -> Result<(String, bool), GitError> {
    let within = repository.name().join("").to_string_lossy().into_owned();
    let from = format!("--src-prefix=a/{within}");
    let to = format!("--dst-prefix=b/{within}");
    let arguments = [
        "diff-index",
        "--cached",
        "-p",
        "-M",
        "--stat",
        "--no-color",
        &from,
        &to,
        before,
    ];
    let output = repository
        .through(index, arguments)
        .about(but(repository, others).iter().map(OsString::as_os_str))
        .keeping(PATCH_KEPT)
        .output()
        .await?;
    Ok((
        String::from_utf8_lossy(&output.bytes).into_owned(),
        output.is_cut,
    ))
}

/// Everything in a repository but these folders, as arguments.
fn but(repository: Repository<'_>, folders: &[PathBuf]) -> Vec<OsString> {
    let inside = folders
        .iter()
        .filter_map(|folder| folder.strip_prefix(repository.workspace).ok())
        .filter(|name| !name.as_os_str().is_empty());
    let left_out = inside.map(|name| {
        let mut pattern = OsString::from(":(exclude,literal,top)");
        pattern.push(name);
        pattern
    });
    let all = ["--", "."].into_iter().map(OsString::from);
    all.chain(left_out).collect()
}

/// Commits on top of `before` since a moment in Unix seconds: commits only fetched or switched to are older.
pub async fn commits(
    repository: Repository<'_>,
    before: Option<&str>,
    since: i64,
) -> Result<Commits, GitError> {
    let range = match before {
        Some(before) => format!("{before}..HEAD"),
        None => "HEAD".to_owned(),
    };
    let since = format!("--since=@{since}");
    let log = repository.person([
        "-c",
        "log.showSignature=false",
        "log",
        "-z",
        "--format=%h%x09%s",
        &since,
        &range,
        "--",
    ]);
    let log = match log.output().await {
        Ok(log) => log.text(),
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
pub async fn remote(repository: Repository<'_>) -> Result<Remote, GitError> {
    let remotes = repository.person(["remote"]).output().await?.text();
    if remotes.is_empty() {
        return Ok(Remote::None);
    }
    let ahead = ["rev-list", "--count", "HEAD", "--not", "--remotes"];
    match repository.person(ahead).output().await {
        Ok(count) => Ok(Remote::Ahead(count.text().trim().parse().unwrap_or(0))),
        // No commit yet.
        Err(GitError::Refused { .. }) => Ok(Remote::Ahead(0)),
        Err(other) => Err(other),
    }
}

/// `added TAB removed TAB path NUL`, or for a rename `added TAB removed TAB NUL from NUL to NUL`; in a repository inside
/// the workspace, whose path ends with a slash.
fn parse(output: &str, within: &str) -> Files {
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
                (Some(from), Some(to)) => (Some(format!("{within}{from}")), to),
                _ => break,
            },
            path => (None, path),
        };
        files.push(Changed {
            path: format!("{within}{path}"),
            from,
            lines,
        });
    }
    files
}
