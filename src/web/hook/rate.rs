//! How often a routine may be called by those who know its secret.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::domain::id::RoutineId;

/// So many calls in so long.
const CALLS_MOST: u32 = 60;
const WITHIN: Duration = Duration::from_secs(60);

/// The calls of the last minute.
#[derive(Default)]
pub struct Rates(Mutex<BTreeMap<RoutineId, (u32, Instant)>>);

impl Rates {
    /// Counts a call; whether it may be taken.
    pub(super) fn may_call(&self, routine: &RoutineId) -> bool {
        let now = Instant::now();
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        calls.retain(|_, (_, since)| now.duration_since(*since) < WITHIN);
        let (count, _) = calls.entry(routine.clone()).or_insert((0, now));
        *count = count.saturating_add(1);
        *count <= CALLS_MOST
    }
}
