//! Somebody who may not use the bot gets no reply and no effect, unless they send a valid code.

use std::sync::{MutexGuard, PoisonError};
use std::time::Instant;

use tracing::info;

use super::Inbox;
use super::people::{self, WrongCodes};
use crate::domain::id::{ChatId, InviteCode, UpdateSeq, UserId};
use crate::domain::update::{Incoming, Message};
use crate::store::{StoreError, updates};

/// So many strangers are named in the log.
const NAMED_AT_MOST: usize = 1_000;
/// Stands for whoever writes as the group; Telegram gives no person this id.
const NOBODY: UserId = UserId(0);

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

    /// Logs once for each group that somebody writes there as the group itself: who that is, nobody can know.
    pub(super) fn name_anonymous(&self, incoming: &Incoming) {
        let Incoming::Message(Message { at, writes_as, .. }) = incoming else {
            return;
        };
        if *writes_as != Some(at.chat) {
            return;
        }
        let mut named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        if named.len() < NAMED_AT_MOST && named.insert((NOBODY, at.chat)) {
            info!(
                chat.id = at.chat.0,
                "ignored a message of an admin who writes as the group, so that nobody can know who it is: to be \
                 heard, they switch off \"Remain anonymous\" in their rights as an admin"
            );
        }
    }

    /// Logs each stranger once: that says how to let them in, and cannot fill the log.
    fn name_stranger(&self, user: UserId, chat: ChatId) {
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
