//! Feeds the stored updates to teloxide's dispatcher, in the order in which they arrived.
//!
//! An update leaves the store only after its effect; one whose handler failed comes again.

use std::collections::{BTreeSet, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, BoxStream};
use teloxide::stop::{StopToken, mk_stop_token};
use teloxide::types::Update;
use teloxide::update_listeners::{AsUpdateStream, UpdateListener};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, warn};

use super::repair;
use crate::domain::id::UpdateSeq;
use crate::store::{Store, updates};

const BATCH: u32 = 100;
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// The dispatcher's source.
pub struct StoredUpdates {
    store: Store,
    /// Wakes when something was stored.
    arrived: Arc<Notify>,
    /// Updates to bring again because their handler failed.
    again: mpsc::UnboundedReceiver<UpdateSeq>,
    quit: CancellationToken,
    stop: StopToken,
    /// The last update that was taken from the store.
    last: UpdateSeq,
    waiting: VecDeque<updates::Stored>,
    /// Failed updates still to be read from the store again.
    to_come: VecDeque<UpdateSeq>,
    /// Kinds of updates that could not be read.
    passed_over: BTreeSet<String>,
}

impl StoredUpdates {
    pub fn new(
        store: Store,
        arrived: Arc<Notify>,
        again: mpsc::UnboundedReceiver<UpdateSeq>,
        quit: CancellationToken,
    ) -> StoredUpdates {
        let (stop, _) = mk_stop_token();
        StoredUpdates {
            store,
            arrived,
            again,
            quit,
            stop,
            last: UpdateSeq(0),
            waiting: VecDeque::new(),
            to_come: VecDeque::new(),
            passed_over: BTreeSet::new(),
        }
    }

    /// The next update that can be read; `None` when the bot stops.
    async fn next(&mut self) -> Option<Update> {
        loop {
            if self.quit.is_cancelled() {
                return None;
            }
            while let Some(stored) = self.waiting.pop_front() {
                match repair::parse(stored.seq, &stored.raw) {
                    Some(update) => return Some(update),
                    None => self.pass_over(&stored).await,
                }
            }
            if let Err(error) = self.look().await {
                debug!(%error, "stored updates cannot be read; trying again");
                tokio::time::sleep(STORE_PAUSE).await;
            }
        }
    }

    /// Waits for stored updates and takes them from the store.
    async fn look(&mut self) -> Result<(), crate::store::StoreError> {
        while let Some(seq) = self.to_come.front().copied() {
            let stored = self
                .store
                .transaction(move |db| updates::stored(db, seq))
                .await?;
            self.to_come.pop_front();
            self.waiting.extend(stored);
        }
        if !self.waiting.is_empty() {
            return Ok(());
        }
        let last = self.last;
        let found = self
            .store
            .transaction(move |db| updates::stored_after(db, last, BATCH))
            .await?;
        if let Some(newest) = found.last() {
            self.last = newest.seq;
            self.waiting.extend(found);
            return Ok(());
        }
        tokio::select! {
            () = self.arrived.notified() => {}
            () = self.quit.cancelled() => {}
            Some(seq) = self.again.recv() => self.to_come.push_back(seq),
        }
        Ok(())
    }

    /// Marks an unreadable update as done, and logs each kind once.
    async fn pass_over(&mut self, stored: &updates::Stored) {
        let kind = kind_of(&stored.raw);
        if self.passed_over.insert(kind.clone()) {
            warn!(
                kind,
                "updates of this kind are not known to this version and have no effect"
            );
        }
        let seq = stored.seq;
        if let Err(error) = self
            .store
            .transaction(move |db| updates::mark_done(db, seq))
            .await
        {
            error!(%error, "an update cannot be marked as done");
        }
    }
}

/// The name of an update's field other than its id.
fn kind_of(raw: &str) -> String {
    serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(raw)
        .ok()
        .and_then(|update| {
            update
                .into_iter()
                .map(|(name, _)| name)
                .find(|name| name != "update_id")
        })
        .unwrap_or_else(|| "none".to_owned())
}

impl<'a> AsUpdateStream<'a> for StoredUpdates {
    type StreamErr = Infallible;
    type Stream = BoxStream<'a, Result<Update, Infallible>>;

    fn as_stream(&'a mut self) -> Self::Stream {
        Box::pin(stream::unfold(self, |this| async move {
            let update = this.next().await?;
            Some((Ok(update), this))
        }))
    }
}

impl UpdateListener for StoredUpdates {
    type Err = Infallible;

    fn stop_token(&mut self) -> StopToken {
        self.stop.clone()
    }
}
