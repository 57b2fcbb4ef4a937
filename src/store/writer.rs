//! The writer thread: changes that wait at the same time share one commit, each in its own savepoint.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc;

use rusqlite::{Connection, TransactionBehavior};
use tracing::{error, info};

use super::StoreError;

/// The most waiting changes that share one commit.
const BATCH: usize = 64;

/// Makes its change if a transaction could begin, and returns the reply to call once the commit has succeeded or
/// failed.
pub(super) type Job = Box<dyn FnOnce(Result<&Connection, &rusqlite::Error>) -> Reply + Send>;
pub(super) type Reply = Box<dyn FnOnce(Option<&rusqlite::Error>) + Send>;

pub(super) fn work(
    mut connection: Connection,
    waiting: &mpsc::Receiver<Job>,
    mut trouble: Trouble,
) {
    while let Ok(first) = waiting.recv() {
        let begun = connection.transaction_with_behavior(TransactionBehavior::Immediate);
        let transaction = match begun {
            Ok(transaction) => transaction,
            Err(reason) => {
                trouble.met(&reason);
                // The next changes would wait as long and fail the same way.
                for job in std::iter::once(first).chain(waiting.try_iter()) {
                    job(Err(&reason))(None);
                }
                continue;
            }
        };
        let changes_before = transaction.total_changes();
        let mut replies = vec![first(Ok(&transaction))];
        // A full disk can end the transaction inside a change; later changes would run outside it.
        while !transaction.is_autocommit()
            && replies.len() < BATCH
            && let Ok(job) = waiting.try_recv()
        {
            replies.push(job(Ok(&transaction)));
        }
        let has_written = transaction.total_changes() != changes_before;
        let committed = if transaction.is_autocommit() {
            Err(rusqlite::Error::SqliteFailure(
                rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_FULL),
                Some("the transaction was undone, perhaps because the disk is full".into()),
            ))
        } else {
            transaction.commit()
        };
        match &committed {
            // Reads succeed on a full disk too.
            Ok(()) if has_written => trouble.over(),
            Ok(()) => {}
            Err(reason) => trouble.met(reason),
        }
        let failed = committed.err();
        for reply in replies {
            reply(failed.as_ref());
        }
    }
}

/// Logs once that the database takes no change, and once that it does again.
pub(super) struct Trouble {
    refused: usize,
    takes_changes: Arc<AtomicBool>,
}

impl Trouble {
    /// Says in `takes_changes` whether the last change could be kept.
    pub(super) fn told_to(takes_changes: Arc<AtomicBool>) -> Trouble {
        Trouble {
            refused: 0,
            takes_changes,
        }
    }

    fn met(&mut self, reason: &rusqlite::Error) {
        if self.refused == 0 {
            error!(
                %reason,
                "the database takes no change; whoever wanted one tries again until it does"
            );
        }
        self.refused += 1;
        self.takes_changes.store(false, Relaxed);
    }

    fn over(&mut self) {
        if self.refused > 0 {
            info!(refused = self.refused, "the database takes changes again");
            self.refused = 0;
            self.takes_changes.store(true, Relaxed);
        }
    }
}

pub(super) fn in_savepoint<T>(
    db: &Connection,
    change: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> Result<T, StoreError> {
    db.prepare_cached("SAVEPOINT change")?.execute([])?;
    let outcome = match catch_unwind(AssertUnwindSafe(|| change(db))) {
        Ok(outcome) => outcome.map_err(StoreError::from),
        Err(panic) => Err(StoreError::Panicked(panic_text(panic.as_ref()))),
    };
    if db.is_autocommit() {
        // SQLite has undone the whole transaction, this change with it.
        return outcome.and(Err(StoreError::NotCommitted(
            "the transaction was undone".into(),
        )));
    }
    if outcome.is_err() {
        db.prepare_cached("ROLLBACK TO change")?.execute([])?;
    }
    db.prepare_cached("RELEASE change")?.execute([])?;
    outcome
}

/// A panic's message without quoted text: the standard library quotes a string that is cut in the wrong place.
pub fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a text");
    let end = text.find(" of `").unwrap_or(text.len());
    text[..end].to_owned()
}
