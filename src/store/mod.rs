//! The only module with SQL: one SQLite file, one writer thread. Each file here is one table, or a question that spans
//! several.
//!
//! # Durability
//! WAL with `synchronous=FULL`: when [`Store::transaction`] has returned, the change survives a crash of
//! the process and of the machine.
//!
//! # Throughput
//! Changes that wait at the same time share one commit. Each has its own savepoint, so a failed one undoes no other.
//!
//! # Compatibility
//! The schema's version is `user_version`; [`migrations`] is append-only. A file of a newer telecoder is
//! refused.

pub mod alive;
pub mod answered;
pub mod attachments;
pub mod backup;
pub mod calls;
pub mod chats;
pub mod checkup;
pub mod closed;
pub mod counts;
pub mod edits;
pub mod gatherings;
pub mod holds;
pub mod invites;
pub mod jobs;
pub mod late;
pub mod live;
pub mod logins;
pub mod measured;
pub mod menus;
pub mod migrated;
pub mod migrations;
pub mod offset;
pub mod outbox;
pub mod page;
pub mod page_keys;
pub mod parked;
pub mod pauses;
pub mod people;
pub mod processes;
pub mod prompts;
pub mod questions;
pub mod records;
pub mod repositories;
pub mod routines;
pub mod runs;
pub mod sending;
pub mod sessions;
pub mod settings;
pub mod steering;
pub mod topics;
pub mod traces;
pub mod updates;
pub mod verifications;
pub mod waiting;
mod writer;

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{Connection, OpenFlags};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::oneshot;

use checkup::Schema;
pub use writer::panic_text;
use writer::{Job, Trouble, in_savepoint, work};

use crate::metrics::Metrics;

/// How long to wait for a locked database.
const BUSY: Duration = Duration::from_secs(10);

/// A handle to the writer thread; cheap to clone. The thread ends when the last handle is dropped.
#[derive(Clone)]
pub struct Store {
    jobs: mpsc::Sender<Job>,
    metrics: Metrics,
    /// The writer thread says whether the last change could be kept.
    takes_changes: Arc<AtomicBool>,
}

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the database said: {0}")]
    Database(#[from] rusqlite::Error),
    /// The change's transaction could not be committed; none of it was kept.
    #[error("the database could not keep a change: {0}")]
    NotCommitted(String),
    #[error("a change to the database was given up: {0}")]
    Panicked(String),
    #[error("the database is closed")]
    Closed,
}

impl StoreError {
    /// Its name in the metrics.
    fn name(&self) -> &'static str {
        match self {
            StoreError::Database(_) => "database",
            StoreError::NotCommitted(_) => "not_committed",
            StoreError::Panicked(_) => "panicked",
            StoreError::Closed => "closed",
        }
    }

    /// Whether the same change can succeed later: the disk was full, the file locked or out of reach.
    pub fn is_passing(&self) -> bool {
        match self {
            StoreError::NotCommitted(_) | StoreError::Closed => true,
            StoreError::Database(error) => passes(error),
            StoreError::Panicked(_) => false,
        }
    }
}

impl OpenError {
    /// Whether opening may succeed later.
    pub fn is_passing(&self) -> bool {
        match self {
            OpenError::Open(error) => passes(error),
            OpenError::Migrate(rusqlite_migration::Error::RusqliteError { err, .. }) => passes(err),
            OpenError::Migrate(_) | OpenError::Older | OpenError::Newer | OpenError::Thread(_) => {
                false
            }
        }
    }
}

/// The disk is full or unreachable, or the file is locked.
fn passes(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{
        CannotOpen, DatabaseBusy, DatabaseLocked, DiskFull, ReadOnly, SystemIoFailure,
    };
    matches!(
        error.sqlite_error_code(),
        Some(CannotOpen | DatabaseBusy | DatabaseLocked | DiskFull | ReadOnly | SystemIoFailure)
    )
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the database cannot be opened: {0}")]
    Open(#[from] rusqlite::Error),
    #[error("the database cannot be brought up to date: {0}")]
    Migrate(#[from] rusqlite_migration::Error),
    #[error(
        "it is of an older telecoder; this one brings it up to date when the bot is started with it"
    )]
    Older,
    #[error("it is of a newer telecoder than this one. Install the newer telecoder again")]
    Newer,
    #[error("no thread for the database: {0}")]
    Thread(#[from] std::io::Error),
}

impl Store {
    /// Opens the file, brings its schema up to date and starts the writer thread.
    pub fn open(path: &Path) -> Result<Store, OpenError> {
        let mut connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        prepare(&connection)?;
        if checkup::schema(&connection)? == Schema::Newer {
            return Err(OpenError::Newer);
        }
        migrations::apply(&mut connection)?;
        let (jobs, waiting) = mpsc::channel();
        let takes_changes = Arc::new(AtomicBool::new(true));
        let trouble = Trouble::told_to(Arc::clone(&takes_changes));
        thread::Builder::new()
            .name("store".into())
            .spawn(move || work(connection, &waiting, trouble))?;
        Ok(Store {
            jobs,
            metrics: Metrics::new(),
            takes_changes,
        })
    }

    /// Counts the store's transactions in `metrics`.
    pub fn counted_by(self, metrics: Metrics) -> Store {
        Store { metrics, ..self }
    }

    /// Whether the last change could be kept: the disk has room, and nobody has the file locked.
    pub fn takes_changes(&self) -> bool {
        self.takes_changes.load(Relaxed)
    }

    /// Runs `change` in a transaction and returns when it is durable.
    ///
    /// An error or a panic in `change` undoes that change and no other.
    pub async fn transaction<T, F>(&self, change: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let begun = Instant::now();
        let outcome = self.transaction_uncounted(change).await;
        let failure = outcome.as_ref().err().map(StoreError::name);
        self.metrics.transaction(begun.elapsed(), failure);
        outcome
    }

    async fn transaction_uncounted<T, F>(&self, change: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |db| {
            let outcome = match db {
                Ok(db) => in_savepoint(db, change),
                Err(reason) => Err(StoreError::NotCommitted(reason.to_string())),
            };
            Box::new(move |commit_error| {
                let _ = answer.send(match commit_error {
                    None => outcome,
                    Some(error) => Err(StoreError::NotCommitted(error.to_string())),
                });
            })
        });
        self.jobs.send(job).map_err(|_| StoreError::Closed)?;
        answered.await.map_err(|_| StoreError::Closed)?
    }
}

/// Runs `change` within a transaction. An error or a panic in it undoes it, and nothing else of the transaction.
pub fn attempt<T>(
    db: &Connection,
    change: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> Result<T, StoreError> {
    in_savepoint(db, change)
}

/// Opens the database while a bot may be using it, for reading and for short changes.
///
/// Errors: the file is missing, or of another version of telecoder; nothing is migrated here.
pub fn open_beside(path: &Path) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    prepare(&connection)?;
    match checkup::schema(&connection)? {
        Schema::Same => Ok(connection),
        Schema::Older => Err(OpenError::Older),
        Schema::Newer => Err(OpenError::Newer),
    }
}

/// The settings of every connection that writes.
fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // Deleted content is overwritten: prompts, answers, and the code of a login.
    connection.pragma_update(None, "secure_delete", "ON")?;
    connection.pragma_update(None, "foreign_keys", "ON")
}

/// Counts unfinished updates, runs, jobs and messages while a bot may be running.
pub fn left_to_do(path: &Path) -> rusqlite::Result<u64> {
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    // One snapshot: a thing that ends may begin another.
    open_count(&*db.unchecked_transaction()?)
}

/// Whether claude waits for a person's answer; may be called while a bot is running.
pub fn is_asking(path: &Path) -> rusqlite::Result<bool> {
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    db.prepare("SELECT 1 FROM questions WHERE state = 'open'")?
        .exists([])
}

fn open_count(db: &Connection) -> rusqlite::Result<u64> {
    Ok(updates::open_count(db)?
        + runs::open_count(db)?
        + jobs::open_count(db)?
        + outbox::open_count(db)?)
}

/// The current time, in Unix milliseconds.
pub fn now() -> i64 {
    Timestamp::now().as_millisecond()
}

/// A value as stored in a column.
fn to_json(value: &impl Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(value)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

fn from_json<T: DeserializeOwned>(column: usize, json: &str) -> rusqlite::Result<T> {
    serde_json::from_str(json).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error.into())
    })
}
