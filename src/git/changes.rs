//! Uncommitted changes in a workspace.

use std::path::Path;

use super::repository::Repository;
use super::{Git, GitError};

/// The names of changed, new and deleted files, as git sorts them. Format: `git status --porcelain=v2 -z`.
///
/// Only the first of very many; an entirely new folder is one name. The person's settings hide nothing.
pub async fn uncommitted(git: &Git, workspace: &Path) -> Result<Vec<String>, GitError> {
    let arguments = [
        "--no-optional-locks",
        "status",
        "--porcelain=v2",
        "-z",
        "--no-renames",
        "--untracked-files=normal",
        "--ignore-submodules=none",
    ];
    let status = Repository::new(git, workspace).person(arguments);
    let status = status.output().await?;
    Ok(String::from_utf8_lossy(&status.bytes)
        .split('\0')
        .filter_map(name_of)
        .collect())
}

/// The files and folders that git ignores, as git sorts them.
pub async fn ignored(git: &Git, workspace: &Path) -> Result<Vec<String>, GitError> {
    let arguments = [
        "ls-files",
        "-z",
        "--others",
        "--ignored",
        "--exclude-standard",
        "--directory",
    ];
    let listed = Repository::new(git, workspace).person(arguments);
    let listed = listed.output().await?;
    let names = String::from_utf8_lossy(&listed.bytes).into_owned();
    let names = names.split('\0').filter(|name| !name.is_empty());
    Ok(names.map(str::to_owned).collect())
}

/// `1 XY sub mH mI mW hH hI name`, `u XY sub m1 m2 m3 mW h1 h2 h3 name`, `? name`.
fn name_of(record: &str) -> Option<String> {
    let (kind, rest) = record.split_once(' ')?;
    let fields_before = match kind {
        "?" => 0,
        "1" => 7,
        "u" => 9,
        _ => return None,
    };
    rest.splitn(fields_before + 1, ' ')
        .nth(fields_before)
        .map(str::to_owned)
}
