//! Who follows which run: at most one worker at a time.
//!
//! A group that becomes another one has two workers for a while, the one that follows its run and the one that
//! the new chat woke.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::id::RunId;

#[derive(Debug, Default)]
pub struct Claims {
    taken: Mutex<BTreeSet<RunId>>,
    released: Notify,
}

/// Held while a run is followed; released when dropped.
#[derive(Debug)]
pub struct Claim<'a> {
    claims: &'a Claims,
    run: RunId,
}

impl Claims {
    /// Waits until nobody follows the run.
    pub async fn take(&self, run: RunId) -> Claim<'_> {
        loop {
            // Registered before the look, so that a release in between is not missed.
            let released = self.released.notified();
            if self.lock().insert(run) {
                return Claim { claims: self, run };
            }
            released.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<RunId>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.claims.lock().remove(&self.run);
        self.claims.released.notify_waiters();
    }
}
