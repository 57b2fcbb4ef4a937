//! Looks at a disk for a reply. A disk that does not answer holds up neither the chat nor the others.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

/// How long a look may take.
const LIMIT: Duration = Duration::from_secs(5);
/// The most paths at which looks hang at the same time; each has a thread.
const HANGING_MOST: usize = 64;

/// The paths at which a look has taken too long and has not come back.
static HANGING: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// The disk did not answer in time; an earlier look at the same path may still wait for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoAnswer;

/// Looks at a path on a thread of its own, which goes on waiting after the limit. `path` is what hangs if it does.
pub(super) async fn look<T: Send + 'static>(
    path: &Path,
    look: impl FnOnce() -> T + Send + 'static,
) -> Result<T, NoAnswer> {
    {
        let hanging = hanging();
        if hanging.contains(path) || hanging.len() >= HANGING_MOST {
            return Err(NoAnswer);
        }
    }
    let (answer, mut answered) = oneshot::channel();
    let at = path.to_owned();
    tokio::task::spawn_blocking(move || {
        let found = look();
        let mut hanging = hanging();
        if answer.send(found).is_err() {
            hanging.remove(&at);
        }
    });
    if let Ok(found) = tokio::time::timeout(LIMIT, &mut answered).await {
        return found.map_err(|_| NoAnswer);
    }
    let mut hanging = hanging();
    // It may have come back just now.
    if let Ok(found) = answered.try_recv() {
        return Ok(found);
    }
    hanging.insert(path.to_owned());
    Err(NoAnswer)
}

fn hanging() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    // Nothing in here panics while it holds the lock.
    HANGING.lock().unwrap_or_else(PoisonError::into_inner)
}
