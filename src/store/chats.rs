//! Which session a chat, or a topic of it, talks to.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::sessions;
use crate::domain::id::{ChatId, ChatThread, SessionId, ThreadId};
use crate::domain::session::Session;
use crate::domain::workspace::BackIn;

/// How a topic is written in a row: 0 stands for none.
pub(super) fn thread_column(at: ChatThread) -> i32 {
    at.thread.map_or(0, |thread| thread.0)
}

pub(super) fn thread_from(column: i32) -> Option<ThreadId> {
    (column != 0).then_some(ThreadId(column))
}

/// A chat and a topic, from this column of a row on.
pub(super) fn place_from(row: &Row<'_>, first: usize) -> rusqlite::Result<ChatThread> {
    Ok(ChatThread {
        chat: ChatId(row.get(first)?),
        thread: thread_from(row.get(first + 1)?),
    })
}

/// The session that the chat talks to now.
pub fn current_session(db: &Connection, at: ChatThread) -> rusqlite::Result<Option<Session>> {
    let id: Option<String> = db
        .prepare_cached("SELECT session_id FROM chats WHERE chat_id = ?1 AND thread_id = ?2")?
        .query_row(params![at.chat.0, thread_column(at)], |row| row.get(0))
        .optional()?;
    match id {
        Some(id) => sessions::get(db, &SessionId(id)),
        None => Ok(None),
    }
}

/// From now on the chat talks to this session.
pub fn set_current(db: &Connection, at: ChatThread, session: &SessionId) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO chats (chat_id, thread_id, session_id) VALUES (?1, ?2, ?3)
         ON CONFLICT (chat_id, thread_id) DO UPDATE SET session_id = excluded.session_id",
    )?
    .execute(params![at.chat.0, thread_column(at), session.0])?;
    Ok(())
}

/// Leaves the chat without a session; its next message makes one.
pub fn clear_current(db: &Connection, at: ChatThread) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM chats WHERE chat_id = ?1 AND thread_id = ?2")?
        .execute(params![at.chat.0, thread_column(at)])?;
    Ok(())
}

/// Takes the chat out of a session that was given up.
pub fn return_from(db: &Connection, session: &Session) -> rusqlite::Result<BackIn> {
    let current = current_session(db, session.at)?;
    if current.is_some_and(|current| current.id != session.id) {
        return Ok(BackIn::Newer);
    }
    match sessions::previous(db, session.at, &session.id)? {
        Some(previous) => {
            set_current(db, session.at, &previous.id)?;
            Ok(BackIn::Previous)
        }
        None => {
            clear_current(db, session.at)?;
            Ok(BackIn::None)
        }
    }
}
