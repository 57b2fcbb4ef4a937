//! `/sessions`, `/resume` and its buttons: the chat switches to another session.
//!
//! A chat can switch to each of its sessions. The owner's private chat can also take sessions made in a shell; these
//! then belong to the chat, with whatever runs in them.

use rusqlite::Connection;

use super::Follow;
use super::button::Pressed;
use crate::chat::sessions::{self as words, GoingOn, Listed};
use crate::chat::toast;
use crate::domain::id::{ChatId, ChatThread, SessionId};
use crate::domain::job::Lane;
use crate::domain::session::{Session, SessionState};
use crate::store::{chats, jobs, outbox, processes, prompts, runs, sessions, waiting};

/// How many sessions are listed.
const LISTED: usize = 8;

/// Why the chat does not switch.
pub(super) enum Refusal {
    Unknown,
    IsCurrent,
    NotReady,
    Busy,
}

/// `/sessions`
pub(super) fn list(db: &Connection, at: ChatThread, is_owner: bool) -> rusqlite::Result<Follow> {
    let current = chats::current_session(db, at)?.map(|session| session.id);
    let open = |session: &Session| {
        session.state != SessionState::Failed && may_have(session, at, is_owner)
    };
    let mut found: Vec<Session> = sessions::all(db)?.into_iter().filter(open).collect();
    let more = found.len().saturating_sub(LISTED);
    found.truncate(LISTED);
    let mut listed = Vec::new();
    for session in found {
        let (cost_usd, runs) = runs::session_totals(db, &session.id)?;
        listed.push(Listed {
            is_current: current.as_ref() == Some(&session.id),
            runs,
            cost_usd,
            last_prompt: prompts::newest_of_session(db, &session.id)?,
            session,
        });
    }
    outbox::insert(db, at, &words::sessions(&listed, more))?;
    Ok(Follow::default())
}

/// `/resume NAME`
pub(super) fn named(
    db: &Connection,
    at: ChatThread,
    name: String,
    is_owner: bool,
) -> rusqlite::Result<Follow> {
    let id = SessionId(name);
    let reply = match switch(db, at, &id, is_owner)? {
        Ok(follow) => return Ok(follow),
        Err(Refusal::Unknown) => words::unknown(&id.0),
        Err(Refusal::IsCurrent) => words::is_current(&id),
        Err(Refusal::NotReady) => words::not_ready(&id),
        Err(Refusal::Busy) => words::busy(),
    };
    outbox::insert(db, at, &reply)?;
    Ok(Follow::default())
}

/// The button of a session in the list.
pub(super) fn pressed(
    db: &Connection,
    at: ChatThread,
    id: &SessionId,
    is_owner: bool,
) -> rusqlite::Result<Pressed> {
    // The session knows its topic; a message that Telegram has no more does not.
    let place = sessions::get(db, id)?.map(|session| session.at);
    let at = place.filter(|place| place.chat == at.chat).unwrap_or(at);
    Ok(match switch(db, at, id, is_owner)? {
        Ok(follow) => Pressed::over(toast::SWITCHED).with(follow),
        Err(Refusal::Busy) => Pressed::over(toast::BUSY).buttons_stay(),
        Err(Refusal::IsCurrent) => Pressed::over(toast::SWITCHED).buttons_stay(),
        // Another person's press may work.
        Err(Refusal::Unknown | Refusal::NotReady) => Pressed::over(toast::NO_EFFECT).buttons_stay(),
    })
}

/// Makes the session the chat's current one, and says so.
pub(super) fn switch(
    db: &Connection,
    at: ChatThread,
    id: &SessionId,
    is_owner: bool,
) -> rusqlite::Result<Result<Follow, Refusal>> {
    let found = sessions::get(db, id)?.filter(|session| may_have(session, at, is_owner));
    let Some(session) = found else {
        return Ok(Err(Refusal::Unknown));
    };
    if session.state != SessionState::Ready {
        return Ok(Err(Refusal::NotReady));
    }
    let current = chats::current_session(db, at)?;
    if current.is_some_and(|current| current.id == *id) {
        return Ok(Err(Refusal::IsCurrent));
    }
    let comes_here = session.at != at;
    if comes_here {
        let is_busy = runs::running(db, at)?.is_some()
            || waiting::queued_count(db, at)? > 0
            || jobs::next(db, at, Lane::Workspace)?.is_some();
        if is_busy {
            return Ok(Err(Refusal::Busy));
        }
        sessions::move_to(db, id, at)?;
    }
    chats::set_current(db, at, id)?;
    // What was left of the session before ends, as with /new.
    for process in processes::at(db, at)? {
        if process.session != *id {
            processes::request_stop(db, process.id)?;
        }
    }
    let going_on = match runs::running_of_session(db, id)? {
        Some(_) => GoingOn::Run,
        None if sessions::is_attached(db, id)? => GoingOn::Terminal,
        None => GoingOn::Nothing,
    };
    outbox::insert(db, at, &words::switched(&session, going_on))?;
    Ok(Ok(match comes_here {
        true => Follow::wake(at),
        false => Follow {
            tell_workers: vec![at],
            ..Follow::default()
        },
    }))
}

fn may_have(session: &Session, at: ChatThread, is_owner: bool) -> bool {
    session.at == at || (is_owner && session.at.chat == ChatId::SHELL)
}
