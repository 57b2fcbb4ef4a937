//! An update whose handling failed: tried again, and after the third time put aside, kept and reported.

use tracing::error;

use super::Inbox;
use crate::chat::delivery;
use crate::domain::id::{ChatThread, UpdateSeq};
use crate::domain::update::Incoming;
use crate::store::{StoreError, outbox, updates};

impl Inbox {
    /// Counts a failure to handle an update; the third sets it aside and tells its sender and the owner.
    /// Returns whether to try it again. (A failure that passes, as of a full disk, does not come here.)
    pub async fn failed(&self, seq: UpdateSeq, incoming: &Incoming, failure: &str) -> bool {
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

    /// Nobody who may not use the bot gets a word.
    async fn sender_to_tell(&self, incoming: &Incoming) -> Option<ChatThread> {
        let (user, chat) = incoming.origin()?;
        let member: Result<_, StoreError> = self.admit(user, chat).await;
        member.ok().flatten().and(incoming.place())
    }
}
