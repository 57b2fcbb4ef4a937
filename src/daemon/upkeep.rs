//! Upkeep: removes old records, so that years of use do not fill the disk.
//!
//! Never removes a workspace, a run that is going on, or the newest run of a chat.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};
use uuid::Uuid;

use crate::claude::folder::{Kept, RunFolder};
use crate::domain::id::{JobId, RunId, SessionId};
use crate::files;
use crate::git::Git;
use crate::git::inner;
use crate::git::objects::taken_by;
use crate::git::repository::Repository;
use crate::metrics::Metrics;
use crate::store::{
    Store, StoreError, calls, gatherings, jobs, outbox, records, routines, sessions, updates,
};

const EVERY: Duration = Duration::from_secs(60 * 60);
/// How long what the snapshots take is added up.
const ADDING_UP: Duration = Duration::from_secs(60);
/// How long a record is kept that the database does not know: somebody may still put another database in place.
const UNKNOWN_KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// How long a file in the scratch folder is kept when nobody touches it.
const SCRATCH_KEPT: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) struct Upkeep {
    pub store: Store,
    /// `runs/` in the data folder.
    pub runs: PathBuf,
    /// `checks/` in the data folder.
    pub checks: PathBuf,
    /// The data folder.
    pub data: PathBuf,
    /// `scratch/` in the data folder.
    pub scratch: PathBuf,
    /// `workspaces/` in the data folder.
    pub workspaces: PathBuf,
    pub git: Git,
    pub metrics: Metrics,
    /// How many folders of runs, of checks and of sent files are kept; `None`: all.
    pub keep_runs: Option<usize>,
}

impl Upkeep {
    /// Once at the start, and then once an hour.
    pub async fn keep_up(self, quit: CancellationToken) {
        loop {
            self.forget().await;
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = quit.cancelled() => return,
            }
        }
    }

    async fn forget(&self) {
        let scratch = self.scratch.clone();
        let cleared = tokio::task::spawn_blocking(move || clear_scratch(&scratch)).await;
        if let Ok(Err(error)) = cleared {
            warn!(%error, "old scratch files could not be removed");
        }
        let forgotten = self
            .store
            .transaction(|db| {
                updates::forget_old(db)?;
                gatherings::forget_album_parts(db)?;
                routines::forget_old(db)?;
                calls::forget_old(db)?;
                outbox::forget_old(db)
            })
            .await;
        if let Err(error) = forgotten {
            warn!(%error, "old updates and messages could not be removed");
        }
        match self.prune_runs().await {
            Ok(0) => {}
            Ok(removed) => info!(removed, "the records of old runs were removed"),
            Err(error) => warn!(%error, "the records of old runs could not be checked"),
        }
        let snapshots = self.git.snapshots.clone();
        let deadline = Instant::now() + ADDING_UP;
        let adding_up = tokio::task::spawn_blocking(move || taken_by(&snapshots, deadline));
        if let Ok(Ok(bytes) | Err(bytes)) = adding_up.await {
            self.metrics.snapshots_take(bytes);
        }
        if let Err(error) = self.prune_checks().await {
            warn!(%error, "the output of old checks could not be removed");
        }
        if let Err(error) = self.prune_sent().await {
            warn!(%error, "files that were sent long ago could not be checked");
        }
    }

    /// Removes the output of the oldest checks beyond the number that is kept. Their results stay in the store.
    async fn prune_checks(&self) -> Result<(), StoreError> {
        let Some(keep) = self.keep_runs else {
            return Ok(());
        };
        let listed = listed(&self.checks).await;
        let (known, unknown) = self.known(listed, jobs::is_known).await?;
        let folder_of = |job: &Uuid| Some(self.checks.join(job.to_string()));
        let unknown = touched_long_ago(unknown, folder_of).await;
        for job in oldest_beyond(known, keep).into_iter().chain(unknown) {
            let id = JobId(job);
            let due = self
                .store
                .transaction(move |db| jobs::due_under(db, id))
                .await?;
            if due.is_none()
                && let Err(error) =
                    tokio::fs::remove_dir_all(self.checks.join(job.to_string())).await
            {
                warn!(job.id = %job, %error, "the output of old checks could not be removed");
            }
        }
        Ok(())
    }

    /// Parts ids that the database knows from others, which must not take their places.
    async fn known(
        &self,
        ids: Vec<Uuid>,
        is_known: fn(&Connection, Uuid) -> rusqlite::Result<bool>,
    ) -> Result<(Vec<Uuid>, Vec<Uuid>), StoreError> {
        self.store
            .transaction(move |db| {
                let (mut known, mut unknown) = (Vec::new(), Vec::new());
                for id in ids {
                    match is_known(db, id)? {
                        true => known.push(id),
                        false => unknown.push(id),
                    }
                }
                Ok((known, unknown))
            })
            .await
    }

    /// Removes the records of runs that the database does not know, after some days. Returns how many.
    async fn prune_unknown_runs(&self, unknown: Vec<Uuid>) -> usize {
        let mut removed = 0;
        let folder_of = |run: &Uuid| Some(self.runs.join(run.to_string()));
        for run in touched_long_ago(unknown, folder_of).await {
            let folder = self.runs.join(run.to_string());
            // A keeper may have outlived its database.
            if matches!(
                RunFolder::new(folder.clone()).kept(),
                Ok(Kept::Alive(_)) | Err(_)
            ) {
                continue;
            }
            match tokio::fs::remove_dir_all(&folder).await {
                Ok(()) => removed += 1,
                Err(error) => {
                    warn!(run.id = %run, %error, "the record of an unknown run could not be removed")
                }
            }
        }
        removed
    }

    /// Removes files sent long ago, undeliverable ones too; never what is still to be sent.
    async fn prune_sent(&self) -> Result<(), StoreError> {
        let Some(keep) = self.keep_runs else {
            return Ok(());
        };
        let data = self.data.clone();
        let listed = tokio::task::spawn_blocking(move || sent_by_jobs(&data)).await;
        let folders: BTreeMap<Uuid, PathBuf> = listed.unwrap_or_default().into_iter().collect();
        let ids = folders.keys().copied().collect();
        let (known, unknown) = self.known(ids, jobs::is_known).await?;
        let unknown = touched_long_ago(unknown, |job| folders.get(job).cloned()).await;
        for job in oldest_beyond(known, keep).into_iter().chain(unknown) {
            let Some(folder) = folders.get(&job) else {
                continue;
            };
            let is_wanted = self
                .store
                .transaction(move |db| {
                    let is_due = jobs::due_under(db, JobId(job))?.is_some();
                    Ok(is_due || outbox::is_wanted(db, &job.to_string())?)
                })
                .await?;
            if !is_wanted && let Err(error) = tokio::fs::remove_dir_all(folder).await {
                warn!(job.id = %job, %error, "files that were sent long ago could not be removed");
            }
        }
        Ok(())
    }

    /// Removes the snapshots of a run with its record.
    /// Returns the workspace that had them.
    async fn forget_snapshots(&self, run: RunId) -> Result<Option<PathBuf>, StoreError> {
        let workspace = self
            .store
            .transaction(move |db| sessions::workspace_of_run(db, run))
            .await?;
        let workspace = workspace.filter(|workspace| workspace.is_dir());
        if let Some(workspace) = &workspace
            && let Err(error) = inner::forget_run(Repository::new(&self.git, workspace), run).await
        {
            debug!(run.id = %run, %error, "the snapshot of an old run could not be removed");
        }
        Ok(workspace)
    }

    /// The workspaces whose snapshots would take less room in packs.
    fn with_many_loose_objects(&self) -> Vec<PathBuf> {
        let stores = std::fs::read_dir(&self.git.snapshots).into_iter().flatten();
        let workspaces = stores.flatten().filter_map(|store| {
            let name = PathBuf::from(store.file_name());
            Some(self.workspaces.join(name.file_stem()?))
        });
        let has_many = |workspace: &PathBuf| {
            let top = Repository::new(&self.git, workspace);
            let mut inside = top.inner_ones().into_iter();
            top.has_many_loose() || inside.any(|folder| top.inner(&folder).has_many_loose())
        };
        workspaces.filter(has_many).collect()
    }

    /// Removes the folders of the oldest runs beyond the number that is kept; returns how many.
    async fn prune_runs(&self) -> Result<usize, StoreError> {
        let mut removed = 0;
        let mut workspaces = BTreeSet::new();
        let mut old = Vec::new();
        if let Some(keep) = self.keep_runs {
            let listed = listed(&self.runs).await;
            let (known, unknown) = self.known(listed, records::is_known).await?;
            removed += self.prune_unknown_runs(unknown).await;
            old = oldest_beyond(known, keep);
        }
        for run in old {
            let run = RunId(run);
            let may_go = self
                .store
                .transaction(move |db| records::may_go(db, run))
                .await?;
            if !may_go {
                continue;
            }
            let in_process = self
                .store
                .transaction(move |db| records::in_process(db, run))
                .await?;
            for run in in_process {
                workspaces.extend(self.forget_snapshots(run).await?);
            }
            match tokio::fs::remove_dir_all(self.runs.join(run.to_string())).await {
                Ok(()) => removed += 1,
                Err(error) => {
                    warn!(run.id = %run, %error, "an old run's record could not be removed")
                }
            }
        }
        workspaces.extend(self.with_many_loose_objects());
        for workspace in workspaces {
            if let Err(error) = inner::clean_all(Repository::new(&self.git, &workspace)).await {
                debug!(workspace = %workspace.display(), %error, "old snapshots keep their room");
            }
        }
        Ok(removed)
    }
}

/// The folders named by ids.
async fn listed(folder: &Path) -> Vec<Uuid> {
    let folder = folder.to_owned();
    let listed = tokio::task::spawn_blocking(move || named_by_ids(&folder)).await;
    listed.unwrap_or_default()
}

/// Those that nobody has changed for [`UNKNOWN_KEPT`].
async fn touched_long_ago(
    ids: Vec<Uuid>,
    folder_of: impl Fn(&Uuid) -> Option<PathBuf>,
) -> Vec<Uuid> {
    let folders: Vec<(Uuid, PathBuf)> = ids
        .into_iter()
        .filter_map(|id| Some((id, folder_of(&id)?)))
        .collect();
    let is_old = |(_, folder): &(Uuid, PathBuf)| {
        let modified = folder.metadata().and_then(|metadata| metadata.modified());
        let age = modified.ok().and_then(|modified| modified.elapsed().ok());
        age.is_some_and(|age| age > UNKNOWN_KEPT)
    };
    let looking = tokio::task::spawn_blocking(move || {
        let old = folders.into_iter().filter(is_old);
        old.map(|(id, _)| id).collect()
    });
    looking.await.unwrap_or_default()
}

/// The oldest ids, beyond the number to keep.
fn oldest_beyond(mut folders: Vec<Uuid>, keep: usize) -> Vec<Uuid> {
    // The ids begin with the time.
    folders.sort_unstable();
    let surplus = folders.len().saturating_sub(keep);
    folders.truncate(surplus);
    folders
}

/// The folders of files that jobs sent, in all sessions.
fn sent_by_jobs(data: &Path) -> Vec<(Uuid, PathBuf)> {
    let sessions = std::fs::read_dir(files::all(data));
    sessions
        .into_iter()
        .flatten()
        .flatten()
        .map(|session| files::sent_of(data, &SessionId(session.file_name().display().to_string())))
        .flat_map(|sent| {
            let ids = named_by_ids(&sent);
            ids.into_iter()
                .map(move |id| (id, sent.join(id.to_string())))
        })
        .collect()
}

fn named_by_ids(folder: &Path) -> Vec<Uuid> {
    std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Uuid::parse_str(entry.file_name().to_str()?).ok())
        .collect()
}

/// Removes files that a killed bot left.
fn clear_scratch(folder: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)?.flatten() {
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        let age = modified.ok().and_then(|modified| modified.elapsed().ok());
        if age.is_some_and(|age| age > SCRATCH_KEPT) {
            // Somebody may have taken it away meanwhile.
            let _ = std::fs::remove_file(entry.path());
        }
    }
    Ok(())
}
