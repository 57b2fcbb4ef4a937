//! What a run changed: the workspace now against the snapshot that was taken before it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::domain::changes::Changes;
use crate::domain::id::RunId;
use crate::domain::run::Before;
use crate::git::index::OwnIndex;
use crate::git::repository::Repository;
use crate::git::snapshot::{self, Snapshot};
use crate::git::{Git, GitError, diff, index, inner, refs};

/// How long git may take; a workspace with millions of files is not measured.
const LIMIT: Duration = Duration::from_secs(60);

/// The workspace's changes since just before the run. The error is for a person.
///
/// `since` is when the run began, in Unix milliseconds.
pub async fn changes(
    git: &Git,
    workspace: &Path,
    run: RunId,
    since: i64,
    before: &Before,
) -> Result<Changes, String> {
    let measured = async {
        if before.is_empty() && snapshot::is_empty(workspace) {
            return Ok(Changes::default());
        }
        let top = Repository::new(git, workspace);
        let before = snapshot::before(top, run, before).await?;
        let mut inside = inner::found_by(top, run).await?;
        inside.retain(|(folder, _)| top.inner(folder).is_there());
        let folders: Vec<PathBuf> = inside.iter().map(|(folder, _)| folder.clone()).collect();
        let mut changes = of_one(top, &before, since, &folders).await?;
        changes.has_submodules = workspace.join(".gitmodules").exists();
        for name in &before.beside.unkept {
            let name = name.display();
            let words = format!("{name} is a repository that cannot be kept\n");
            changes.left_out.push_str(&words);
        }
        for (folder, before) in &inside {
            let inner = top.inner(folder);
            let Ok(inside) = of_one(inner, before, since, &folders).await else {
                changes.has_moved = true;
                let name = inner.name().display();
                let words = format!("{name} is a repository that cannot be read any more\n");
                changes.left_out.push_str(&words);
                continue;
            };
            changes.files.add(inside.files);
            changes.has_moved |= inside.has_moved;
            changes.left_out.push_str(&inside.left_out);
        }
        // Without changes, nobody asks what is pushed.
        if !changes.is_none() {
            changes.remote = diff::remote(top).await?;
        }
        Ok(changes)
    };
    match tokio::time::timeout(LIMIT, measured).await {
        Ok(Ok(changes)) => Ok(changes),
        Ok(Err(error)) => Err(in_words(&error)),
        Err(_) => Err(format!("git took longer than {} s", LIMIT.as_secs())),
    }
}

async fn of_one(
    repository: Repository<'_>,
    before: &Snapshot,
    since: i64,
    others: &[PathBuf],
) -> Result<Changes, GitError> {
    let index = OwnIndex::within(&repository.git.scratch);
    let looked = index::look(repository, &index).await?;
    let was = &before.position;
    let (files, commits, position) = tokio::join!(
        diff::files(repository, &before.commit, &index, others),
        diff::commits(repository, was.head.as_deref(), since / 1000),
        refs::look(repository),
    );
    let (is, mut files) = (position?, files?);
    for path in looked.beside.large_since(&before.beside) {
        files.push_unread(&repository.name().join(path));
    }
    Ok(Changes {
        files,
        commits: commits?,
        has_moved: (&is.head, &is.branch) != (&was.head, &was.branch),
        branch: is.branch,
        left_out: looked.words,
        ..Changes::default()
    })
}

/// A file as it was before a run, if it was there and is a text.
pub async fn file_before(git: &Git, workspace: &Path, run: RunId, name: &str) -> Option<String> {
    let top = Repository::new(git, workspace);
    let before = snapshot::before(top, run, &Before::Kept).await.ok()?;
    snapshot::file(top, &before, name).await.ok()
}

/// The reason, and git's words if there are any.
pub fn in_words(error: &GitError) -> String {
    match error.words() {
        "" => error.reason(),
        words => format!("{}: {words}", error.reason()),
    }
}
