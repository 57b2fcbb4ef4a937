//! A text becomes a run of the chat's session; the first one makes the session.

use std::path::Path;

use rusqlite::Connection;
use uuid::Uuid;

use super::{Follow, new};
use crate::id::{ChatThread, MessageId, PromptId, RunId, UserId};
use crate::session::Source;
use crate::store::prompts::{self, Prompt};
use crate::store::{chats, runs};

pub(super) fn queue(
    db: &Connection,
    at: ChatThread,
    workspaces: &Path,
    text: String,
    message: MessageId,
    user: UserId,
) -> rusqlite::Result<Follow> {
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
            text,
            message: Some(message),
            user: Some(user),
        },
    )?;
    Ok(Follow {
        wake: Some(at),
        stop: None,
    })
}
