//! A run that somebody asks for, if they may see it, and where its record is.

use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::Web;
use super::reader::Reader;
use super::refusal::Refusal;
use crate::claude::folder::RunFolder;
use crate::domain::id::RunId;
use crate::domain::session::Session;
use crate::store::page::{self, RunLine};
use crate::store::records::{self, Record};
use crate::store::sessions;

/// How long the disk may take.
const DISK_LIMIT: Duration = Duration::from_secs(5);

/// How many read it at once: each has a thread, with memory that the process keeps. A read of a disk that hangs keeps its
/// place.
static PLACES_AT_DISK: Semaphore = Semaphore::const_new(8);

/// A run, and where its record is.
pub(super) struct Found {
    pub session: Session,
    pub line: RunLine,
    pub record: Record,
}

/// The run, if this person may see it.
pub(super) async fn get(web: &Web, reader: &Reader, run: RunId) -> Result<Found, Refusal> {
    let found = web
        .store
        .transaction(move |db| {
            let (Some(line), Some(session)) = (page::run(db, run)?, sessions::of_run(db, run)?)
            else {
                return Ok(None);
            };
            let record = records::of_run(db, run)?;
            Ok(Some(Found {
                session,
                line,
                record,
            }))
        })
        .await?
        .ok_or(Refusal::NotFound)?;
    match web.may_see(reader, found.session.at.chat).await? {
        true => Ok(found),
        false => Err(Refusal::NotFound),
    }
}

impl Web {
    pub(super) fn events_of(&self, record: &Record) -> PathBuf {
        RunFolder::new(self.runs.join(record.process.to_string())).events()
    }
}

/// Reads the disk beside everything else, and not longer than a moment.
pub(super) async fn on_disk<T: Send + 'static>(
    read: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Refusal> {
    let read = async {
        let place = PLACES_AT_DISK.acquire().await.ok()?;
        let read = tokio::task::spawn_blocking(move || {
            let read = read();
            drop(place);
            read
        });
        read.await.ok()
    };
    let read = tokio::time::timeout(DISK_LIMIT, read).await;
    read.ok().flatten().ok_or(Refusal::DiskIsSilent)
}
