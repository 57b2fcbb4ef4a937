//! Who may talk to the bot. Nobody else gets a word or has any effect.

use std::collections::BTreeSet;

use crate::domain::id::{ChatId, ChatThread, UserId};

/// The allowlist: `TELECODER_TG_ALLOWED_USERS` and `TELECODER_TG_ALLOWED_CHATS`.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// Who is told of what concerns the bot as a whole: the first on the list.
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

    /// A private chat needs its user on the list, or invited; a group needs itself on the list, and the sender as
    /// in a private chat. Where the settings name nobody, nobody may, whoever was invited before.
    pub fn admit(&self, user: UserId, chat: ChatId, is_invited: bool) -> Option<Member> {
        let person = self.lists(user) || (is_invited && !self.is_empty());
        let allowed = person && (!chat.is_group() || self.chats.contains(&chat));
        allowed.then_some(Member { user })
    }

    /// Whether the settings name this person.
    pub fn lists(&self, user: UserId) -> bool {
        self.users.contains(&user)
    }

    /// Whom the settings name.
    pub fn users(&self) -> impl Iterator<Item = UserId> + '_ {
        self.users.iter().copied()
    }

    /// Whether this is the first person on the list: the one who invites others.
    pub fn is_owner(&self, user: UserId) -> bool {
        self.owner == Some(user)
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

    /// Nobody at all may.
    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }
}

impl Member {
    pub fn user(self) -> UserId {
        self.user
    }
}
