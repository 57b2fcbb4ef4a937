//! The way in: an allowed update takes effect, once.
//!
//! Each update is one short transaction that marks it done and writes what follows from it: a run, a reply, a wish to
//! stop. Nothing here waits for Telegram, git or claude, nor longer than a moment for a disk (`disk`); workers are woken
//! after the commit.

mod admission;
mod button;
mod checks;
mod choices;
mod command;
mod compose;
mod disk;
mod edit;
mod files;
mod follow;
mod gather;
mod handle;
mod hold;
mod job;
mod late;
mod login;
mod logs;
mod new;
pub mod page;
mod people;
mod prompt;
mod question;
mod queue;
mod raw;
mod removal;
mod request;
mod resume;
pub mod routine;
mod settings;
pub mod shell;
mod status;
mod stop;
mod stranger;
mod switch;
mod without_files;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fail::fail_point;
use rusqlite::Connection;
use tokio::sync::{Notify, RwLock};
use tracing::info;

pub use admission::may_anybody_write;
pub use late::ask_about_late;
pub use people::WrongCodes;
pub use removal::settle_rights;

use crate::chat::choices::Defaults;
use crate::chat::topics as topics_words;
use crate::config::PageAddress;
use crate::domain::access::{Access, Member};
use crate::domain::check::Commands;
use crate::domain::id::{ChatId, ChatThread, UpdateSeq, UserId};
use crate::domain::live::PromptState;
use crate::domain::outgoing::Outgoing;
use crate::domain::update::{Incoming, Message};
use crate::health::Health;
use crate::login::Login;
use crate::metrics::Metrics;
use crate::session::registry::Registry;
use crate::store::{
    Store, StoreError, closed, gatherings, migrated, outbox, parked, topics, updates,
};
use crate::telegram::api::ServerClock;
use crate::telegram::outbox::Outbox;
use command::Asked;
use follow::Follow;
use request::Request;

/// A question about late prompts waits this long, so that one is asked instead of many.
const GATHERING_TIME: Duration = Duration::from_secs(1);

pub struct Inbox {
    pub store: Store,
    pub outbox: Outbox,
    pub registry: Registry,
    pub login: Login,
    pub access: Access,
    pub health: Health,
    pub metrics: Metrics,
    /// Telegram's clock: a prompt's age does not depend on this machine's.
    pub clock: ServerClock,
    /// A prompt older than this waits for a person; `None`: no prompt does.
    pub stale_after: Option<Duration>,
    /// The data folder.
    pub data: PathBuf,
    /// `workspaces/` in the data folder.
    pub workspaces: PathBuf,
    /// Folders that local repositories must be below; if empty, anywhere.
    pub repo_roots: Vec<PathBuf>,
    /// The default checks of sessions.
    pub checks: Commands,
    /// Whether `.telecoder.toml` in a repository counts.
    pub repo_checks: bool,
    /// `runs/` in the data folder.
    pub runs: PathBuf,
    pub max_runs: u64,
    /// The name of the time zone of routines that name none.
    pub zone: String,
    /// Where people find the page; nowhere while it is not served.
    pub page: PageAddress,
    /// What claude is started with if a chat has chosen nothing.
    pub defaults: Defaults,
    /// Strangers that the log has named.
    pub named: Mutex<BTreeSet<(UserId, ChatId)>>,
    /// The newest call of which the log says that it waits.
    pub call_waits: AtomicI64,
    /// Wrong codes that strangers have sent.
    pub wrong_codes: Mutex<WrongCodes>,
    /// Locked for writing while a group gets another id: both ids bring messages meanwhile, and a message's chat must
    /// not change before its effect.
    pub moving: RwLock<()>,
    /// Somebody's command menu may be another one now.
    pub menus_changed: Arc<Notify>,
}

impl Inbox {
    /// The update as Telegram sent it; `None` after its effect.
    async fn raw(&self, seq: UpdateSeq) -> Result<Option<String>, StoreError> {
        let stored = self
            .store
            .transaction(move |db| updates::stored(db, seq))
            .await?;
        Ok(stored.map(|stored| stored.raw))
    }

    /// Gives the update its effect. Repeating it is harmless.
    ///
    /// `bot` is the bot's username.
    async fn accept(
        &self,
        seq: UpdateSeq,
        incoming: Incoming,
        bot: &str,
    ) -> Result<(), StoreError> {
        match incoming {
            Incoming::Migrated { old, new } => self.migrated(seq, old, new).await,
            Incoming::Membership { chat, is_present } => {
                self.membership(seq, chat, is_present).await
            }
            Incoming::Message(ref message) => match self.sender(seq, &incoming).await? {
                Some(member) => {
                    let _stays = self.moving.read().await;
                    let moved_to = self.moved_to(message.at.chat).await?;
                    self.message(seq, member, message.clone(), moved_to, bot)
                        .await
                }
                None => Ok(()),
            },
            Incoming::Edited(ref message) => match self.sender(seq, &incoming).await? {
                Some(_) => self.edited(seq, message.clone(), bot).await,
                None => Ok(()),
            },
            Incoming::Button(ref button) => match self.sender(seq, &incoming).await? {
                Some(member) => self.button(seq, member, button.clone()).await,
                None => Ok(()),
            },
            Incoming::Other(_) => self.done(seq).await,
        }
    }

    /// Who sent this; `None` if they are nobody's or a stranger's words, with which everything is done by then.
    async fn sender(
        &self,
        seq: UpdateSeq,
        incoming: &Incoming,
    ) -> Result<Option<Member>, StoreError> {
        let Some((user, chat)) = incoming.origin() else {
            self.name_anonymous(incoming);
            self.done(seq).await?;
            return Ok(None);
        };
        let member = self.admit(user, chat).await?;
        if member.is_none() {
            self.stranger(seq, incoming, user, chat).await?;
        }
        Ok(member)
    }

    async fn admit(&self, user: UserId, chat: ChatId) -> Result<Option<Member>, StoreError> {
        let access = self.access.clone();
        self.store
            .transaction(move |db| admission::admit(db, &access, user, chat))
            .await
    }

    /// The new id of a group that has become another one; else `None`.
    async fn moved_to(&self, chat: ChatId) -> Result<Option<ChatId>, StoreError> {
        if !chat.is_group() {
            return Ok(None);
        }
        self.store
            .transaction(move |db| migrated::moved_to(db, chat))
            .await
    }

    async fn message(
        &self,
        seq: UpdateSeq,
        member: Member,
        message: Message,
        moved_to: Option<ChatId>,
        bot: &str,
    ) -> Result<(), StoreError> {
        if self.take_login_code(seq, member, &message).await? {
            return Ok(());
        }
        let at = ChatThread {
            chat: moved_to.unwrap_or(message.at.chat),
            ..message.at
        };
        self.tell_of_topics(at).await?;
        let request = match request::read(&message, bot) {
            request @ (Request::Prompt(_) | Request::Aside(_)) => request,
            _ if self.goes_on(at, member.user(), &message, bot).await? => {
                Request::Prompt(message.text.text.clone())
            }
            request => request,
        };
        let is_addressed = !matches!(request, Request::Aside(_));
        match request {
            Request::Nothing => self.done(seq).await,
            Request::Reply(reply) => self.reply(seq, at, reply).await,
            Request::Prompt(text) if self.is_an_answer(at.chat, &message).await? => {
                self.answer(seq, member, at, message, text).await
            }
            Request::Prompt(words) | Request::Aside(words) => {
                let asked = prompt::Asked {
                    // In the new group no message has that id.
                    number: Some(message.id).filter(|_| moved_to.is_none()),
                    message,
                    words,
                    user: member.user(),
                    is_addressed,
                    seq,
                };
                self.prompt(at, asked).await
            }
            Request::Command { command, told } => {
                let user = member.user();
                let close = move |db: &Connection| gatherings::close(db, at, user);
                if self.store.transaction(close).await? {
                    self.registry.wake(at);
                }
                let asked = Asked {
                    command,
                    told,
                    message: message.id,
                    member,
                    name: message.sender_name.clone(),
                    sent: message,
                };
                self.command(seq, at, asked, bot).await
            }
        }
    }

    /// Whether a text that would be a command is the rest of one that Telegram has cut.
    async fn goes_on(
        &self,
        at: ChatThread,
        user: UserId,
        message: &Message,
        bot: &str,
    ) -> Result<bool, StoreError> {
        if !request::is_own_text(message) {
            return Ok(false);
        }
        let is_bare = request::is_bare_command(message, bot);
        let message = message.clone();
        self.store
            .transaction(move |db| gather::goes_on_with(db, at, user, &message, is_bare))
            .await
    }

    /// Once in a private chat with topics, which its person may have switched on without knowing.
    async fn tell_of_topics(&self, at: ChatThread) -> Result<(), StoreError> {
        if at.chat.is_group() || at.thread.is_none() {
            return Ok(());
        }
        let tell = move |db: &Connection| {
            if !topics::is_to_be_told(db, at.chat)? {
                return Ok(false);
            }
            outbox::insert(db, at, &topics_words::each_is_a_conversation())?;
            Ok(true)
        };
        if self.store.transaction(tell).await? {
            self.outbox.deliver(at.chat);
        }
        Ok(())
    }

    fn is_old(&self, sent_at: i64) -> bool {
        let age = u64::try_from(self.clock.now().saturating_sub(sent_at)).unwrap_or(0);
        self.stale_after
            .is_some_and(|limit| Duration::from_millis(age) > limit)
    }

    /// A group has another id: all that belongs to it moves along, and its people may still write.
    async fn migrated(&self, seq: UpdateSeq, old: ChatId, new: ChatId) -> Result<(), StoreError> {
        let _moves = self.moving.write().await;
        let known = self.access.knows(old)
            || self
                .store
                .transaction(move |db| migrated::moved_from(db, old))
                .await?
                .is_some_and(|before| self.access.knows(before));
        if !known {
            return self.done(seq).await;
        }
        info!(
            chat.id = old.0,
            new.id = new.0,
            "a group has become a supergroup; put the new id on TELECODER_TG_ALLOWED_CHATS when it suits you"
        );
        let at = ChatThread {
            chat: new,
            thread: None,
        };
        self.effect(seq, at, move |db| {
            migrated::move_chat(db, old, new)?;
            Ok(Follow::wake(at))
        })
        .await
    }

    /// If the bot is back in a chat, kept messages are sent; if it has left, the next due one finds out.
    async fn membership(
        &self,
        seq: UpdateSeq,
        chat: ChatId,
        is_present: bool,
    ) -> Result<(), StoreError> {
        let kept = self
            .store
            .transaction(move |db| {
                if !updates::mark_done(db, seq)? || !is_present {
                    return Ok(0);
                }
                parked::reach_again(db, chat)
            })
            .await?;
        // Anybody may add the bot anywhere; there is work only if messages were kept.
        if kept > 0 {
            self.outbox.deliver(chat);
        }
        Ok(())
    }

    async fn reply(
        &self,
        seq: UpdateSeq,
        at: ChatThread,
        reply: Outgoing,
    ) -> Result<(), StoreError> {
        self.effect(seq, at, move |db| {
            outbox::insert(db, at, &reply)?;
            Ok(Follow::default())
        })
        .await
    }

    /// The update's effect and its end, in one transaction.
    async fn effect<F>(&self, seq: UpdateSeq, at: ChatThread, effect: F) -> Result<(), StoreError>
    where
        F: FnOnce(&Connection) -> rusqlite::Result<Follow> + Send + 'static,
    {
        fail_point!("inbox-before", |_| std::process::abort());
        let follow = self
            .store
            .transaction(move |db| {
                if !updates::mark_done(db, seq)? {
                    return Ok(Follow::default());
                }
                // The right to write may have ended since the message was admitted.
                if closed::is_closed(db, at.chat)? {
                    return Ok(Follow::default());
                }
                // A chat that writes can be reached.
                parked::reach_again(db, at.chat)?;
                effect(db)
            })
            .await?;
        fail_point!("inbox-done", |_| std::process::abort());
        self.follow(at, follow);
        Ok(())
    }

    fn follow(&self, at: ChatThread, follow: Follow) {
        self.metrics.prompts_accepted(follow.accepted);
        if let Some(message) = follow.taken {
            self.outbox.react(at.chat, message, PromptState::Taken);
        }
        if follow.delay_sending {
            let outbox = self.outbox.clone();
            tokio::spawn(async move {
                tokio::time::sleep(GATHERING_TIME).await;
                outbox.deliver(at.chat);
            });
        } else {
            self.outbox.deliver(at.chat);
        }
        // The stop comes first: prompts queued with it are not for the stopped run.
        for at in follow.stop {
            self.registry.stop(at);
        }
        for at in follow.wake {
            if !follow.delay_sending {
                self.outbox.typing(at);
            }
            self.registry.wake(at);
        }
        for at in follow.tell_workers {
            self.registry.wake(at);
        }
        if let Some(at) = follow.wake_beside {
            self.registry.wake_beside(at);
        }
        if follow.log_in {
            self.login.begin();
        }
        if follow.menus_changed {
            self.menus_changed.notify_one();
        }
    }

    async fn done(&self, seq: UpdateSeq) -> Result<(), StoreError> {
        self.store
            .transaction(move |db| updates::mark_done(db, seq))
            .await?;
        Ok(())
    }
}
