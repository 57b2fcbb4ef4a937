//! The places for runs and checks, `TELECODER_MAX_RUNS` of them: who has one, and whose turn it is.
//!
//! Memory only. After a restart, each run that still goes on has its place again before anybody else is woken.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use uuid::Uuid;

use crate::domain::id::ChatThread;

/// How long somebody waits for a place before the chat is told.
pub const WAITS_SILENTLY: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub struct Places {
    most: usize,
    state: Mutex<State>,
    /// Somebody may come next.
    moved: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// The run or job that has a place, and its chat.
    taken: BTreeMap<Uuid, ChatThread>,
    /// Those who wait, the next one first.
    queue: Vec<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    id: Uuid,
    precedence: Precedence,
}

/// Where somebody stands in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Precedence {
    /// Work that was begun: somebody has answered a question of it.
    Begun,
    New,
}

/// A place, or a turn in the queue, that is given back when this is dropped.
#[derive(Debug)]
pub struct Place<'a> {
    places: &'a Places,
    id: Uuid,
}

impl Places {
    pub fn new(most: usize) -> Places {
        Places {
            most,
            state: Mutex::default(),
            moved: Notify::new(),
        }
    }

    /// Waits for a place. Whoever has one gets no second.
    pub async fn take(&self, id: Uuid, at: ChatThread) -> Place<'_> {
        let place = Place { places: self, id };
        loop {
            // Registered before the look, so that a place given back in between is not missed.
            let moved = self.moved.notified();
            if self.try_take(id, at, Precedence::New) {
                return place;
            }
            moved.await;
        }
    }

    /// Takes a place if one is free and nobody comes first; else it stands in the queue from now on.
    pub fn try_take(&self, id: Uuid, at: ChatThread, precedence: Precedence) -> bool {
        let mut state = self.lock();
        if state.taken.contains_key(&id) {
            return true;
        }
        if state.queue.iter().all(|waiting| waiting.id != id) {
            let behind = |waiting: &Waiting| waiting.precedence <= precedence;
            let place = state.queue.partition_point(behind);
            state.queue.insert(place, Waiting { id, precedence });
        }
        let is_next = state.queue.first().is_some_and(|next| next.id == id);
        if !is_next || state.taken.len() >= self.most {
            return false;
        }
        state.queue.remove(0);
        state.taken.insert(id, at);
        drop(state);
        self.moved.notify_waiters();
        true
    }

    /// Notes that work which goes on in any case has a place, whether one is free or not.
    pub fn keep(&self, id: Uuid, at: ChatThread) {
        let mut state = self.lock();
        state.queue.retain(|waiting| waiting.id != id);
        state.taken.insert(id, at);
    }

    /// Gives a place back, or a turn in the queue.
    pub fn give_back(&self, id: Uuid) {
        let mut state = self.lock();
        let before = (state.taken.len(), state.queue.len());
        state.taken.remove(&id);
        state.queue.retain(|waiting| waiting.id != id);
        let moves = before != (state.taken.len(), state.queue.len());
        drop(state);
        if moves {
            self.moved.notify_waiters();
        }
    }

    /// The chats that have the places.
    pub fn taken_by(&self) -> Vec<ChatThread> {
        self.lock().taken.values().copied().collect()
    }

    /// Returns when places were taken or given back.
    pub async fn moved(&self) {
        self.moved.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place<'_> {
    /// It lasts until [`Places::give_back`].
    pub fn stays(self) {
        std::mem::forget(self);
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.places.give_back(self.id);
    }
}
