//! How a routine's work begins: its moment is noted in the transaction that queues its prompt, so that nothing begins
//! twice, whatever ends the bot or moves the clock. The bot's look for work (`daemon::beside`) comes here when the next
//! moment is due, and every few seconds; the page when a call has come.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use fail::fail_point;
use rusqlite::Connection;
use tracing::warn;
use uuid::Uuid;

use super::super::{Follow, Inbox, admission, hold, new};
use super::call;
use crate::chat::routines::{self as words, Late};
use crate::domain::access::Access;
use crate::domain::id::{ChatId, ChatThread, PromptId, RunId, UserId};
use crate::domain::outgoing::Outgoing;
use crate::domain::routine::{Missed, PausedFor, Routine};
use crate::domain::session::{Session, Source};
use crate::store::prompts::{self, Prompt};
use crate::store::{self, StoreError, calls, chats, closed, now, outbox, routines, runs};

/// A moment that is no older than this is not late.
const ON_TIME_MS: i64 = 5 * 60 * 1000;
/// So many passed moments are made up for, if all shall be.
const MADE_UP_MOST: usize = 50;

impl Inbox {
    /// Begins what is due. A call that cannot begin waits for the next time, and delays no other.
    pub async fn begin_routines(self: &Arc<Self>) -> Result<(), StoreError> {
        let mut behind = 0;
        loop {
            let _stays = self.moving.read().await;
            let inbox = Arc::clone(self);
            let begun = self
                .store
                .transaction(move |db| {
                    let around = Around {
                        access: &inbox.access,
                        workspaces: &inbox.workspaces,
                        data: &inbox.data,
                    };
                    begin_next(db, around, behind)
                })
                .await?;
            fail_point!("routine-begun", |_| std::process::abort());
            match begun {
                Begun::Queued(at, follow) => self.follow(at, follow),
                Begun::Waits(call, error) => {
                    behind = call;
                    self.say_that_it_waits(call, &error);
                }
                Begun::Nothing => return Ok(()),
            }
        }
    }

    /// Once for each call, however often it is tried.
    fn say_that_it_waits(&self, call: i64, error: &StoreError) {
        if self.call_waits.fetch_max(call, Relaxed) < call {
            warn!(%error, call, "the body of a call cannot be written down; the call waits and is tried again");
        }
    }
}

/// What has begun.
enum Begun {
    Queued(ChatThread, Follow),
    /// This call could not begin.
    Waits(i64, StoreError),
    Nothing,
}

/// What a beginning needs to know.
#[derive(Clone, Copy)]
pub(super) struct Around<'a> {
    pub access: &'a Access,
    pub workspaces: &'a Path,
    /// The data folder.
    pub data: &'a Path,
}

/// Begins what is due first; of the calls only those behind this one.
fn begin_next(db: &Connection, around: Around<'_>, behind: i64) -> rusqlite::Result<Begun> {
    if let Some(routine) = routines::due(db, 1)?.pop() {
        return Ok(Begun::Queued(routine.at, begin(db, around, &routine)?));
    }
    let Some(call) = calls::next_due(db, behind)? else {
        return Ok(Begun::Nothing);
    };
    let Some(routine) = routines::get(db, &call.routine)? else {
        return Ok(Begun::Nothing);
    };
    if !may_begin(db, around.access, &routine)? {
        return Ok(Begun::Queued(routine.at, pause_of_stranger(db, &routine)?));
    }
    Ok(
        match store::attempt(db, |db| call::take(db, around, &routine, &call)) {
            Ok(follow) => Begun::Queued(routine.at, follow),
            Err(error) => Begun::Waits(call.seq, error),
        },
    )
}

pub(super) fn pause_of_stranger(db: &Connection, routine: &Routine) -> rusqlite::Result<Follow> {
    routines::pause(db, &routine.id, PausedFor::Removal)?;
    outbox::insert(db, routine.at, &words::paused_by_removal(routine))?;
    Ok(Follow::default())
}

/// Whether who answers for it may still use the bot there, and anything can be told there.
pub(super) fn may_begin(
    db: &Connection,
    access: &Access,
    routine: &Routine,
) -> rusqlite::Result<bool> {
    let chat = routine.at.chat;
    Ok(match routine.user {
        Some(user) => {
            !closed::is_closed(db, chat)? && admission::admit(db, access, user, chat)?.is_some()
        }
        None => !closed::is_closed(db, chat)?,
    })
}

/// Begins a routine that is due, and plans its next moment.
fn begin(db: &Connection, around: Around<'_>, routine: &Routine) -> rusqlite::Result<Follow> {
    let Some(planned) = routine.planned_at else {
        routines::plan(db, &routine.id, None)?;
        return Ok(Follow::default());
    };
    if !may_begin(db, around.access, routine)? {
        return pause_of_stranger(db, routine);
    }
    let now = now();
    let (moment, missed) = moment(routine, planned, now);
    let is_late = now.saturating_sub(moment) > ON_TIME_MS;
    let follow = if routines::has_begun(db, &routine.id, moment)? {
        Follow::default()
    } else if is_late && routine.missed == Missed::Skip {
        routines::begin(db, &routine.id, moment, None, missed)?;
        say(
            db,
            routine,
            &words::left_out(routine, moment, missed + 1, now),
        )?;
        Follow::default()
    } else {
        let late = Late {
            planned: is_late.then(|| routine.in_zone(moment)),
            missed,
            is_by_hand: false,
        };
        let session = session(db, around.workspaces, routine)?;
        queue(db, &session, routine, moment, &late)?
    };
    match routine.next(moment) {
        Some(next) => routines::plan(db, &routine.id, Some(next))?,
        None => routines::end(db, &routine.id)?,
    }
    Ok(follow)
}

/// The moment that begins now, and how many before it are left out.
fn moment(routine: &Routine, planned: i64, now: i64) -> (i64, u32) {
    let passed = routine.when.missed(&routine.zone(), planned, now);
    match passed {
        None => (planned, 0),
        Some(passed) if routine.missed == Missed::All && passed.count <= MADE_UP_MOST => {
            (planned, 0)
        }
        Some(passed) => (
            passed.newest,
            u32::try_from(passed.count).unwrap_or(u32::MAX),
        ),
    }
}

/// Begins it now. The prompt is that of whoever wants it, so it does not end with its maker's rights. `None` if its last
/// run goes on still.
pub(super) fn by_hand(
    db: &Connection,
    workspaces: &Path,
    routine: Routine,
    user: Option<UserId>,
) -> rusqlite::Result<Option<Follow>> {
    if routines::goes_on(db, &routine.id)? {
        return Ok(None);
    }
    // No two moments are the same, whatever the clock says.
    let last = routines::last_begun(db, &routine.id)?;
    let moment = last.map_or(now(), |last| now().max(last + 1));
    let late = Late {
        is_by_hand: true,
        ..Late::default()
    };
    let session = session(db, workspaces, &routine)?;
    let wanted = Routine { user, ..routine };
    queue(db, &session, &wanted, moment, &late).map(Some)
}

/// Queues the prompt, notes the moment, and tells the chat.
pub(super) fn queue(
    db: &Connection,
    session: &Session,
    routine: &Routine,
    moment: i64,
    late: &Late,
) -> rusqlite::Result<Follow> {
    let at = routine.at;
    let run = RunId::new();
    runs::insert(db, run, &session.id, at)?;
    let prompt = Prompt {
        id: PromptId(Uuid::new_v4()),
        content: routine.prompt.clone(),
        message: None,
        user: routine.user,
        sent_at: None,
    };
    prompts::insert(db, run, &prompt)?;
    routines::begin(db, &routine.id, moment, Some(run), late.missed)?;
    let elsewhere = routine.is_fresh.then_some(session.id.0.as_str());
    say(db, routine, &words::begun(routine, late, elsewhere, now()))?;
    hold::tell(db, at)?;
    fail_point!("routine-queued", |_| std::process::abort());
    Ok(Follow {
        accepted: 1,
        ..Follow::wake(at)
    })
}

/// The chat's session, or a new one on its repository: the chat goes on talking to its own.
pub(super) fn session(
    db: &Connection,
    workspaces: &Path,
    routine: &Routine,
) -> rusqlite::Result<Session> {
    let current = chats::current_session(db, routine.at)?;
    match current {
        Some(current) if routine.is_fresh => {
            let (source, branch) = (current.source, current.wanted_branch);
            new::write_down(db, routine.at, workspaces, source, branch)
        }
        Some(current) => Ok(current),
        None => new::create(db, routine.at, workspaces, Source::Empty, None),
    }
}

/// The shell has no chat.
pub(super) fn say(db: &Connection, routine: &Routine, message: &Outgoing) -> rusqlite::Result<()> {
    match routine.at.chat {
        ChatId::SHELL => Ok(()),
        _ => outbox::insert(db, routine.at, message),
    }
}
