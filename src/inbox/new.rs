//! `/new`: a fresh session. The worker makes its workspace; the one before stays on disk.

use std::path::Path;

use rusqlite::Connection;

use super::Follow;
use crate::chat::{Outgoing, text};
use crate::command::{NewSession, WantedSource};
use crate::git::workspace;
use crate::id::{ChatThread, SessionId};
use crate::session::{Session, SessionState, Source};
use crate::store::{chats, outbox, runs, sessions};

/// What `/new` asked for, with what it named found on this machine.
pub(super) struct Wanted {
    /// None: what the chat has now.
    source: Option<Source>,
    branch: Option<String>,
}

/// Looks up what was named, beside the store: the folder may be on a disk that does not answer. The error is
/// the reply.
pub(super) async fn resolve(wanted: NewSession) -> Result<Wanted, Outgoing> {
    let source = match wanted.source {
        WantedSource::Same => None,
        WantedSource::Empty => Some(Source::Empty),
        WantedSource::Repository(named) => {
            let name = named.clone();
            let found = tokio::task::spawn_blocking(move || workspace::source_named(&name)).await;
            match found {
                Ok(Some(source)) => Some(source),
                _ => return Err(text::not_a_repository(&named)),
            }
        }
    };
    Ok(Wanted {
        source,
        branch: wanted.branch,
    })
}

pub(super) fn session(
    db: &Connection,
    at: ChatThread,
    workspaces: &Path,
    wanted: Wanted,
) -> rusqlite::Result<Follow> {
    let source = match wanted.source {
        Some(source) => source,
        None => chats::current_session(db, at)?.map_or(Source::Empty, |session| session.source),
    };
    let waits = runs::running(db, at)?.is_some();
    create(db, at, workspaces, source.clone(), wanted.branch)?;
    outbox::insert(db, at, &text::new_session(&source, waits))?;
    Ok(Follow::wake(at))
}

/// Writes the session down and makes it the chat's own.
pub(super) fn create(
    db: &Connection,
    at: ChatThread,
    workspaces: &Path,
    source: Source,
    wanted_branch: Option<String>,
) -> rusqlite::Result<Session> {
    let id = SessionId::random();
    let session = Session {
        workspace: workspaces.join(&id.0),
        id,
        at,
        source,
        wanted_branch,
        branch: None,
        state: SessionState::New,
        claude_session: None,
        model: None,
    };
    sessions::insert(db, &session)?;
    chats::set_current(db, at, &session.id)?;
    Ok(session)
}
