//! Somebody who may not use the bot gets no reply and no effect, unless they send a valid code.

use std::sync::{MutexGuard, PoisonError};
use std::time::Instant;

use tracing::info;

use super::Inbox;
use super::people::{self, WrongCodes};
use crate::domain::id::{ChatId, InviteCode, UpdateSeq, UserId};
use crate::domain::update::{Incoming, Message};
use crate::store::{StoreError, updates};

impl Inbox {
    pub(super) async fn stranger(
        &self,
        seq: UpdateSeq,
        incoming: &Incoming,
        user: UserId,
        chat: ChatId,
    ) -> Result<(), StoreError> {
        if let Some((message, user, code)) = people::code_of(incoming)
            && self.let_in(seq, message, user, code).await?
        {
            return Ok(());
        }
        self.metrics.stranger_ignored();
        self.name_stranger(user, chat);
        self.done(seq).await
    }

    /// A stranger has sent a code: a valid one lets them in. Returns whether it did.
    async fn let_in(
        &self,
        seq: UpdateSeq,
        message: &Message,
        user: UserId,
        code: InviteCode,
    ) -> Result<bool, StoreError> {
        let at = message.at;
        if !self.wrong_codes().may_try(user, Instant::now()) {
            return Ok(false);
        }
        let (name, owner) = (message.sender_name.clone(), self.access.owner());
        let is_in =
            self.store
                .transaction(move |db| {
                    Ok(updates::mark_done(db, seq)?
                        && people::join(db, owner, at, user, &name, &code)?)
                })
                .await?;
        if !is_in {
            self.wrong_codes().was_wrong(user, Instant::now());
            return Ok(false);
        }
        info!(
            user.id = user.0,
            "somebody was let in by a link of the owner's"
        );
        self.menus_changed.notify_one();
        for at in owner.into_iter().chain([at]) {
            self.outbox.deliver(at.chat);
        }
        Ok(true)
    }

    fn wrong_codes(&self) -> MutexGuard<'_, WrongCodes> {
        self.wrong_codes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Logs each stranger once: that says how to let them in, and cannot fill the log.
    fn name_stranger(&self, user: UserId, chat: ChatId) {
        const NAMED_AT_MOST: usize = 1_000;
        let mut named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        if named.len() >= NAMED_AT_MOST || !named.insert((user, chat)) {
            return;
        }
        if chat.is_group() {
            info!(
                user.id = user.0,
                chat.id = chat.0,
                "ignored a message in a group: the group's id has to be on TELECODER_TG_ALLOWED_CHATS, and its \
                 sender let in by the owner with /invite"
            );
        } else {
            info!(
                user.id = user.0,
                "ignored a message of somebody who may not use the bot. The owner lets people in with /invite in \
                 the chat; if there is no owner yet, `telecoder init` makes one"
            );
        }
    }
}
