//! Upkeep: what was done long ago is forgotten, so that years of use do not fill the disk.
//!
//! Never a workspace, never a run that goes on, and never the newest run of a chat.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

use crate::id::RunId;
use crate::store::{Store, StoreError, outbox, runs, updates};

const EVERY: Duration = Duration::from_secs(60 * 60);

pub(super) struct Upkeep {
    pub store: Store,
    /// `runs/` in the data folder.
    pub runs: PathBuf,
    /// How many runs' folders are kept; `None`: all.
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
        let forgotten = self
            .store
            .transaction(|db| {
                updates::forget_old(db)?;
                outbox::forget_old(db)
            })
            .await;
        if let Err(error) = forgotten {
            warn!(%error, "old updates and messages could not be forgotten");
        }
        match self.prune_runs().await {
            Ok(0) => {}
            Ok(removed) => info!(removed, "the records of old runs were removed"),
            Err(error) => warn!(%error, "the records of old runs could not be looked through"),
        }
    }

    /// Removes the folders of the oldest runs beyond the number that is kept; returns how many.
    async fn prune_runs(&self) -> Result<usize, StoreError> {
        let Some(keep) = self.keep_runs else {
            return Ok(0);
        };
        let folder = self.runs.clone();
        let listed = tokio::task::spawn_blocking(move || run_folders(&folder)).await;
        let mut folders = listed.unwrap_or_default();
        // Run ids begin with the time.
        folders.sort_unstable();
        let surplus = folders.len().saturating_sub(keep);
        let mut removed = 0;
        for run in folders.into_iter().take(surplus) {
            let may_go = self
                .store
                .transaction(move |db| runs::record_may_go(db, run))
                .await?;
            if !may_go {
                continue;
            }
            match tokio::fs::remove_dir_all(self.runs.join(run.to_string())).await {
                Ok(()) => removed += 1,
                Err(error) => {
                    warn!(run.id = %run, %error, "an old run's record could not be removed")
                }
            }
        }
        Ok(removed)
    }
}

fn run_folders(folder: &Path) -> Vec<RunId> {
    std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Uuid::parse_str(entry.file_name().to_str()?).ok())
        .map(RunId)
        .collect()
}
