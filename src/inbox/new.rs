//! `/new`: a fresh session. The worker makes its workspace; the one before stays on disk.

use std::path::Path;

use rusqlite::Connection;

use super::Follow;
use crate::chat::text;
use crate::command::{NewSession, WantedSource};
use crate::git::workspace;
use crate::id::{ChatThread, SessionId};
use crate::session::{Session, SessionState, Source};
use crate::store::{chats, outbox, runs, sessions};

pub(super) fn session(
    db: &Connection,
    at: ChatThread,
    workspaces: &Path,
    wanted: &NewSession,
) -> rusqlite::Result<Follow> {
    let source = match &wanted.source {
        WantedSource::Empty => Source::Empty,
        WantedSource::Same => {
            chats::current_session(db, at)?.map_or(Source::Empty, |session| session.source)
        }
        WantedSource::Repository(named) => match workspace::source_named(named) {
            Some(source) => source,
            None => {
                outbox::insert(db, at, &text::not_a_repository(named))?;
                return Ok(Follow::default());
            }
        },
    };
    let waits = runs::running(db, at)?.is_some();
    create(db, at, workspaces, source.clone(), wanted.branch.clone())?;
    outbox::insert(db, at, &text::new_session(&source, waits))?;
    Ok(Follow {
        wake: Some(at),
        stop: None,
    })
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
