//! Claims on work: at most one worker does a piece at a time.
//!
//! A group whose id changes has two workers for a while: the follower of its run, and the one that the new chat woke.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Claims on runs, or on sessions, by their ids.
#[derive(Debug)]
pub struct Claims<K> {
    taken: Mutex<BTreeSet<K>>,
    released: Notify,
}

/// Kept while the work is done; released when dropped.
#[derive(Debug)]
pub struct Claim<'a, K: Ord> {
    claims: &'a Claims<K>,
    id: K,
}

impl<K> Default for Claims<K> {
    fn default() -> Claims<K> {
        Claims {
            taken: Mutex::default(),
            released: Notify::new(),
        }
    }
}

impl<K: Ord + Clone> Claims<K> {
    /// Waits while another has the claim.
    pub async fn take(&self, id: K) -> Claim<'_, K> {
        loop {
            // Registered before the look, so that a release in between is not missed.
            let released = self.released.notified();
            if self.lock().insert(id.clone()) {
                return Claim { claims: self, id };
            }
            released.await;
        }
    }
}

impl<K> Claims<K> {
    fn lock(&self) -> MutexGuard<'_, BTreeSet<K>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Ord> Drop for Claim<'_, K> {
    fn drop(&mut self) {
        self.claims.lock().remove(&self.id);
        self.claims.released.notify_waiters();
    }
}
