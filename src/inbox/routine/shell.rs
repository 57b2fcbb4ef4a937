//! What `telecoder routine` does: as in the chat, which is told.

use jiff::tz::TimeZone;
use rusqlite::Connection;

use super::{begin, made_of, resume, words};
use crate::domain::id::{ChatThread, RoutineId};
use crate::domain::prompt::Content;
use crate::domain::routine::{self, Form, NotUnderstood, PausedFor, Routine, State};
use crate::store::{now, routines};

/// Makes a routine, which is kept at once: who works in a shell of the machine needs no card. `zone` counts if the
/// words name none.
pub fn add(
    db: &Connection,
    at: ChatThread,
    (form, text): (Form, &str),
    zone: &str,
) -> rusqlite::Result<Result<Routine, NotUnderstood>> {
    let here = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    let wanted = match routine::read(form, text, now(), &here) {
        Ok(wanted) => wanted,
        Err(why) => return Ok(Err(why)),
    };
    let prompt = Content::written(wanted.prompt, None);
    let made = made_of(at, None, wanted, prompt, zone);
    routines::insert(db, &made)?;
    resume(db, &made)?;
    let kept = routines::get(db, &made.id)?.unwrap_or(made);
    begin::say(db, &kept, &words::made_in_shell(&kept, now()))?;
    Ok(Ok(kept))
}

/// Returns whether its prompt was queued; not, if its last run goes on still.
pub fn run(
    db: &Connection,
    workspaces: &std::path::Path,
    routine: Routine,
) -> rusqlite::Result<bool> {
    Ok(begin::by_hand(db, workspaces, routine, None)?.is_some())
}

pub fn pause(db: &Connection, routine: &Routine) -> rusqlite::Result<()> {
    routines::pause(db, &routine.id, PausedFor::Wish)?;
    begin::say(db, routine, &words::paused_in_shell(routine))
}

/// Returns false if none of its moments comes any more.
pub fn go_on(db: &Connection, routine: &Routine) -> rusqlite::Result<bool> {
    if routine.state == State::Kept {
        return Ok(true);
    }
    if !resume(db, routine)? {
        return Ok(false);
    }
    if routine.state == State::Paused(PausedFor::Removal) {
        routines::set_user(db, &routine.id, None)?;
    }
    if let Some(kept) = routines::get(db, &routine.id)? {
        begin::say(db, &kept, &words::kept(&kept, now()))?;
    }
    Ok(true)
}

pub fn delete(db: &Connection, id: &RoutineId) -> rusqlite::Result<bool> {
    let Some(routine) = routines::get(db, id)? else {
        return Ok(false);
    };
    begin::say(db, &routine, &words::deleted_in_shell(&routine))?;
    routines::delete(db, id)
}
