//! `/new`: a fresh session. The worker makes its workspace; the one before stays on disk.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::{Follow, disk};
use crate::chat::workspace as words;
use crate::command::{NewSession, WantedSource};
use crate::domain::id::{ChatThread, SessionId};
use crate::domain::outgoing::Outgoing;
use crate::domain::session::{Session, Source};
use crate::domain::workspace::Unusable;
use crate::git::source;
use crate::store::{Store, StoreError, chats, outbox, processes, repositories, runs, sessions};

/// What `/new` asked for, with its source looked up.
pub(super) struct Wanted {
    source: Source,
    branch: Option<String>,
}

/// How many known names the reply to an unknown one lists.
const NAMES_TOLD: u32 = 8;

/// Looks up the source outside a transaction: its folder may be on a disk that does not answer. `Err` is the reply.
pub(super) async fn resolve(
    store: &Store,
    at: ChatThread,
    roots: &[PathBuf],
    wanted: NewSession,
) -> Result<Result<Wanted, Outgoing>, StoreError> {
    let source = match wanted.source {
        WantedSource::Empty => Ok(Source::Empty),
        WantedSource::Same => {
            let current = store
                .transaction(move |db| chats::current_session(db, at))
                .await?;
            let source = current.map_or(Source::Empty, |session| session.source);
            let named = source.name();
            // The settings may forbid it by now.
            match still_allowed(source, roots).await {
                Ok(source) => Ok(source),
                Err(why) => Err(words::unusable(&named, &why, &[])),
            }
        }
        WantedSource::Repository(named) => repository(store, roots, named).await?,
    };
    Ok(source.map(|source| Wanted {
        source,
        branch: wanted.branch,
    }))
}

/// A URL or a path; else the short name of a repository seen before.
async fn repository(
    store: &Store,
    roots: &[PathBuf],
    named: String,
) -> Result<Result<Source, Outgoing>, StoreError> {
    let why = match look(named.clone(), roots).await {
        Ok(source) => return Ok(Ok(source)),
        Err(why) => why,
    };
    let name = named.clone();
    let (known, names) = store
        .transaction(move |db| {
            Ok((
                repositories::named(db, &name)?,
                repositories::names(db, NAMES_TOLD)?,
            ))
        })
        .await?;
    let why = match known {
        Some(source) if why == Unusable::Unknown => match still_allowed(source, roots).await {
            Ok(source) => return Ok(Ok(source)),
            Err(why) => why,
        },
        _ => why,
    };
    Ok(Err(words::unusable(&named, &why, &names)))
}

async fn still_allowed(source: Source, roots: &[PathBuf]) -> Result<Source, Unusable> {
    match source {
        Source::Empty => Ok(source),
        source => look(source.name(), roots).await,
    }
}

async fn look(named: String, roots: &[PathBuf]) -> Result<Source, Unusable> {
    let path = PathBuf::from(&named);
    let roots = roots.to_owned();
    let looked = disk::look(&path, move || source::named(&named, &roots)).await;
    looked.unwrap_or(Err(Unusable::NoAnswer))
}

pub(super) fn session(
    db: &Connection,
    at: ChatThread,
    workspaces: &Path,
    wanted: Wanted,
) -> rusqlite::Result<Follow> {
    let source = wanted.source;
    let waits = runs::running(db, at)?.is_some();
    create(db, at, workspaces, source.clone(), wanted.branch)?;
    outbox::insert(db, at, &words::new_session(&source, waits))?;
    Ok(Follow::wake(at))
}

/// Stores the session as the chat's current one.
pub(super) fn create(
    db: &Connection,
    at: ChatThread,
    workspaces: &Path,
    source: Source,
    wanted_branch: Option<String>,
) -> rusqlite::Result<Session> {
    let session = write_down(db, at, workspaces, source, wanted_branch)?;
    // What was left of the session before ends.
    for process in processes::at(db, at)? {
        processes::request_stop(db, process.id)?;
    }
    chats::set_current(db, at, &session.id)?;
    Ok(session)
}

/// Stores the session; no chat talks to it yet.
pub(super) fn write_down(
    db: &Connection,
    at: ChatThread,
    workspaces: &Path,
    source: Source,
    wanted_branch: Option<String>,
) -> rusqlite::Result<Session> {
    let session = Session {
        wanted_branch,
        ..Session::new(SessionId::random(), at, source, workspaces)
    };
    sessions::insert(db, &session)?;
    Ok(session)
}
