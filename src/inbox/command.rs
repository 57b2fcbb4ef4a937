//! Dispatches each command to its handler.

use rusqlite::Connection;

use super::choices::Chooser;
use super::page;
use super::{
    Follow, Inbox, checks, choices, files, job, logs, new, people, prompt, queue, raw, routine,
    settings, status, stop, switch,
};
use crate::chat::people as people_words;
use crate::chat::text;
use crate::command::Command;
use crate::domain::access::Member;
use crate::domain::id::{ChatThread, MessageId, UpdateSeq};
use crate::domain::outgoing::Outgoing;
use crate::domain::update::Message;
use crate::store::{StoreError, outbox};

/// A command, its sender and its message.
pub(super) struct Asked {
    pub command: Command,
    /// Said beside what the command says.
    pub told: Option<Outgoing>,
    pub message: MessageId,
    pub member: Member,
    /// What the sender is called.
    pub name: String,
    /// The message as it came.
    pub sent: Message,
}

impl Inbox {
    pub(super) async fn command(
        &self,
        seq: UpdateSeq,
        at: ChatThread,
        asked: Asked,
        bot: &str,
    ) -> Result<(), StoreError> {
        let Asked {
            command,
            told,
            message,
            member,
            name,
            sent,
        } = asked;
        match command {
            Command::Start | Command::Help => {
                self.effect_and(told, seq, at, move |db| {
                    outbox::insert(db, at, &text::help())?;
                    Ok(Follow {
                        // Before its first message a chat is not known to Telegram.
                        menus_changed: true,
                        ..Follow::default()
                    })
                })
                .await
            }
            Command::New(wanted) => {
                let resolved = new::resolve(&self.store, at, &self.repo_roots, wanted).await?;
                let wanted = match resolved {
                    Ok(wanted) => wanted,
                    Err(reply) => return self.reply(seq, at, reply).await,
                };
                // The look may have taken seconds.
                if self.admit(member.user(), at.chat).await?.is_none() {
                    return self.done(seq).await;
                }
                let workspaces = self.workspaces.clone();
                self.effect(seq, at, move |db| new::session(db, at, &workspaces, wanted))
                    .await
            }
            Command::Status => {
                let bot = status::Bot {
                    max_runs: self.max_runs,
                    other_poller_for: self.health.other_poller_since().map(|at| at.elapsed()),
                    webhook: self.health.webhook(),
                    is_owner_here: self
                        .access
                        .owner()
                        .is_some_and(|owner| owner.chat == at.chat),
                };
                self.effect_and(told, seq, at, move |db| {
                    outbox::insert(db, at, &status::look(db, at, &bot)?)?;
                    Ok(Follow::default())
                })
                .await
            }
            Command::Logs(lines) => {
                let reply = logs::read(&self.store, &self.runs, at, lines).await?;
                self.reply(seq, at, reply).await
            }
            Command::Raw => {
                let reply = raw::read(&self.store, &self.runs, at).await?;
                self.effect_and(told, seq, at, move |db| {
                    outbox::insert(db, at, &reply.replying_to(Some(message)))?;
                    Ok(Follow::default())
                })
                .await
            }
            Command::Get(path) => {
                self.effect(seq, at, move |db| files::get(db, at, path, message))
                    .await
            }
            Command::Do(wanted) => {
                self.effect_and(told, seq, at, move |db| {
                    job::request(db, at, wanted, message)
                })
                .await
            }
            Command::Checks(change) => {
                let for_all = checks::ForAll {
                    defaults: self.checks.clone(),
                    trusts_repository: self.repo_checks,
                };
                let found = checks::look(&self.store, at).await?;
                self.effect(seq, at, move |db| {
                    checks::change(db, at, &for_all, change, &found)
                })
                .await
            }
            Command::Queue(queues) => {
                self.effect(seq, at, move |db| queue::request(db, at, queues))
                    .await
            }
            Command::Autofix(wanted) => {
                self.effect(seq, at, move |db| checks::autofix(db, at, wanted))
                    .await
            }
            Command::Change(setting) => {
                self.effect(seq, at, move |db| settings::change(db, at, setting))
                    .await
            }
            Command::Choose(choose) => {
                let (access, defaults) = (self.access.clone(), self.defaults.clone());
                self.effect(seq, at, move |db| {
                    let by = Chooser {
                        member,
                        access: &access,
                        defaults: &defaults,
                    };
                    choices::change(db, at, choose, by)
                })
                .await
            }
            Command::Stop => {
                self.effect_and(told, seq, at, move |db| stop::request(db, at))
                    .await
            }
            Command::Sessions => {
                let is_owner = self.access.is_owner_alone(member, at.chat);
                self.effect_and(told, seq, at, move |db| switch::list(db, at, is_owner))
                    .await
            }
            Command::Resume(session) => {
                let is_owner = self.access.is_owner_alone(member, at.chat);
                self.effect(seq, at, move |db| switch::named(db, at, session, is_owner))
                    .await
            }
            Command::Routine(form, text) => {
                let asked = prompt::Asked::of_command(seq, sent, member.user());
                self.offer_routine(at, routine::Offer { form, text, asked })
                    .await
            }
            Command::Hook(text) => {
                let asked = prompt::Asked::of_command(seq, sent, member.user());
                self.offer_hook(at, asked, text).await
            }
            Command::Routines => {
                self.effect_and(told, seq, at, move |db| routine::list(db, at))
                    .await
            }
            Command::Web => {
                let way = page::Way {
                    address: self.page.clone(),
                    bot: bot.to_owned(),
                };
                self.effect(seq, at, move |db| {
                    page::open(db, at, member.user(), &name, &way)
                })
                .await
            }
            Command::WebOff => {
                self.effect(seq, at, move |db| page::close(db, at, member.user()))
                    .await
            }
            Command::Whoami => {
                let access = self.access.clone();
                self.effect_and(told, seq, at, move |db| {
                    people::whoami(db, at, member.user(), &name, &access)
                })
                .await
            }
            Command::Invite | Command::People(_)
                if !self.access.is_owner_alone(member, at.chat) =>
            {
                self.reply(seq, at, people_words::owner_only()).await
            }
            Command::Invite => {
                let bot = bot.to_owned();
                self.effect_and(told, seq, at, move |db| {
                    people::invite(db, at, member.user(), &bot)
                })
                .await
            }
            Command::People(page) => {
                let access = self.access.clone();
                self.effect(seq, at, move |db| people::list(db, at, &access, page))
                    .await
            }
        }
    }

    /// The command's effect, and what is said beside it.
    async fn effect_and<F>(
        &self,
        told: Option<Outgoing>,
        seq: UpdateSeq,
        at: ChatThread,
        effect: F,
    ) -> Result<(), StoreError>
    where
        F: FnOnce(&Connection) -> rusqlite::Result<Follow> + Send + 'static,
    {
        self.effect(seq, at, move |db| {
            let follow = effect(db)?;
            if let Some(told) = told {
                outbox::insert(db, at, &told)?;
            }
            Ok(follow)
        })
        .await
    }
}
