//! The way in: an update that is allowed becomes its effect, once.
//!
//! Each update is one short transaction that marks it done and writes what follows from it: a run, a reply,
//! a wish to stop. Nothing here waits for Telegram, git or claude; who must act on a row is woken afterwards.

mod logs;
mod new;
mod prompt;
mod status;
mod stop;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use rusqlite::Connection;
use tracing::{error, info};

use crate::chat::{Outgoing, text};
use crate::command::{self, Command, Input};
use crate::id::{ChatId, ChatThread, UpdateSeq, UserId};
use crate::session::registry::Registry;
use crate::store::{Store, StoreError, outbox, updates};
use crate::telegram::access::{Access, Member};
use crate::telegram::outbox::Outbox;
use crate::update::{Button, Content, Incoming, Message};

pub struct Inbox {
    pub store: Store,
    pub outbox: Outbox,
    pub registry: Registry,
    pub access: Access,
    /// `workspaces/` in the data folder.
    pub workspaces: PathBuf,
    /// `runs/` in the data folder.
    pub runs: PathBuf,
    pub max_runs: u64,
    /// Strangers that the log has named.
    pub named: Mutex<BTreeSet<(UserId, ChatId)>>,
}

/// Whom an effect concerns.
#[derive(Clone, Copy, Debug, Default)]
struct Follow {
    /// Something waits for this chat's worker.
    wake: Option<ChatThread>,
    /// This chat's worker shall look whether its work was stopped.
    stop: Option<ChatThread>,
}

/// What a message asks for.
enum Request {
    Nothing,
    Reply(Outgoing),
    Prompt(String),
    Command(Command),
}

impl Inbox {
    /// Gives the update its effect. Harmless when it has had it already.
    ///
    /// `bot` is the bot's username.
    pub async fn accept(
        &self,
        seq: UpdateSeq,
        incoming: Incoming,
        bot: &str,
    ) -> Result<(), StoreError> {
        let member = incoming.origin().and_then(|(user, chat)| {
            let member = self.access.admit(user, chat);
            if member.is_none() {
                self.name_stranger(user, chat);
            }
            member
        });
        let Some(member) = member else {
            return self.done(seq).await;
        };
        match incoming {
            Incoming::Message(message) => self.message(seq, member, message, bot).await,
            Incoming::Button(button) => self.button(seq, &button).await,
            Incoming::Other(_) => self.done(seq).await,
        }
    }

    /// Counts a failure to handle an update; the third sets it aside. Returns whether to try it again.
    pub async fn failed(&self, seq: UpdateSeq, incoming: &Incoming, failure: &str) -> bool {
        let told = incoming
            .origin()
            .filter(|(user, chat)| self.access.admit(*user, *chat).is_some())
            .and(match incoming {
                Incoming::Message(message) => Some(message.at),
                Incoming::Button(button) => Some(button.at),
                Incoming::Other(_) => None,
            });
        let failure = failure.to_owned();
        let set_aside = self
            .store
            .transaction(move |db| {
                let set_aside = updates::mark_failed(db, seq, &failure)?;
                if let (true, Some(at)) = (set_aside, told) {
                    outbox::insert(db, at, &text::set_aside())?;
                }
                Ok(set_aside)
            })
            .await;
        match set_aside {
            Ok(false) => true,
            Ok(true) => {
                error!(
                    update.seq = seq.0,
                    "an update was set aside after three failures"
                );
                if let Some(at) = told {
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

    async fn message(
        &self,
        seq: UpdateSeq,
        member: Member,
        message: Message,
        bot: &str,
    ) -> Result<(), StoreError> {
        let request = request(&message, bot);
        let at = message.at;
        match request {
            Request::Nothing => self.done(seq).await,
            Request::Reply(reply) => {
                self.effect(seq, at, move |db| {
                    outbox::insert(db, at, &reply)?;
                    Ok(Follow::default())
                })
                .await
            }
            Request::Prompt(prompt) => {
                let workspaces = self.workspaces.clone();
                let (id, user) = (message.id, member.user());
                self.effect(seq, at, move |db| {
                    prompt::queue(db, at, &workspaces, prompt, id, user)
                })
                .await
            }
            Request::Command(command) => self.command(seq, at, command).await,
        }
    }

    async fn command(
        &self,
        seq: UpdateSeq,
        at: ChatThread,
        command: Command,
    ) -> Result<(), StoreError> {
        match command {
            Command::Start | Command::Help => self.reply(seq, at, text::help()).await,
            Command::New(wanted) => {
                let wanted = match new::resolve(wanted).await {
                    Ok(wanted) => wanted,
                    Err(reply) => return self.reply(seq, at, reply).await,
                };
                let workspaces = self.workspaces.clone();
                self.effect(seq, at, move |db| new::session(db, at, &workspaces, wanted))
                    .await
            }
            Command::Status => {
                let max_runs = self.max_runs;
                self.effect(seq, at, move |db| {
                    outbox::insert(db, at, &status::look(db, at, max_runs)?)?;
                    Ok(Follow::default())
                })
                .await
            }
            Command::Logs(lines) => {
                let reply = logs::read(&self.store, &self.runs, at, lines).await?;
                self.reply(seq, at, reply).await
            }
            Command::Stop => self.effect(seq, at, move |db| stop::request(db, at)).await,
        }
    }

    /// The only buttons so far are those that stop a run.
    async fn button(&self, seq: UpdateSeq, button: &Button) -> Result<(), StoreError> {
        let at = button.at;
        let run = stop::run_named(&button.data);
        let query = button.query.clone();
        let (answer, follow) = self
            .store
            .transaction(move |db| {
                if !updates::mark_done(db, seq)? {
                    return Ok(("", Follow::default()));
                }
                stop::pressed(db, at, run)
            })
            .await?;
        self.outbox.answer_button(&query, answer);
        self.follow(at, follow);
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
        let follow = self
            .store
            .transaction(move |db| {
                if !updates::mark_done(db, seq)? {
                    return Ok(Follow::default());
                }
                effect(db)
            })
            .await?;
        self.follow(at, follow);
        Ok(())
    }

    fn follow(&self, at: ChatThread, follow: Follow) {
        self.outbox.deliver(at.chat);
        if let Some(at) = follow.wake {
            self.outbox.typing(at);
            self.registry.wake(at);
        }
        if let Some(at) = follow.stop {
            self.registry.stop(at);
        }
    }

    async fn done(&self, seq: UpdateSeq) -> Result<(), StoreError> {
        self.store
            .transaction(move |db| updates::mark_done(db, seq))
            .await?;
        Ok(())
    }

    /// Once each, so that the log says how to let somebody in and a stranger cannot fill it.
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
                "ignored a message in a group: the group's id must be on TELECODER_TG_ALLOWED_CHATS and the \
                 sender's on TELECODER_TG_ALLOWED_USERS"
            );
        } else {
            info!(
                user.id = user.0,
                "ignored a message: to let this person in, add the id to TELECODER_TG_ALLOWED_USERS"
            );
        }
    }
}

fn request(message: &Message, bot: &str) -> Request {
    let text = match &message.content {
        Content::Text(text) => text,
        Content::Attachment(kind) if !message.at.chat.is_group() || message.replies_to_bot => {
            let reply = text::attachment_not_passed_on(kind).replying_to(Some(message.id));
            return Request::Reply(reply);
        }
        Content::Attachment(_) | Content::Service(_) => return Request::Nothing,
    };
    let in_group = message.at.chat.is_group();
    let words = if in_group {
        text.without_address()
    } else {
        &text.text
    };
    let addressed = !in_group
        || message.replies_to_bot
        || !text.mentions.is_empty()
        || command::looks_like_one(words);
    if !addressed {
        return Request::Nothing;
    }
    if words.trim().is_empty() {
        return Request::Command(Command::Help);
    }
    match command::read(words, bot) {
        Input::Command(command) => Request::Command(command),
        Input::Prompt(prompt) => Request::Prompt(prompt),
        Input::Misused(verb) => Request::Reply(text::misused(verb)),
        Input::ForAnotherBot if in_group => Request::Nothing,
        // Nobody else is there to be meant.
        Input::ForAnotherBot => Request::Prompt(words.to_owned()),
    }
}
