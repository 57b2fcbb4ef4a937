//! Opens the database and reads what was left; waits while the disk is full or another program has it locked.

use std::path::Path;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use super::ServeError;
use crate::store::{Store, StoreError};

/// Between two tries.
const PAUSE: Duration = Duration::from_secs(2);

/// The opened database; `None` if the bot is told to stop first. Returns only lasting errors.
pub(super) async fn store(
    file: &Path,
    quit: &CancellationToken,
) -> Result<Option<Store>, ServeError> {
    let mut told = false;
    loop {
        let path = file.to_owned();
        // It may wait for somebody's lock.
        let opening = tokio::task::spawn_blocking(move || Store::open(&path));
        let opened = tokio::select! {
            opened = opening => opened,
            () = quit.cancelled() => return Ok(None),
        };
        match opened {
            Ok(Ok(store)) => {
                if told {
                    info!("the database can be used again");
                }
                return Ok(Some(store));
            }
            Ok(Err(reason)) if reason.is_passing() => {
                if !told {
                    error!(
                        file = %file.display(),
                        %reason,
                        "the database cannot be used at the moment; trying until it can. Is the disk full, or \
                         has somebody locked it?"
                    );
                }
                told = true;
            }
            Ok(Err(reason)) => {
                return Err(ServeError::Store {
                    file: file.to_owned(),
                    reason,
                });
            }
            Err(panic) => return Err(ServeError::Recover(StoreError::Panicked(panic.to_string()))),
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            () = quit.cancelled() => return Ok(None),
        }
    }
}

/// The result of a query, tried until the store answers; `None` if the bot is told to stop first.
pub(super) async fn taken<T, F>(
    quit: &CancellationToken,
    look: impl Fn() -> F,
) -> Result<Option<T>, ServeError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    loop {
        let found = tokio::select! {
            found = look() => found,
            () = quit.cancelled() => return Ok(None),
        };
        match found {
            Ok(found) => return Ok(Some(found)),
            // The store itself logs this, once.
            Err(error) if error.is_passing() => {}
            Err(error) => return Err(ServeError::Recover(error)),
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            () = quit.cancelled() => return Ok(None),
        }
    }
}
