//! Sessions: their workspaces, and the conversations to resume.

use std::path::PathBuf;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::chats::{place_from, thread_column};
use super::runs::OPEN;
use super::{from_json, now, to_json};
use crate::domain::check::Commands;
use crate::domain::id::{
    ChatId, ChatThread, ClaudeSessionId, MessageId, RunId, SessionId, ThreadId,
};
use crate::domain::session::{Reported, Session, SessionState};

const COLUMNS: &str = "id, chat_id, thread_id, source, wanted_branch, workspace, branch, state, claude_session, model,
    test_cmd, lint_cmd, autofix, setup_cmd";

pub fn insert(db: &Connection, session: &Session) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO sessions (id, chat_id, thread_id, source, wanted_branch, workspace, branch, state,
                               claude_session, model, test_cmd, lint_cmd, autofix, setup_cmd, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
    )?
    .execute(params![
        session.id.0,
        session.at.chat.0,
        thread_column(session.at),
        to_json(&session.source)?,
        session.wanted_branch,
        session.workspace.to_string_lossy(),
        session.branch,
        state_name(session.state),
        session.claude_session.as_ref().map(|id| &id.0),
        session.model,
        session.checks.test,
        session.checks.lint,
        session.autofix,
        session.checks.setup,
        now(),
    ])?;
    Ok(())
}

pub fn get(db: &Connection, id: &SessionId) -> rusqlite::Result<Option<Session>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM sessions WHERE id = ?1"))?
        .query_row([&id.0], from_row)
        .optional()
}

/// The session of a run.
pub fn of_run(db: &Connection, run: RunId) -> rusqlite::Result<Option<Session>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM sessions WHERE id = (SELECT session_id FROM runs WHERE id = ?1)"
    ))?
    .query_row([run.to_string()], from_row)
    .optional()
}

/// The workspace of a run.
pub fn workspace_of_run(db: &Connection, run: RunId) -> rusqlite::Result<Option<PathBuf>> {
    db.prepare_cached(
        "SELECT s.workspace FROM sessions s JOIN runs r ON r.session_id = s.id WHERE r.id = ?1",
    )?
    .query_row([run.to_string()], |row| {
        row.get(0).map(|path: String| PathBuf::from(path))
    })
    .optional()
}

/// Sessions whose workspace is made or given up, and that had a live message when the bot ended.
pub fn with_live_message_left(
    db: &Connection,
) -> rusqlite::Result<Vec<(SessionId, ChatThread, MessageId)>> {
    db.prepare_cached(
        "SELECT id, chat_id, thread_id, live_message FROM sessions
         WHERE live_message IS NOT NULL AND state <> 'new'",
    )?
    .query_map([], |row| {
        Ok((
            SessionId(row.get(0)?),
            place_from(row, 1)?,
            MessageId(row.get(3)?),
        ))
    })?
    .collect()
}

/// Sessions that were given up.
pub fn given_up(db: &Connection) -> rusqlite::Result<Vec<Session>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM sessions WHERE state = 'failed'"
    ))?
    .query_map([], from_row)?
    .collect()
}

/// All sessions, the newest first.
pub fn all(db: &Connection) -> rusqlite::Result<Vec<Session>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM sessions ORDER BY created_at DESC, rowid DESC"
    ))?
    .query_map([], from_row)?
    .collect()
}

/// Moves a session, with its runs and jobs, to another chat.
pub fn move_to(db: &Connection, id: &SessionId, at: ChatThread) -> rusqlite::Result<()> {
    let place = params![id.0, at.chat.0, thread_column(at)];
    db.prepare_cached(
        "UPDATE sessions SET chat_id = ?2, thread_id = ?3, live_message = NULL WHERE id = ?1",
    )?
    .execute(place)?;
    db.prepare_cached(
        "UPDATE runs SET chat_id = ?2, thread_id = ?3, live_message = NULL WHERE session_id = ?1",
    )?
    .execute(place)?;
    db.prepare_cached(
        "UPDATE jobs SET chat_id = ?2, thread_id = ?3, live_message = NULL WHERE session_id = ?1",
    )?
    .execute(place)?;
    db.prepare_cached("UPDATE processes SET chat_id = ?2, thread_id = ?3 WHERE session_id = ?1")?
        .execute(place)?;
    Ok(())
}

/// A new place for a session of no chat. Each session gets its own, so that none waits for another.
pub fn place_in_shell(db: &Connection) -> rusqlite::Result<ChatThread> {
    let last: i32 = db
        .prepare_cached("SELECT coalesce(max(thread_id), 0) FROM outbox WHERE chat_id = ?1")?
        .query_row([ChatId::SHELL.0], |row| row.get(0))?;
    let last_session: i32 = db
        .prepare_cached("SELECT coalesce(max(thread_id), 0) FROM sessions WHERE chat_id = ?1")?
        .query_row([ChatId::SHELL.0], |row| row.get(0))?;
    Ok(ChatThread {
        chat: ChatId::SHELL,
        thread: Some(ThreadId(last.max(last_session) + 1)),
    })
}

/// What claude said at the beginning of its newest turn; `None` before the first.
pub fn reported(db: &Connection, id: &SessionId) -> rusqlite::Result<Option<Reported>> {
    db.prepare_cached(
        "SELECT reported_model, reported_mode FROM sessions
         WHERE id = ?1 AND reported_model IS NOT NULL",
    )?
    .query_row([&id.0], |row| {
        let (model, mode): (String, Option<String>) = (row.get(0)?, row.get(1)?);
        let mode = mode.unwrap_or_default();
        Ok(Reported { model, mode })
    })
    .optional()
}

pub fn set_reported(db: &Connection, id: &SessionId, reported: &Reported) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE sessions SET reported_model = ?2, reported_mode = ?3 WHERE id = ?1")?
        .execute(params![id.0, reported.model, reported.mode])?;
    Ok(())
}

/// The chat that the session belongs to now.
pub fn place(db: &Connection, id: &SessionId) -> rusqlite::Result<ChatThread> {
    db.prepare_cached("SELECT chat_id, thread_id FROM sessions WHERE id = ?1")?
        .query_row([&id.0], |row| place_from(row, 0))
}

/// The oldest session of the chat whose workspace is still to be made.
pub fn next_new(db: &Connection, at: ChatThread) -> rusqlite::Result<Option<Session>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM sessions WHERE chat_id = ?1 AND thread_id = ?2 AND state = 'new'
         ORDER BY created_at, rowid LIMIT 1"
    ))?
    .query_row(params![at.chat.0, thread_column(at)], from_row)
    .optional()
}

/// The chat's newest ready session, other than this one.
pub fn previous(
    db: &Connection,
    at: ChatThread,
    than: &SessionId,
) -> rusqlite::Result<Option<Session>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM sessions
         WHERE chat_id = ?1 AND thread_id = ?2 AND state = 'ready' AND id <> ?3
         ORDER BY created_at DESC, rowid DESC LIMIT 1"
    ))?
    .query_row(params![at.chat.0, thread_column(at), than.0], from_row)
    .optional()
}

/// Chats with a session whose workspace is still to be made.
pub fn chats_with_new(db: &Connection) -> rusqlite::Result<Vec<ChatThread>> {
    db.prepare_cached("SELECT DISTINCT chat_id, thread_id FROM sessions WHERE state = 'new'")?
        .query_map([], |row| place_from(row, 0))?
        .collect()
}

/// Marks the workspace as made, on this branch. Returns false if it was given up meanwhile.
pub fn mark_ready(db: &Connection, id: &SessionId, branch: &str) -> rusqlite::Result<bool> {
    let marked = db
        .prepare_cached(
            "UPDATE sessions SET state = 'ready', branch = ?2 WHERE id = ?1 AND state = 'new'",
        )?
        .execute(params![id.0, branch])?;
    Ok(marked == 1)
}

/// Gives up a workspace that failed or is no longer wanted. Returns false if it is made already.
pub fn give_up(db: &Connection, id: &SessionId) -> rusqlite::Result<bool> {
    let marked = db
        .prepare_cached("UPDATE sessions SET state = 'failed' WHERE id = ?1 AND state = 'new'")?
        .execute([&id.0])?;
    Ok(marked == 1)
}

/// Sets the conversation that the next run resumes. The first model is kept.
pub fn set_conversation(
    db: &Connection,
    id: &SessionId,
    conversation: &ClaudeSessionId,
    model: Option<&str>,
) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE sessions SET claude_session = ?2, model = coalesce(model, ?3) WHERE id = ?1",
    )?
    .execute(params![id.0, conversation.0, model])?;
    Ok(())
}

/// Notes whether somebody has the session at a terminal. Returns false if that is not new.
pub fn set_attached(db: &Connection, id: &SessionId, is_attached: bool) -> rusqlite::Result<bool> {
    let since = is_attached.then(now);
    let changed = db
        .prepare_cached(
            "UPDATE sessions SET attached_at = ?2
             WHERE id = ?1 AND (attached_at IS NULL) <> (?2 IS NULL)",
        )?
        .execute(params![id.0, since])?;
    Ok(changed == 1)
}

/// Whether the session has an unfinished run or job, or its workspace is still to be made.
pub fn is_busy(db: &Connection, id: &SessionId) -> rusqlite::Result<bool> {
    db.prepare_cached(&format!(
        "SELECT 1 FROM sessions s WHERE s.id = ?1 AND (s.state = 'new'
             OR EXISTS (SELECT 1 FROM runs WHERE +session_id = s.id AND {OPEN})
             OR EXISTS (SELECT 1 FROM jobs WHERE +session_id = s.id AND state = 'due'))"
    ))?
    .exists([&id.0])
}

/// Forgets a session and everything known of its runs.
pub fn delete(db: &Connection, id: &SessionId) -> rusqlite::Result<()> {
    for forgotten in [
        "DELETE FROM verifications WHERE session_id = ?1",
        "DELETE FROM jobs WHERE session_id = ?1",
        "DELETE FROM prompts WHERE run_id IN (SELECT id FROM runs WHERE session_id = ?1)",
        "DELETE FROM runs WHERE session_id = ?1",
        "DELETE FROM processes WHERE session_id = ?1",
        "DELETE FROM chats WHERE session_id = ?1",
        "DELETE FROM sessions WHERE id = ?1",
    ] {
        db.prepare_cached(forgotten)?.execute([&id.0])?;
    }
    Ok(())
}

/// Whether somebody has the session at a terminal.
pub fn is_attached(db: &Connection, id: &SessionId) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM sessions WHERE id = ?1 AND attached_at IS NOT NULL")?
        .exists([&id.0])
}

/// Sessions that somebody has at a terminal, and since when, in Unix milliseconds.
pub fn attached(db: &Connection) -> rusqlite::Result<Vec<(Session, i64)>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS}, attached_at FROM sessions WHERE attached_at IS NOT NULL"
    ))?
    .query_map([], |row| Ok((from_row(row)?, row.get(14)?)))?
    .collect()
}

/// Lets the next run continue this conversation, with the session's model.
pub fn go_on_in(
    db: &Connection,
    id: &SessionId,
    conversation: &ClaudeSessionId,
) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE sessions SET claude_session = ?2 WHERE id = ?1")?
        .execute(params![id.0, conversation.0])?;
    Ok(())
}

/// Lets the next run begin a new conversation.
pub fn forget_conversation(db: &Connection, id: &SessionId) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE sessions SET claude_session = NULL, model = NULL WHERE id = ?1")?
        .execute([&id.0])?;
    Ok(())
}

/// Sets the session's own commands.
pub fn set_checks(db: &Connection, id: &SessionId, checks: &Commands) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE sessions SET setup_cmd = ?2, test_cmd = ?3, lint_cmd = ?4 WHERE id = ?1",
    )?
    .execute(params![id.0, checks.setup, checks.test, checks.lint])?;
    Ok(())
}

/// Keeps the commands offered to the chat.
pub fn set_offered(db: &Connection, id: &SessionId, offered: &Commands) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE sessions SET offered = ?2 WHERE id = ?1")?
        .execute(params![id.0, to_json(offered)?])?;
    Ok(())
}

/// The commands that the chat was offered last.
pub fn offered(db: &Connection, id: &SessionId) -> rusqlite::Result<Commands> {
    db.prepare_cached("SELECT offered FROM sessions WHERE id = ?1")?
        .query_row([&id.0], |row| {
            let offered: Option<String> = row.get(0)?;
            offered.map_or(Ok(Commands::default()), |json| from_json(0, &json))
        })
}

pub fn set_autofix(db: &Connection, id: &SessionId, autofix: bool) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE sessions SET autofix = ?2 WHERE id = ?1")?
        .execute(params![id.0, autofix])?;
    Ok(())
}

/// Stops failing checks from going back to claude by themselves in this chat.
pub fn end_autofix(db: &Connection, at: ChatThread) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE sessions SET autofix = 0 WHERE chat_id = ?1 AND thread_id = ?2")?
        .execute(params![at.chat.0, thread_column(at)])?;
    Ok(())
}

/// Notes that the chat is told how to set up checks. Returns false if it already was.
pub fn hint(db: &Connection, id: &SessionId) -> rusqlite::Result<bool> {
    let hinted = db
        .prepare_cached("UPDATE sessions SET hinted = 1 WHERE id = ?1 AND hinted = 0")?
        .execute([&id.0])?;
    Ok(hinted == 1)
}

pub fn set_live_message(
    db: &Connection,
    id: &SessionId,
    message: MessageId,
) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE sessions SET live_message = ?2 WHERE id = ?1")?
        .execute(params![id.0, message.0])?;
    Ok(())
}

pub fn forget_live_message(db: &Connection, id: &SessionId) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE sessions SET live_message = NULL WHERE id = ?1")?
        .execute([&id.0])?;
    Ok(())
}

/// The live message of a workspace that was being made.
pub fn live_message(db: &Connection, id: &SessionId) -> rusqlite::Result<Option<MessageId>> {
    db.prepare_cached("SELECT live_message FROM sessions WHERE id = ?1")?
        .query_row([&id.0], |row| {
            row.get(0).map(|id: Option<i32>| id.map(MessageId))
        })
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Session> {
    let source: String = row.get(3)?;
    let workspace: String = row.get(5)?;
    let state: String = row.get(7)?;
    Ok(Session {
        id: SessionId(row.get(0)?),
        at: place_from(row, 1)?,
        source: from_json(3, &source)?,
        wanted_branch: row.get(4)?,
        workspace: PathBuf::from(workspace),
        branch: row.get(6)?,
        state: match state.as_str() {
            "new" => SessionState::New,
            "ready" => SessionState::Ready,
            _ => SessionState::Failed,
        },
        claude_session: row.get::<_, Option<String>>(8)?.map(ClaudeSessionId),
        model: row.get(9)?,
        checks: Commands {
            setup: row.get(13)?,
            test: row.get(10)?,
            lint: row.get(11)?,
        },
        autofix: row.get(12)?,
    })
}

fn state_name(state: SessionState) -> &'static str {
    match state {
        SessionState::New => "new",
        SessionState::Ready => "ready",
        SessionState::Failed => "failed",
    }
}
