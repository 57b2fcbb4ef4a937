//! Work that another telecoder process has written into the store: `telecoder session verify`.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::debug;

use crate::job::Lane;
use crate::session::registry::Registry;
use crate::store::{Store, jobs};

/// How long a person at a terminal may wait for it. One look costs a read of an index that is mostly empty.
const EVERY: Duration = Duration::from_secs(2);

/// Wakes the workers of such work until `quit`.
pub(super) async fn look_for_work(store: Store, registry: Registry, quit: CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = quit.cancelled() => return,
        }
        let due = store
            .transaction(|db| jobs::chats_not_begun(db, Lane::Workspace))
            .await;
        match due {
            Ok(chats) => chats.into_iter().for_each(|at| registry.wake(at)),
            Err(error) => debug!(%error, "nobody could look for work from beside"),
        }
    }
}
