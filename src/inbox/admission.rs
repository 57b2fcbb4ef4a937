//! Who may use the bot: the settings, the invitations and the groups that have moved, put together.

use rusqlite::Connection;

use crate::domain::access::{Access, Member};
use crate::domain::id::{ChatId, UserId};
use crate::store::{migrated, people};

/// Admits members; in a supergroup also those of the group before.
pub(super) fn admit(
    db: &Connection,
    access: &Access,
    user: UserId,
    chat: ChatId,
) -> rusqlite::Result<Option<Member>> {
    let is_invited = people::has(db, user)?;
    if let Some(member) = access.admit(user, chat, is_invited) {
        return Ok(Some(member));
    }
    let before = migrated::moved_from(db, chat)?;
    Ok(before.and_then(|before| access.admit(user, before, is_invited)))
}

/// Whether anybody may write in a chat.
pub fn may_anybody_write(db: &Connection, access: &Access, chat: ChatId) -> rusqlite::Result<bool> {
    if !chat.is_group() {
        let Some(user) = u64::try_from(chat.0).ok().map(UserId) else {
            return Ok(false);
        };
        return Ok(admit(db, access, user, chat)?.is_some());
    }
    let before = migrated::moved_from(db, chat)?;
    let is_known = access.knows(chat) || before.is_some_and(|before| access.knows(before));
    Ok(is_known && !access.is_empty())
}
