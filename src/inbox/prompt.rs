//! A message becomes a run of the chat's session, or part of a prompt still being gathered. The first one makes the
//! session.
//!
//! `gather` joins messages; `compose` makes a message's parts.

use std::path::Path;

use rusqlite::Connection;
use uuid::Uuid;

use super::compose::{self, Answered, Part};
use super::{Follow, Inbox, gather, hold, job, new};
use crate::chat::questions as question_words;
use crate::domain::id::{ChatThread, MessageId, PromptId, RunId, UpdateSeq, UserId};
use crate::domain::prompt::Piece;
use crate::domain::prompt::Whose;
use crate::domain::session::{Session, Source};
use crate::domain::update::Message;
use crate::inbox::late;
use crate::store::prompts::{self, Prompt};
use crate::store::questions::{self, State};
use crate::store::{StoreError, answered, attachments, chats, outbox, runs};

/// What a person sent.
pub(super) struct Asked {
    pub message: Message,
    /// Their words, without the mention that addresses the bot.
    pub words: String,
    /// The message's id, if it can still be found by it.
    pub number: Option<MessageId>,
    pub user: UserId,
    /// The bot is addressed. If not, the message may still be part of one that addresses it.
    pub is_addressed: bool,
    pub seq: UpdateSeq,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It was not for the bot.
    Aside,
    /// It is a prompt of its own, to which more may come.
    Began(RunId),
    /// It joined a waiting prompt.
    Joined(RunId),
}

impl Inbox {
    /// A message becomes a prompt, or a part of one.
    pub(super) async fn prompt(&self, at: ChatThread, asked: Asked) -> Result<(), StoreError> {
        let workspaces = self.workspaces.clone();
        let is_old = self.is_old(asked.sent_at());
        let now = self.clock.now();
        self.effect(asked.seq, at, move |db| {
            let (run, is_new) = match take(db, at, &workspaces, &asked)? {
                Taken::Aside => return Ok(Follow::default()),
                Taken::Joined(run) => (run, false),
                Taken::Began(run) => (run, true),
            };
            // Only words can be an answer.
            let replies_to = asked.message.answers().filter(|_| asked.is_addressed);
            if let Some(to) = replies_to
                && questions::of_message(db, at.chat, to)?
                    .is_some_and(|(about, _)| about.state == State::Open)
            {
                let told = question_words::still_waits().replying_to(asked.number);
                outbox::insert(db, at, &told)?;
            }
            let follow = match is_old {
                true => late::mark(db, at, run, now)?,
                false => Follow::wake(at),
            };
            let fetches = job::fetch(db, at, run, asked.number)?;
            hold::tell(db, at)?;
            Ok(Follow {
                accepted: u64::from(is_new),
                taken: asked.number.filter(|_| is_new),
                wake_beside: fetches.then_some(at),
                ..follow
            })
        })
        .await
    }
}

/// The message joins a prompt still being gathered, or begins one.
pub(super) fn take(
    db: &Connection,
    at: ChatThread,
    workspaces: &Path,
    asked: &Asked,
) -> rusqlite::Result<Taken> {
    let session = chats::current_session(db, at)?;
    let answered = answered_by(db, at, asked, session.as_ref())?;
    let bring =
        |words: &str| compose::parts(&asked.message, words, asked.number, answered.as_ref());
    if let Some(run) = gather::join(db, at, asked, bring)? {
        return Ok(Taken::Joined(run));
    }
    let parts = bring(&asked.words);
    if !asked.is_addressed && !gather::is_a_rest(db, at, asked)? {
        gather::keep_aside(db, at, asked, &parts)?;
        return Ok(Taken::Aside);
    }
    let session = match session {
        Some(session) => session,
        None => new::create(db, at, workspaces, Source::Empty, None)?,
    };
    let run = RunId::new();
    runs::insert(db, run, &session.id, at)?;
    let prompt = PromptId(Uuid::new_v4());
    let before = gather::take_aside(db, at, asked)?;
    let first = before.first().map(|(message, _)| *message);
    // The prompt's files refer to it, so it comes first.
    let content = compose::without_files(&parts);
    prompts::insert(
        db,
        run,
        &Prompt {
            id: prompt,
            content: content.clone(),
            message: first.or(asked.number),
            user: Some(asked.user),
            sent_at: Some(asked.sent_at()),
        },
    )?;
    let whole = gather::begin(db, at, run, prompt, asked, before, parts)?;
    if whole != content {
        prompts::set_content(db, prompt, &whole)?;
    }
    Ok(Taken::Began(run))
}

impl Asked {
    /// Of a command that takes a prompt along; its words are still to be read.
    pub(super) fn of_command(seq: UpdateSeq, message: Message, user: UserId) -> Asked {
        Asked {
            number: Some(message.id),
            message,
            words: String::new(),
            user,
            is_addressed: true,
            seq,
        }
    }

    /// Unix milliseconds by Telegram's clock.
    pub(super) fn sent_at(&self) -> i64 {
        self.message.sent_at.saturating_mul(1000)
    }
}

/// What a message brings, as pieces of this prompt: its files are awaited from now on.
pub(super) fn pieces(
    db: &Connection,
    prompt: PromptId,
    message: Option<MessageId>,
    parts: Vec<Part>,
) -> rusqlite::Result<Vec<Piece>> {
    parts
        .into_iter()
        .map(|part| {
            Ok(match part {
                Part::Along(text) => Piece::Along(text),
                Part::Thing { form, message } => compose::described(form, message),
                Part::Written {
                    text,
                    message,
                    links,
                } => compose::written(text, message, links),
                Part::FileOfAnother(file) => {
                    Piece::Awaited(attachments::insert(db, prompt, None, &file)?)
                }
                Part::File(file) => {
                    Piece::Awaited(attachments::insert(db, prompt, message, &file)?)
                }
            })
        })
        .collect()
}

pub(super) fn answered_by(
    db: &Connection,
    at: ChatThread,
    asked: &Asked,
    session: Option<&Session>,
) -> rusqlite::Result<Option<Answered>> {
    let Some(replied) = &asked.message.replies_to else {
        return Ok(None);
    };
    // After a group gets another id, its old message ids mean nothing.
    let number = replied.message.filter(|_| asked.number.is_some());
    let whose = match number {
        Some(number) if replied.is_the_bots => {
            answered::whose(db, at, number, session.map(|session| &session.id))?
        }
        _ if replied.is_the_bots => Whose::TheBots,
        _ if replied.sender == Some(asked.user) => Whose::Own,
        _ => Whose::Others(replied.author.clone()),
    };
    let is_known = match number {
        Some(number) => prompts::of_message(db, at.chat, number)?.is_some(),
        None => false,
    };
    Ok(Some(Answered { whose, is_known }))
}
