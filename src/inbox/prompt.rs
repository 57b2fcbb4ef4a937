//! A text becomes a run of the chat's session; the first one makes the session.

use std::path::Path;

use rusqlite::Connection;
use uuid::Uuid;

use super::new;
use crate::id::{ChatThread, MessageId, PromptId, RunId, UserId};
use crate::prompt::Content;
use crate::session::Source;
use crate::store::prompts::{self, Prompt};
use crate::store::{chats, runs};

/// What a person asked.
pub(super) struct Asked {
    pub text: String,
    /// None where nothing can reply to it.
    pub message: Option<MessageId>,
    pub user: UserId,
    /// Unix milliseconds by Telegram's clock.
    pub sent_at: i64,
}

pub(super) fn queue(
    db: &Connection,
    at: ChatThread,
    workspaces: &Path,
    asked: Asked,
) -> rusqlite::Result<RunId> {
    let session = match chats::current_session(db, at)? {
        Some(session) => session,
        None => new::create(db, at, workspaces, Source::Empty, None)?,
    };
    let run = RunId::new();
    runs::insert(db, run, &session.id, at)?;
    prompts::insert(
        db,
        run,
        &Prompt {
            id: PromptId(Uuid::new_v4()),
            content: Content::written(asked.text, asked.message),
            message: asked.message,
            user: Some(asked.user),
            sent_at: Some(asked.sent_at),
        },
    )?;
    Ok(run)
}
