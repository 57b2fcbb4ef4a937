//! Who may talk to the bot. Everybody else is ignored.

use std::collections::BTreeSet;

use crate::domain::choices::PermissionMode;
use crate::domain::id::{ChatId, ChatThread, UserId};

/// The allowlist: `TELECODER_TG_ALLOWED_USERS` and `TELECODER_TG_ALLOWED_CHATS`.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// The first on the list; hears about the bot as a whole.
    owner: Option<UserId>,
    users: BTreeSet<UserId>,
    chats: BTreeSet<ChatId>,
}

/// Somebody who may talk to the bot in this chat. Only [`Access::admit`] makes one.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    user: UserId,
}

impl Access {
    pub fn new(
        users: impl IntoIterator<Item = UserId>,
        chats: impl IntoIterator<Item = ChatId>,
    ) -> Access {
        let mut users = users.into_iter().peekable();
        Access {
            owner: users.peek().copied(),
            users: users.collect(),
            chats: chats.into_iter().collect(),
        }
    }

    /// In a private chat the user must be on the list or invited; in a group, the group must be on the list too. If the
    /// settings name nobody, nobody is admitted, not even people invited before.
    pub fn admit(&self, user: UserId, chat: ChatId, is_invited: bool) -> Option<Member> {
        let person = self.lists(user) || (is_invited && !self.is_empty());
        let allowed = person && (!chat.is_group() || self.chats.contains(&chat));
        allowed.then_some(Member { user })
    }

    /// Whether the settings name this person.
    pub fn lists(&self, user: UserId) -> bool {
        self.users.contains(&user)
    }

    /// The listed people.
    pub fn users(&self) -> impl Iterator<Item = UserId> + '_ {
        self.users.iter().copied()
    }

    /// Whether this is the first person on the list: the one who invites others.
    pub fn is_owner(&self, user: UserId) -> bool {
        self.owner == Some(user)
    }

    /// Whether this is the owner, where nobody else reads along.
    pub fn is_owner_alone(&self, member: Member, chat: ChatId) -> bool {
        self.is_owner(member.user) && !chat.is_group()
    }

    /// Whether somebody may bring claude from one mode to another there. In a group the owner alone brings it to a mode
    /// that asks nobody; whatever asks more, and whatever changes nothing, is for everybody.
    pub fn may_choose(
        &self,
        member: Member,
        chat: ChatId,
        before: PermissionMode,
        after: PermissionMode,
    ) -> bool {
        let asks_less = after.asks_nobody() && after != before;
        !chat.is_group() || !asks_less || self.is_owner(member.user)
    }

    /// The private chat of the first person on the list.
    pub fn owner(&self) -> Option<ChatThread> {
        let owner = i64::try_from(self.owner?.0).ok()?;
        Some(ChatThread {
            chat: ChatId(owner),
            thread: None,
        })
    }

    /// Whether this group is on the list.
    pub fn knows(&self, chat: ChatId) -> bool {
        self.chats.contains(&chat)
    }

    /// Nobody is admitted.
    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }
}

impl Member {
    pub fn user(self) -> UserId {
        self.user
    }
}
