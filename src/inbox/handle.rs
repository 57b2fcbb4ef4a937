//! Handles an update from the dispatcher: it is tried again after a failure, and after the third one set aside, kept
//! and reported.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, warn};

use super::Inbox;
use crate::chat::delivery;
use crate::domain::id::{ChatThread, UpdateSeq};
use crate::domain::update::Incoming;
use crate::store::{StoreError, outbox, panic_text, updates};
use crate::telegram::dispatch::Arrived;

/// The pause before a failed update is retried.
const PAUSE: Duration = Duration::from_millis(500);

impl Inbox {
    /// Gives an update its effect, however long the store takes nothing: the chat's next update waits, which keeps
    /// their order. An update that failed is sent to `again`, which brings it once more.
    pub async fn handle(
        &self,
        arrived: &Arrived,
        again: &mpsc::UnboundedSender<UpdateSeq>,
        quit: &CancellationToken,
    ) {
        let seq = arrived.seq();
        let mut incoming = Incoming::Other("not read yet".into());
        let failure = loop {
            let accept = async {
                let Some(raw) = self.raw(seq).await? else {
                    return Ok(());
                };
                incoming = arrived.read(&raw);
                self.accept(seq, incoming.clone(), arrived.bot()).await
            };
            match AssertUnwindSafe(accept).catch_unwind().await {
                Ok(Ok(())) => return,
                // The store has logged it once.
                Ok(Err(error)) if error.is_passing() => {
                    debug!(update.seq = seq.0, %error, "an update waits for the store");
                }
                Ok(Err(error)) => break error.to_string(),
                Err(panic) => break panic_text(panic.as_ref()),
            }
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                // It is handled after the next start.
                () = quit.cancelled() => return,
            }
        };
        warn!(
            update.seq = seq.0,
            failure, "an update could not be handled"
        );
        if self.failed(seq, &incoming, &failure).await {
            let again = again.clone();
            tokio::spawn(async move {
                tokio::time::sleep(PAUSE).await;
                if again.send(seq).is_err() {
                    error!(
                        update.seq = seq.0,
                        "an update comes again only after a restart"
                    );
                }
            });
        }
    }

    /// Counts a failure to handle an update; the third sets it aside and tells its sender and the owner.
    /// Returns whether to try it again. (A failure that passes, as of a full disk, does not come here.)
    async fn failed(&self, seq: UpdateSeq, incoming: &Incoming, failure: &str) -> bool {
        let sender = self.sender_to_tell(incoming).await;
        let owner = self.access.owner().filter(|owner| Some(*owner) != sender);
        let words = failure.to_owned();
        let set_aside = self
            .store
            .transaction(move |db| {
                let set_aside = updates::mark_failed(db, seq, &words)?;
                if !set_aside {
                    return Ok(false);
                }
                if let Some(sender) = sender {
                    outbox::insert(db, sender, &delivery::set_aside())?;
                }
                if let Some(owner) = owner {
                    outbox::insert(db, owner, &delivery::set_aside_elsewhere())?;
                }
                Ok(true)
            })
            .await;
        match set_aside {
            Ok(false) => true,
            Ok(true) => {
                self.metrics.update_set_aside();
                error!(
                    update.seq = seq.0,
                    failure, "an update was set aside after three failures"
                );
                for at in sender.into_iter().chain(owner) {
                    self.outbox.deliver(at.chat);
                }
                false
            }
            Err(error) => {
                error!(%error, "a failure cannot be counted; the update is tried again");
                true
            }
        }
    }

    /// Only a member is told.
    async fn sender_to_tell(&self, incoming: &Incoming) -> Option<ChatThread> {
        let (user, chat) = incoming.origin()?;
        let member: Result<_, StoreError> = self.admit(user, chat).await;
        member.ok().flatten().and(incoming.place())
    }
}
