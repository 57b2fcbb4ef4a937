//! What a chat has to do next, as the store says; the worker does it.

use rusqlite::Connection;

use crate::chat::workspace;
use crate::domain::id::{ChatThread, JobId, RunId, SessionId};
use crate::domain::job::Lane;
use crate::domain::session::SessionState;
use crate::run::ending;
use crate::store::{jobs, outbox, processes, runs, sessions, waiting};

/// The chat's next piece of work, by ids alone: whoever waits for a claim or a place reads the rest when it may begin,
/// because it may have changed meanwhile.
pub(super) enum Work {
    /// A run that is running already.
    Follow(RunId),
    /// A workspace is to be made.
    Prepare(SessionId),
    Start(RunId),
    Do(JobId),
    /// A claude lives on after its run.
    Watch(RunId),
    /// The next prompt may get more messages until this time, in Unix milliseconds.
    Wait(i64),
}

/// The next work of a lane: the running run, then jobs, which are about ended runs, then the oldest waiting run.
pub(super) fn next(db: &Connection, at: ChatThread, lane: Lane) -> rusqlite::Result<Option<Work>> {
    if lane.is_beside_runs() {
        return next_job(db, at, lane);
    }
    if let Some(run) = runs::running(db, at)? {
        let has_session = sessions::get(db, &run.session)?.is_some();
        return Ok(has_session.then_some(Work::Follow(run.id)));
    }
    if let Some(job) = next_job(db, at, lane)? {
        return Ok(Some(job));
    }
    let mut queued = None;
    while let Some(run) = waiting::next_queued(db, at)? {
        match sessions::get(db, &run.session)? {
            Some(session) if session.state != SessionState::Failed => {
                queued = Some((run, session));
                break;
            }
            // Nothing can run there, and later prompts must not wait for ever.
            _ => {
                let reason = "its session has no workspace".to_owned();
                ending::fail_waiting(db, run.id, reason)?;
                let reply = workspace::no_workspace().replying_to(run.asked_by);
                outbox::insert(db, at, &reply)?;
            }
        }
    }
    Ok(match (queued, sessions::next_new(db, at)?) {
        (Some((run, session)), _) if session.state == SessionState::Ready => {
            Some(Work::Start(run.id))
        }
        (_, Some(session)) => Some(Work::Prepare(session.id)),
        _ => match waiting::next_gathers_until(db, at)? {
            Some(until) => Some(Work::Wait(until)),
            None => processes::at(db, at)?
                .first()
                .map(|process| Work::Watch(process.id)),
        },
    })
}

fn next_job(db: &Connection, at: ChatThread, lane: Lane) -> rusqlite::Result<Option<Work>> {
    let Some(job) = jobs::next(db, at, lane)? else {
        return Ok(None);
    };
    let has_session = sessions::get(db, &job.session)?.is_some();
    Ok(has_session.then_some(Work::Do(job.id)))
}
