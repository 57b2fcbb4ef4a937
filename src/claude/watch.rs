//! Wakes a task when something in its folder changes: a run's, or the bell's.
//!
//! One watcher (inotify on Linux) for all runs. Nothing depends on it: each task also looks by itself now and
//! then, so that a missed wake-up, or a system without free watches, costs only time.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use notify::event::{AccessKind, AccessMode};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;
use tracing::warn;

type Sleepers = Arc<Mutex<HashMap<PathBuf, Arc<Notify>>>>;

/// Cheap to clone.
#[derive(Clone)]
pub struct Watch {
    watcher: Arc<Mutex<Option<RecommendedWatcher>>>,
    sleepers: Sleepers,
}

/// Watches one folder until it is dropped.
pub struct Watched {
    watch: Watch,
    folder: PathBuf,
    changed: Arc<Notify>,
}

impl Watch {
    pub fn start() -> Watch {
        let sleepers = Sleepers::default();
        let to_wake = Arc::clone(&sleepers);
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            if let Ok(event) = event {
                wake(&to_wake, &event);
            }
        });
        let watcher = watcher
            .inspect_err(
                |error| warn!(%error, "files cannot be watched; looking once a second instead"),
            )
            .ok();
        Watch {
            watcher: Arc::new(Mutex::new(watcher)),
            sleepers,
        }
    }

    /// Watches the files in a folder.
    pub fn folder(&self, folder: &Path) -> Watched {
        let changed = Arc::new(Notify::new());
        lock(&self.sleepers).insert(folder.to_owned(), Arc::clone(&changed));
        if let Some(watcher) = &mut *lock(&self.watcher)
            && let Err(error) = watcher.watch(folder, RecursiveMode::NonRecursive)
        {
            warn!(%error, "a run's folder cannot be watched; looking once a second instead");
        }
        Watched {
            watch: self.clone(),
            folder: folder.to_owned(),
            changed,
        }
    }
}

impl Watched {
    /// Returns when something has changed since the last call.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        lock(&self.watch.sleepers).remove(&self.folder);
        if let Some(watcher) = &mut *lock(&self.watch.watcher) {
            let _ = watcher.unwatch(&self.folder);
        }
    }
}

fn wake(sleepers: &Sleepers, event: &notify::Event) {
    // Not on opening and reading: the task that follows a run does both.
    let changes = matches!(
        event.kind,
        EventKind::Create(_)
            | EventKind::Modify(_)
            | EventKind::Access(AccessKind::Close(AccessMode::Write))
    );
    if !changes {
        return;
    }
    let sleepers = lock(sleepers);
    for folder in event.paths.iter().filter_map(|path| path.parent()) {
        if let Some(changed) = sleepers.get(folder) {
            changed.notify_one();
        }
    }
}

/// Nothing in here panics while it holds a lock, and the maps are whole at every step.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
