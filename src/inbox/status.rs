//! `/status`: one look at the store.

use std::time::Duration;

use jiff::Zoned;
use rusqlite::Connection;

use crate::chat::hold as words;
use crate::chat::status::{self, Facts};
use crate::domain::id::ChatThread;
use crate::domain::job::Lane;
use crate::domain::outgoing::Outgoing;
use crate::health::SeenWebhook;
use crate::store::{
    chats, holds, jobs, late, now, parked, processes, questions, runs, sessions, settings, waiting,
};

/// What is not in the store.
pub(super) struct Bot {
    pub max_runs: u64,
    /// Another program has been polling with the same token for so long.
    pub other_poller_for: Option<Duration>,
    pub webhook: Option<SeenWebhook>,
    /// The owner hears of other chats' trouble too.
    pub is_owner_here: bool,
}

pub(super) fn look(db: &Connection, at: ChatThread, bot: &Bot) -> rusqlite::Result<Outgoing> {
    let session = chats::current_session(db, at)?;
    let running = runs::running(db, at)?;
    let mut facts = Facts {
        running_for: running.as_ref().and_then(|run| run.started_at).map(since),
        running_elsewhere: running.as_ref().is_some_and(|run| {
            session
                .as_ref()
                .is_none_or(|session| session.id != run.session)
        }),
        asks: match &running {
            Some(run) => questions::open_count(db, run.id)?,
            None => 0,
        },
        waiting: waiting::queued_count(db, at)?,
        late: late::count(db, at)?,
        hold: hold_line(db, at)?,
        thread: at.thread,
        no_free_place: runs::running_count(db)? >= bot.max_runs,
        not_delivered: parked::not_delivered(db, at.chat)?,
        other_poller_for: bot.other_poller_for,
        webhook: bot
            .webhook
            .as_ref()
            .map(|seen| (seen.since.elapsed(), seen.host.clone())),
        ..Facts::default()
    };
    for lane in Lane::ALL {
        let job = jobs::next(db, at, lane)?;
        facts.job = facts
            .job
            .or(job.map(|job| (job.task, since(job.begun_at.unwrap_or_else(now)))));
    }
    if bot.is_owner_here {
        facts.not_delivered_elsewhere = parked::not_delivered_elsewhere(db, at.chat)?;
    }
    if let Some(session) = &session {
        facts.in_background = processes::of_session(db, &session.id)?
            .map(|process| process.background)
            .unwrap_or_default();
        facts.reported = sessions::reported(db, &session.id)?;
        facts.effort = settings::choices(db, at.chat)?.effort;
        facts.is_at_terminal = sessions::is_attached(db, &session.id)?;
        facts.last = runs::last_ended(db, &session.id)?;
        facts.last_ago = facts.last.as_ref().map(|last| since(last.ended_at));
        (facts.cost_usd, facts.runs) = runs::session_totals(db, &session.id)?;
    }
    facts.session = session;
    Ok(status::status(&facts))
}

fn hold_line(db: &Connection, at: ChatThread) -> rusqlite::Result<Option<words::StatusLine>> {
    let clock = Zoned::now();
    Ok(holds::of(db, at)?.map(|hold| {
        let end = hold.end_in(clock.time_zone().clone());
        words::status_line(hold.why, end.as_ref(), &clock)
    }))
}

fn since(moment_ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(now() - moment_ms).unwrap_or(0))
}
