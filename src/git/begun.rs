//! How a repository began that was not there before a run: it is compared with that.
//!
//! git's log of `HEAD` tells it. A clone's and a worktree's first commit is compared as it lies on the disk, because
//! git may have converted its files: what git itself does not call changed is taken over as it is.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::index::OwnIndex;
use super::repository::{Repository, common_folder};
use super::{GitError, file};
use crate::domain::changes::Fate;

const LOGS_OF_BRANCHES: &str = "logs/refs/heads";
/// What git logs of a clone's first commit, and of the next one of a submodule.
const CLONE: &str = "clone:";
const CHECKOUT: &str = "checkout:";

/// An entry of a log of git's.
struct Entry {
    commit: String,
    /// Unix seconds.
    at: i64,
    message: String,
}

/// How the repository was made since a moment in Unix seconds, and the commit that it had from the beginning. `None`:
/// its log is older than that.
pub fn since(repository: Repository<'_>, moment: i64) -> Option<(Fate, Option<String>)> {
    let Some(folder) = repository.git_folder() else {
        return Some((Fate::New, None));
    };
    let mut entries = entries(&folder.join("logs/HEAD")).into_iter();
    let Some(first) = entries.next() else {
        return Some((Fate::New, None));
    };
    if first.at < moment {
        return None;
    }
    let is_clone = first.message.starts_with(CLONE);
    Some(match repository.workspace.join(".git").is_file() {
        true if common_folder(&folder) != folder => (Fate::Worktree, Some(first.commit)),
        true => {
            let next = entries.next();
            let next = next.filter(|next| next.message.starts_with(CHECKOUT));
            (Fate::Submodule, Some(next.unwrap_or(first).commit))
        }
        false if is_clone => (Fate::Cloned, Some(first.commit)),
        false => (Fate::New, None),
    })
}

/// The tree of a first commit, with the files that git does not call changed as they lie on the disk: as `index` has
/// them. Files that are too large to be in that are not in the tree either.
pub async fn tree(
    repository: Repository<'_>,
    index: &Path,
    first: &str,
    too_large: &[String],
) -> Result<String, GitError> {
    let changed = ["diff", "--name-only", "--no-renames", "-z", first];
    let changed = repository.person(changed).keeping(usize::MAX);
    let others = ["ls-files", "-z", "--others", "--exclude-standard"];
    let others = repository.person(others).keeping(usize::MAX);
    let were = ["ls-tree", "-r", "-z", first];
    let were = repository.snapshots(were).keeping(usize::MAX);
    let (changed, others, were) =
        tokio::try_join!(changed.output(), others.output(), were.output())?;
    let is_small = |path: &&[u8]| {
        let path = String::from_utf8_lossy(path);
        too_large.iter().all(|large| *large != path)
    };
    let all = [changed.bytes, others.bytes].concat();
    // A repository inside ends with a slash.
    let paths = all
        .split(|byte| *byte == 0)
        .map(|path| path.strip_suffix(b"/").unwrap_or(path))
        .filter(|path| !path.is_empty());
    let paths: BTreeSet<&[u8]> = paths.filter(is_small).collect();
    let own = OwnIndex::within(&repository.git.scratch);
    fs::copy(index, &*own)
        .map_err(|error| GitError::Impossible(format!("the index cannot be copied ({error})")))?;
    let mut back: Vec<u8> = Vec::new();
    for path in &paths {
        // Mode 0 removes it, whatever the name of the object is.
        back.extend_from_slice(format!("0 {}\t", "0".repeat(first.len())).as_bytes());
        back.extend_from_slice(path);
        back.push(0);
    }
    for record in were.bytes.split(|byte| *byte == 0) {
        let tab = record.iter().position(|byte| *byte == b'\t');
        if tab.is_some_and(|tab| paths.contains(&record[tab + 1..])) {
            back.extend_from_slice(record);
            back.push(0);
        }
    }
    let put = ["update-index", "-z", "--index-info"];
    repository.through(&own, put).input(back).output().await?;
    Ok(repository
        .through(&own, ["write-tree"])
        .output()
        .await?
        .text())
}

/// The tree that has nothing.
pub async fn nothing(repository: Repository<'_>) -> Result<String, GitError> {
    Ok(repository.snapshots(["mktree"]).output().await?.text())
}

/// The branch that a clone has checked out first.
pub fn cloned_branch(repository: Repository<'_>) -> Option<String> {
    let logs = repository.git_folder()?.join(LOGS_OF_BRANCHES);
    let mut folders = vec![logs.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let first = entries(&path).into_iter().next();
            if first.is_some_and(|first| first.message.starts_with(CLONE)) {
                let name = path.strip_prefix(&logs).ok()?;
                return Some(name.to_string_lossy().into_owned());
            }
        }
    }
    None
}

/// The first entries of a log. Format: `old new person time zone TAB message`.
fn entries(log: &Path) -> Vec<Entry> {
    let log = file::text(log).unwrap_or_default();
    let entry = |line: &str| {
        let (ids, message) = line.split_once('\t').unwrap_or((line, ""));
        let at = ids.rsplit(' ').nth(1)?.parse().ok()?;
        Some(Entry {
            commit: ids.split(' ').nth(1)?.to_owned(),
            at,
            message: message.to_owned(),
        })
    };
    log.lines().take(2).map_while(entry).collect()
}
