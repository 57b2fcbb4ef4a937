//! Routines in the chat: a card is offered, kept or cancelled; the list, and what can be done with one of it. `begin`
//! is how their work begins.

mod begin;
mod call;
pub mod shell;

use std::path::Path;

use jiff::tz::TimeZone;
use rusqlite::Connection;
use secrecy::ExposeSecret;

use super::button::Pressed;
use super::compose::Part;
use super::{Follow, Inbox, compose, prompt};
use crate::chat::{hooks as hook_words, routines as words, toast};
use crate::domain::access::Access;
use crate::domain::id::{ChatThread, RoutineId, UserId};
use crate::domain::outgoing::Outgoing;
use crate::domain::prompt::Content;
use crate::domain::routine::{self, Form, Missed, PausedFor, Routine, State, Wanted, When};
use crate::store::{StoreError, chats, now, outbox, routines};

/// How many of the last moments are shown.
const LAST_SHOWN: u32 = 5;

/// A routine that somebody wants.
pub(super) struct Offer {
    pub form: Form,
    /// What stands behind the command.
    pub text: String,
    pub asked: prompt::Asked,
}

impl Inbox {
    /// `/at`, `/in`, `/every`
    pub(super) async fn offer_routine(
        &self,
        at: ChatThread,
        offer: Offer,
    ) -> Result<(), StoreError> {
        let zone = self.zone.clone();
        self.effect(offer.asked.seq, at, move |db| {
            let message = offer.asked.number;
            let reply = match made(db, at, offer, &zone)? {
                Ok(routine) => {
                    routines::insert(db, &routine)?;
                    words::offered(&routine, now())
                }
                Err(reply) => reply,
            };
            outbox::insert(db, at, &reply.replying_to(message))?;
            Ok(Follow::default())
        })
        .await
    }
}

/// The routine, or why there is none.
fn made(
    db: &Connection,
    at: ChatThread,
    offer: Offer,
    zone: &str,
) -> rusqlite::Result<Result<Routine, Outgoing>> {
    let here = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    let wanted = match routine::read(offer.form, &offer.text, now(), &here) {
        Ok(wanted) => wanted,
        Err(why) => return Ok(Err(words::not_understood(&why))),
    };
    let asked = prompt::Asked {
        words: wanted.prompt.to_owned(),
        ..offer.asked
    };
    let Some(content) = content(db, at, &asked)? else {
        return Ok(Err(words::no_files()));
    };
    Ok(Ok(made_of(at, Some(asked.user), wanted, content, zone)))
}

fn made_of(
    at: ChatThread,
    user: Option<UserId>,
    wanted: Wanted<'_>,
    prompt: Content,
    zone: &str,
) -> Routine {
    Routine {
        zone: wanted.zone.unwrap_or_else(|| zone.to_owned()),
        is_fresh: wanted.is_fresh,
        missed: wanted.missed,
        ..made_by(at, user, wanted.when, prompt)
    }
}

/// Without options.
fn made_by(at: ChatThread, user: Option<UserId>, when: When, prompt: Content) -> Routine {
    Routine {
        id: RoutineId::random(),
        name: None,
        at,
        user,
        when,
        zone: "UTC".to_owned(),
        prompt,
        is_fresh: false,
        missed: Missed::default(),
        filter: String::new(),
        state: State::Offered,
        planned_at: None,
        made_at: now(),
    }
}

/// What the message says; `None` if it brings a file.
fn content(
    db: &Connection,
    at: ChatThread,
    asked: &prompt::Asked,
) -> rusqlite::Result<Option<Content>> {
    let session = chats::current_session(db, at)?;
    let answered = prompt::answered_by(db, at, asked, session.as_ref())?;
    // It is nobody's message any more when it begins.
    let parts = compose::parts(&asked.message, &asked.words, None, answered.as_ref());
    let is_file = |part: &Part| matches!(part, Part::File(_) | Part::FileOfAnother(_));
    Ok((!parts.iter().any(is_file)).then(|| compose::without_files(&parts)))
}

/// `/routines`
pub(super) fn list(db: &Connection, at: ChatThread) -> rusqlite::Result<Follow> {
    outbox::insert(db, at, &words::list(&routines::of_place(db, at)?, now()))?;
    Ok(Follow::default())
}

/// What a button does to a routine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Keep,
    Delete,
    Pause,
    Run,
    Show,
}

/// Who pressed, and what that needs.
#[derive(Clone, Copy)]
pub(super) struct Presser<'a> {
    pub user: UserId,
    pub access: &'a Access,
    pub workspaces: &'a Path,
    /// Where the page is; `None` while it is not served.
    pub page: Option<&'a str>,
}

pub(super) fn pressed(
    db: &Connection,
    at: ChatThread,
    id: &RoutineId,
    wish: Wish,
    by: Presser<'_>,
) -> rusqlite::Result<Pressed> {
    // A button can be pressed in its own chat only; the topic is the routine's.
    let Some(routine) = routines::get(db, id)?.filter(|routine| routine.at.chat == at.chat) else {
        return Ok(Pressed::over(toast::ROUTINE_IS_GONE).with_all_buttons());
    };
    match wish {
        Wish::Keep => keep(db, routine, by),
        Wish::Delete => {
            routines::delete(db, id)?;
            let told = match routine.state {
                State::Offered => toast::ROUTINE_CANCELLED,
                _ => toast::ROUTINE_DELETED,
            };
            Ok(Pressed::over(told).with_all_buttons())
        }
        Wish::Pause if routine.state == State::Over => {
            Ok(Pressed::over(toast::ROUTINE_NEVER_COMES).buttons_stay())
        }
        Wish::Pause => {
            routines::pause(db, id, PausedFor::Wish)?;
            Ok(Pressed::over(toast::ROUTINE_PAUSED).buttons_stay())
        }
        Wish::Run => Ok(
            match begin::by_hand(db, by.workspaces, routine, Some(by.user))? {
                Some(follow) => Pressed::over(toast::RUNNING).with(follow).buttons_stay(),
                None => Pressed::over(toast::ROUTINE_RUNS_STILL).buttons_stay(),
            },
        ),
        Wish::Show => {
            let last = routines::occurrences(db, id, LAST_SHOWN)?;
            outbox::insert(db, routine.at, &words::shown(&routine, &last, now()))?;
            Ok(Pressed::over("").buttons_stay())
        }
    }
}

fn keep(db: &Connection, routine: Routine, by: Presser<'_>) -> rusqlite::Result<Pressed> {
    if routine.state == State::Kept {
        return Ok(Pressed::over(toast::ROUTINE_KEPT).buttons_stay());
    }
    if !resume(db, &routine)? {
        return Ok(Pressed::over(toast::ROUTINE_NEVER_COMES).with_all_buttons());
    }
    if !begin::may_begin(db, by.access, &routine)? {
        routines::set_user(db, &routine.id, Some(by.user))?;
    }
    let kept = routines::get(db, &routine.id)?.unwrap_or(routine);
    let told = match kept.name {
        // Its secret was shown once.
        Some(_) if routines::secret(db, &kept.id)?.is_none() => {
            let secret = routine::secret();
            routines::set_secret(db, &kept.id, &secret)?;
            hook_words::kept(&kept, by.page, secret.expose_secret())
        }
        _ => words::kept(&kept, now()),
    };
    outbox::insert(db, kept.at, &told)?;
    Ok(Pressed::over(toast::ROUTINE_KEPT).with_all_buttons())
}

/// From now on it begins at its moments; false if none comes any more.
fn resume(db: &Connection, routine: &Routine) -> rusqlite::Result<bool> {
    // If the clock was set back, what has begun does not begin again.
    let last = routines::last_begun(db, &routine.id)?;
    let planned_at = routine.next(now().max(last.unwrap_or(i64::MIN)));
    if planned_at.is_none() && routine.name.is_none() {
        return Ok(false);
    }
    routines::keep(db, &routine.id, planned_at)?;
    Ok(true)
}

/// Pauses those whose makers may not use the bot there any more. Whoever lets one go on answers for it, also if it was
/// paused before.
pub(super) fn pause_of_strangers(db: &Connection, access: &Access) -> rusqlite::Result<()> {
    for routine in routines::all(db)? {
        if begin::may_begin(db, access, &routine)? {
            continue;
        }
        match routine.state {
            State::Kept => {
                begin::pause_of_stranger(db, &routine)?;
            }
            _ => routines::pause(db, &routine.id, PausedFor::Removal)?,
        }
    }
    Ok(())
}
