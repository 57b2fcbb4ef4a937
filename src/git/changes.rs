//! Uncommitted changes in a workspace.

use std::path::Path;

use super::{Git, GitError};

/// The names of changed, new and deleted files, as git sorts them. Format: `git status --porcelain=v2 -z`.
///
/// Only the first of very many; an entirely new folder is one name.
pub async fn uncommitted(git: &Git, workspace: &Path) -> Result<Vec<String>, GitError> {
    let arguments = [
        "--no-optional-locks",
        "status",
        "--porcelain=v2",
        "-z",
        "--no-renames",
    ];
    let status = git.call(workspace, arguments).output().await?;
    Ok(String::from_utf8_lossy(&status.bytes)
        .split('\0')
        .filter_map(name_of)
        .collect())
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
