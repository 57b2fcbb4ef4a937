//! What one run, or several in a row, changed: from the snapshot before the first to the snapshot before the run behind
//! the last, or to the workspace as it is now.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::measure::{All, in_words};
use crate::domain::changes::{Fate, Unseen};
use crate::domain::id::RunId;
use crate::domain::run::Before;
use crate::git::diff::{self, After, Patch};
use crate::git::repository::Repository;
use crate::git::snapshot::{self, Moment, Snapshot};
use crate::git::{GitError, begun, inner};

/// The first of the runs.
#[derive(Clone, Debug)]
pub struct First {
    pub run: RunId,
    pub before: Before,
    /// Unix milliseconds.
    pub began: i64,
}

/// Where what is compared ends.
#[derive(Clone, Debug)]
pub enum Until {
    Now,
    /// Just before this run.
    Before(RunId, Before),
    /// What the undo of this run took away.
    Undone(RunId),
}

/// All that differs.
#[derive(Default)]
pub struct Difference {
    pub patch: Patch,
    /// Folders of repositories that were removed.
    pub gone: Vec<String>,
    pub unseen: Vec<Unseen>,
}

/// Compares each repository of the workspace; at most about so many bytes. Errors are git's, about the workspace's own.
pub async fn look(
    top: Repository<'_>,
    first: &First,
    until: &Until,
    most: usize,
) -> Result<Difference, GitError> {
    let mut found = Difference::default();
    let end = match until {
        Until::Now => return now(top, first, most).await,
        Until::Before(run, before) => snapshot::before(top, *run, before).await?,
        Until::Undone(run) => {
            let name = snapshot::reference(*run, Moment::Undone);
            let gone =
                || GitError::Impossible("what its undo took away is not kept any more".into());
            snapshot::find(top, &name).await?.ok_or_else(gone)?
        }
    };
    let name = match until {
        Until::Undone(run) => snapshot::reference(*run, Moment::Undone),
        Until::Before(run, _) => snapshot::reference(*run, Moment::Before),
        Until::Now => return Ok(found),
    };
    let start = snapshot::before(top, first.run, &first.before).await?;
    let begun = inner::found_by(top, first.run).await?;
    let mut begun: BTreeMap<PathBuf, Snapshot> = begun.into_iter().collect();
    let mut ended: BTreeMap<PathBuf, Snapshot> = BTreeMap::new();
    for (folder, kept) in inner::kept_under(top, &name).await? {
        // A clone of that run's own was not there when it began.
        if !kept.is_as_cloned {
            ended.insert(folder, kept);
        }
    }
    let unkept: BTreeSet<PathBuf> = [&start.beside.unkept, &end.beside.unkept]
        .into_iter()
        .flatten()
        .cloned()
        .collect();
    for name in &unkept {
        found.leave_out(name, "this repository could not be kept");
    }
    let unkept = unkept.iter().map(|name| top.workspace.join(name));
    let unkept: BTreeSet<PathBuf> = unkept.collect();
    let folders = [
        begun.keys().collect(),
        ended.keys().collect(),
        unkept.iter().collect::<Vec<_>>(),
    ];
    let folders: Vec<PathBuf> = folders.into_iter().flatten().cloned().collect();
    found
        .add(top, &start.commit, After::Kept(&end.commit), &folders, most)
        .await?;
    for (folder, end) in ended.iter().filter(|(folder, _)| !unkept.contains(*folder)) {
        let repository = top.inner(folder);
        let start = match begun.remove(folder) {
            Some(start) => Some(start.commit),
            None => made_by(repository, first.began / 1000).await?,
        };
        let Some(start) = start else {
            let why = "this repository is older than the run, and nobody had looked at it";
            found.leave_out(repository.name(), why);
            continue;
        };
        let after = After::Kept(&end.commit);
        found
            .add_inner(repository, &start, after, &folders, most)
            .await;
    }
    for (folder, start) in begun {
        // A clone that came and went within the time was neither there before nor behind.
        if !start.is_as_cloned && !unkept.contains(&folder) {
            found.gone.push(shown(top.inner(&folder).name()));
        }
    }
    Ok(found)
}

async fn now(top: Repository<'_>, first: &First, most: usize) -> Result<Difference, GitError> {
    let mut found = Difference::default();
    let all = All::of(top, first.run, &first.before, first.began).await?;
    let (folders, each) = all.each();
    for (repository, one) in each {
        let (before, after) = (&one.began.tree, After::Look(&one.index));
        match repository.name().as_os_str().is_empty() {
            true => found.add(repository, before, after, &folders, most).await?,
            false => {
                found
                    .add_inner(repository, before, after, &folders, most)
                    .await
            }
        }
    }
    let (gone, unseen) = all.missing();
    found.gone.extend(gone);
    found.unseen.extend(unseen);
    Ok(found)
}

/// What a repository began with that was not there before; `None` if it is older.
async fn made_by(repository: Repository<'_>, since: i64) -> Result<Option<String>, GitError> {
    Ok(match begun::since(repository, since) {
        None => None,
        Some((Fate::New, _) | (_, None)) => Some(begun::nothing(repository).await?),
        Some((_, Some(first))) => Some(first),
    })
}

impl Difference {
    async fn add(
        &mut self,
        repository: Repository<'_>,
        before: &str,
        after: After<'_>,
        others: &[PathBuf],
        most: usize,
    ) -> Result<(), GitError> {
        let left = most.saturating_sub(self.patch.text.len());
        let patch = diff::plain(repository, before, after, others, left).await?;
        self.patch.add(patch);
        Ok(())
    }

    /// One that cannot be compared is left out, and named.
    async fn add_inner(
        &mut self,
        repository: Repository<'_>,
        before: &str,
        after: After<'_>,
        others: &[PathBuf],
        most: usize,
    ) {
        if let Err(error) = self.add(repository, before, after, others, most).await {
            self.leave_out(repository.name(), &in_words(&error));
        }
    }

    fn leave_out(&mut self, name: &Path, why: &str) {
        self.unseen.push(Unseen {
            what: shown(name),
            why: why.to_owned(),
        });
    }
}

/// A folder in the workspace.
fn shown(name: &Path) -> String {
    name.join("").to_string_lossy().into_owned()
}
