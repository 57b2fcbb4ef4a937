//! `/status`: one look at the store.

use std::time::Duration;

use rusqlite::Connection;

use crate::chat::Outgoing;
use crate::chat::status::{self, Facts};
use crate::id::ChatThread;
use crate::store::{chats, now, runs};

pub(super) fn look(db: &Connection, at: ChatThread, max_runs: u64) -> rusqlite::Result<Outgoing> {
    let session = chats::current_session(db, at)?;
    let running = runs::running(db, at)?;
    let mut facts = Facts {
        running_for: running.as_ref().and_then(|run| run.started_at).map(since),
        running_elsewhere: running.as_ref().is_some_and(|run| {
            session
                .as_ref()
                .is_none_or(|session| session.id != run.session)
        }),
        waiting: runs::queued_count(db, at)?,
        no_free_place: runs::running_count(db)? >= max_runs,
        session: None,
        last: None,
        last_ago: None,
        cost_usd: 0.0,
        runs: 0,
    };
    if let Some(session) = &session {
        facts.last = runs::last_ended(db, &session.id)?;
        facts.last_ago = facts.last.as_ref().map(|last| since(last.ended_at));
        (facts.cost_usd, facts.runs) = runs::session_totals(db, &session.id)?;
    }
    facts.session = session;
    Ok(status::status(&facts))
}

fn since(moment_ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(now() - moment_ms).unwrap_or(0))
}
