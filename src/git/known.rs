//! What is known of each repository of a workspace before it is taken back, and in what it differs afterwards.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::index::OwnIndex;
use super::present::look_at;
use super::repository::Repository;
use super::snapshot::{self, Moment, Snapshot};
use super::{GitError, diff};
use crate::domain::changes::Files;
use crate::domain::id::RunId;
use crate::domain::run::Before;

/// A repository of the workspace, and what an undo of the run has kept of it so far.
pub(super) struct Known {
    pub folder: PathBuf,
    pub before: Snapshot,
    /// By the names of their refs.
    pub kept: BTreeMap<String, Snapshot>,
}

impl Known {
    /// The workspace's own repository and those inside it that the run found, each after the one around it.
    pub async fn all(
        top: Repository<'_>,
        run: RunId,
        before: &Before,
    ) -> Result<Vec<Known>, GitError> {
        let prefix = format!("refs/telecoder/{run}/");
        let name = snapshot::reference(run, Moment::Before);
        let kept = snapshot::find_all(top, &prefix).await?;
        let mut all = vec![Known {
            folder: top.workspace.to_owned(),
            before: match kept.get(&name) {
                Some(before) => before.clone(),
                None => snapshot::before(top, run, before).await?,
            },
            kept,
        }];
        for folder in top.inner_ones() {
            let kept = snapshot::find_all(top.inner(&folder), &prefix).await?;
            if let Some(before) = kept.get(&name).cloned() {
                all.push(Known {
                    folder,
                    before,
                    kept,
                });
            }
        }
        Ok(all)
    }
}

/// What differs from these states.
pub(super) async fn differences(
    top: Repository<'_>,
    goals: &[(&Known, &Snapshot)],
) -> Result<Files, GitError> {
    let inside = goals.iter().map(|(known, _)| known.folder.clone());
    let inside: Vec<PathBuf> = inside
        .filter(|folder| top.inner(folder).is_there())
        .collect();
    let mut left = Files::default();
    for (known, goal) in goals {
        let repository = top.inner(&known.folder);
        if !repository.is_there() {
            left.push_unread(repository.name());
            continue;
        }
        let index = OwnIndex::within(&top.git.scratch);
        let beside = match look_at(repository, &index, goal).await {
            Ok(beside) => beside,
            Err(error) if repository.name().as_os_str().is_empty() => return Err(error),
            Err(_) => {
                left.push_unread(repository.name());
                continue;
            }
        };
        let mut files = diff::files(repository, &goal.commit, &index, &inside).await?;
        for path in beside.large_since(&goal.beside) {
            files.push_unread(&repository.name().join(path));
        }
        left.add(files);
        for name in &goal.beside.unkept {
            left.push_unread(name);
        }
    }
    Ok(left)
}
