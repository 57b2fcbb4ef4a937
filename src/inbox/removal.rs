//! Ends what is going on in a chat in which nobody may write any more: of somebody who was removed, or whom the
//! settings do not name since the last start.

use rusqlite::Connection;
use tracing::info;

use super::people::private_chat;
use super::{admission, job, routine, stop};
use crate::chat::people::{self as words, Ended};
use crate::domain::access::Access;
use crate::domain::id::{ChatId, ChatThread, UserId};
use crate::domain::run::Outcome;
use crate::store::steering::{self, Cancelled};
use crate::store::{
    backup, closed, holds, jobs, outbox, page_keys, people, processes, runs, sessions, waiting,
};

/// A chat that was closed.
pub(super) struct Closed {
    pub ended: Ended,
    /// The chat and its topics, whose workers are to look for a stop.
    pub places: Vec<ChatThread>,
}

/// Ends everything in the chat and its topics; from now on nothing is sent there.
pub(super) fn close(db: &Connection, chat: ChatId) -> rusqlite::Result<Closed> {
    closed::close(db, chat)?;
    if let Some(user) = u64::try_from(chat.0).ok().filter(|_| !chat.is_group()) {
        page_keys::withdraw_all(db, UserId(user))?;
    }
    let places = closed::places_in(db, chat)?;
    let mut ended = Ended::default();
    for at in &places {
        end_work(db, *at, &mut ended)?;
    }
    Ok(Closed { ended, places })
}

fn end_work(db: &Connection, at: ChatThread, ended: &mut Ended) -> rusqlite::Result<()> {
    ended.dropped += waiting::end_queued(db, at, None, &Outcome::Stopped)?;
    if let Some(run) = runs::running(db, at)? {
        runs::request_stop(db, run.id)?;
        ended.stopped = true;
    }
    while let Some(session) = sessions::next_new(db, at)? {
        stop::give_up(db, &session, 0)?;
        ended.stopped = true;
    }
    for process in processes::at(db, at)? {
        processes::request_stop(db, process.id)?;
        ended.stopped |= !process.background.is_empty();
    }
    for job in jobs::due_at(db, at)? {
        if job.begun_at.is_none() {
            jobs::end(db, job.id)?;
        } else if job::may_be_stopped(&job.task) {
            jobs::request_stop(db, job.id)?;
        } else {
            continue;
        }
        ended.stopped = true;
    }
    holds::lift(db, at)?;
    sessions::end_autofix(db, at)
}

/// Drops the prompts that wait in a chat that goes on and whose writer may not write there any more, and pauses the
/// routines of those who may not. Returns whose the prompts were, and where they waited.
pub(super) fn drop_work_of_strangers(
    db: &Connection,
    access: &Access,
) -> rusqlite::Result<Vec<(UserId, ChatThread)>> {
    let mut dropped = Vec::new();
    for (run, user, at) in waiting::by_people(db)? {
        if closed::is_closed(db, at.chat)? || admission::admit(db, access, user, at.chat)?.is_some()
        {
            continue;
        }
        if steering::cancel(db, at, run)? != Cancelled::TooLate {
            dropped.push((user, at));
        }
    }
    routine::pause_of_strangers(db, access)?;
    Ok(dropped)
}

/// At a start: closes the chats in which nobody may write any more, opens those in which somebody may again, and tells
/// the owner what was ended, and who is in by an invitation alone without the owner having it in mind.
///
/// Settings that name nobody are more likely forgotten than meant: nobody is admitted, and nothing is ended.
pub fn settle_rights(db: &Connection, access: &Access) -> rusqlite::Result<()> {
    if access.is_empty() {
        return Ok(());
    }
    let mut told = Vec::new();
    for chat in closed::known_chats(db)? {
        if admission::may_anybody_write(db, access, chat)? {
            closed::open(db, chat)?;
        } else if !closed::is_closed(db, chat)? {
            let ended = close(db, chat)?.ended;
            info!(
                chat.id = chat.0,
                ended.stopped,
                ended.dropped,
                "nobody may write in this chat any more, and what was left of it is ended"
            );
            told.push((chat, ended));
        }
    }
    for (user, _) in drop_work_of_strangers(db, access)? {
        let theirs = private_chat(user).chat;
        match told.iter_mut().find(|(chat, _)| *chat == theirs) {
            Some((_, ended)) => ended.dropped += 1,
            None => told.push((
                theirs,
                Ended {
                    dropped: 1,
                    ..Ended::default()
                },
            )),
        }
    }
    told.retain(|(_, ended)| *ended != Ended::default());
    let owner = access.owner();
    let tell = |message| match owner {
        Some(owner) => outbox::insert(db, owner, &message),
        None => Ok(()),
    };
    if !told.is_empty() {
        tell(words::ended_at_start(&told))?;
    }
    let by_invitation = by_invitation_alone(db, access)?;
    if !by_invitation.is_empty() {
        tell(words::invited_still(&by_invitation))?;
    }
    if backup::is_restored(db)? {
        let invited = people::all(db)?.into_iter();
        let invited: Vec<_> = invited.map(|person| (person.name, person.user)).collect();
        if !invited.is_empty() {
            tell(words::invited_in_backup(&invited))?;
        }
    }
    Ok(())
}

/// Those whom the settings named at the last start and do not name any more, and who are invited.
fn by_invitation_alone(
    db: &Connection,
    access: &Access,
) -> rusqlite::Result<Vec<(String, UserId)>> {
    let mut alone = Vec::new();
    for person in people::all(db)? {
        let is_named = access.lists(person.user);
        if person.was_named && !is_named {
            info!(
                user.id = person.user.0,
                "the settings do not name this person any more, who may use the bot by an invitation alone"
            );
            alone.push((person.name, person.user));
        }
        if person.was_named != is_named {
            people::set_named(db, person.user, is_named)?;
        }
    }
    Ok(alone)
}
