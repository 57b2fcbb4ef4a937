//! What a person asks for in a shell of the bot's machine: the same effects as in a chat, without an update.
//!
//! `telecoder session` calls these in its own process; each is one transaction of its caller.

use std::path::Path;

use rusqlite::Connection;
use uuid::Uuid;

use super::{job, new, stop, switch};
use crate::chat::shell as words;
use crate::domain::id::{ChatId, ChatThread, PromptId, RunId};
use crate::domain::job::{Lane, Task};
use crate::domain::prompt::Content;
use crate::domain::run::Outcome;
use crate::domain::session::{Session, SessionState, Source};
use crate::store::prompts::{self, Prompt};
use crate::store::{chats, jobs, measured, outbox, processes, runs, sessions, waiting};

/// Creates a session, as a chat's current one or for the shell. The bot makes its workspace.
pub fn create(
    db: &Connection,
    workspaces: &Path,
    source: Source,
    branch: Option<String>,
    chat: Option<ChatThread>,
) -> rusqlite::Result<Session> {
    let Some(at) = chat else {
        let at = sessions::place_in_shell(db)?;
        return new::write_down(db, at, workspaces, source, branch);
    };
    let session = new::create(db, at, workspaces, source, branch)?;
    outbox::insert(db, at, &words::made(&session))?;
    Ok(session)
}

/// Queues a prompt, and tells the session's chat, which will see the answer.
pub fn run(db: &Connection, session: &Session, text: String) -> rusqlite::Result<RunId> {
    let at = sessions::place(db, &session.id)?;
    let run = RunId::new();
    runs::insert(db, run, &session.id, at)?;
    if at.chat != ChatId::SHELL {
        outbox::insert(db, at, &words::asked(&session.id, &text))?;
    }
    let prompt = Prompt {
        id: PromptId(Uuid::new_v4()),
        content: Content::written(text, None),
        message: None,
        user: None,
        sent_at: None,
    };
    prompts::insert(db, run, &prompt)?;
    Ok(run)
}

/// What was stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// Its end is still to come.
    Run,
    /// The making of its workspace; so many prompts were dropped with it.
    Setup(usize),
    /// Jobs that were not done yet; they are still to end.
    Jobs(Vec<Task>),
    /// What goes on in the background; it is still to end.
    Background(Vec<String>),
    /// Nothing ran; so many prompts were dropped.
    Waiting(usize),
}

/// Stops the session's run; else the making of its workspace; else its jobs, except an undo, which ends soon; else
/// drops waiting prompts.
pub fn stop(db: &Connection, session: &Session) -> rusqlite::Result<Stopped> {
    if let Some(run) = runs::running_of_session(db, &session.id)? {
        runs::request_stop(db, run.id)?;
        return Ok(Stopped::Run);
    }
    let at = sessions::place(db, &session.id)?;
    let now = sessions::get(db, &session.id)?;
    if let Some(now) = now.filter(|now| now.state == SessionState::New) {
        let dropped = waiting::end_queued(db, at, Some(&session.id), &Outcome::Stopped)?;
        stop::give_up(db, &now, dropped)?;
        return Ok(Stopped::Setup(dropped));
    }
    let mut stopped = Vec::new();
    for job in jobs::due_in(db, &session.id)? {
        if job::may_be_stopped(&job.task) {
            jobs::request_stop(db, job.id)?;
            stopped.push(job.task);
        }
    }
    if !stopped.is_empty() {
        return Ok(Stopped::Jobs(stopped));
    }
    let dropped = waiting::end_queued(db, at, Some(&session.id), &Outcome::Stopped)?;
    if let Some(process) = processes::of_session(db, &session.id)? {
        processes::request_stop(db, process.id)?;
        if !process.background.is_empty() {
            return Ok(Stopped::Background(process.background));
        }
    }
    Ok(Stopped::Waiting(dropped))
}

/// The result of switching a chat to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resumed {
    Done,
    Already,
    NotReady,
    /// It is another chat's.
    Elsewhere,
    Busy,
}

/// Switches the chat to the session, and says so.
pub fn resume(db: &Connection, session: &Session, at: ChatThread) -> rusqlite::Result<Resumed> {
    Ok(match switch::switch(db, at, &session.id, true)? {
        Ok(_) => Resumed::Done,
        Err(switch::Refusal::IsCurrent) => Resumed::Already,
        Err(switch::Refusal::NotReady) => Resumed::NotReady,
        Err(switch::Refusal::Unknown) => Resumed::Elsewhere,
        Err(switch::Refusal::Busy) => Resumed::Busy,
    })
}

/// Somebody has the session at a terminal from now on. Returns false if a run or job uses it.
pub fn attach(db: &Connection, session: &Session) -> rusqlite::Result<bool> {
    if !take(db, session)? {
        return Ok(false);
    }
    measured::void_undo_in(db, &session.id)?;
    let at = sessions::place(db, &session.id)?;
    outbox::insert(db, at, &words::attached(&session.id))?;
    Ok(true)
}

/// As [`attach`], without telling the chat: for brief uses.
pub fn take(db: &Connection, session: &Session) -> rusqlite::Result<bool> {
    let works = jobs::due_in(db, &session.id)?
        .iter()
        .any(|job| job.task.lane() == Lane::Workspace && job.begun_at.is_some());
    // Two claudes must not be in one conversation; the bot ends its own within a second.
    let living = processes::of_session(db, &session.id)?;
    if let Some(process) = &living {
        processes::request_stop(db, process.id)?;
    }
    if works || living.is_some() || runs::running_of_session(db, &session.id)?.is_some() {
        return Ok(false);
    }
    sessions::set_attached(db, &session.id, true)?;
    Ok(true)
}

/// Gives the session back to its chat, which is told what happened. Returns false if the chat had it already.
pub fn hand_back(
    db: &Connection,
    session: &Session,
    what: &words::AtTerminal,
) -> rusqlite::Result<bool> {
    if !sessions::set_attached(db, &session.id, false)? {
        return Ok(false);
    }
    if let Some(conversation) = &what.conversation {
        sessions::go_on_in(db, &session.id, conversation)?;
    }
    let at = sessions::place(db, &session.id)?;
    let is_current = chats::current_session(db, at)?.is_some_and(|now| now.id == session.id);
    let waiting = waiting::queued_in(db, &session.id)?;
    outbox::insert(
        db,
        at,
        &words::handed_back(&session.id, what, is_current, waiting),
    )?;
    Ok(true)
}
