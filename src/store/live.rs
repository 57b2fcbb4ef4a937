//! Which message follows a run, a job or the making of a workspace, so that a restart finds it again.

use rusqlite::Connection;

use super::{jobs, runs, sessions};
use crate::domain::id::MessageId;
use crate::domain::live::LiveOf;

pub fn set_message(db: &Connection, of: &LiveOf, message: MessageId) -> rusqlite::Result<()> {
    match of {
        LiveOf::Run(run) => runs::set_live_message(db, *run, message),
        LiveOf::Job(job) => jobs::set_live_message(db, *job, message),
        LiveOf::Setup(session) => sessions::set_live_message(db, session, message),
    }
}

/// Forgets a live message that shows how its subject ended, or that is gone.
pub fn forget_message(db: &Connection, of: &LiveOf) -> rusqlite::Result<()> {
    match of {
        LiveOf::Run(run) => runs::forget_live_message(db, *run),
        LiveOf::Job(job) => jobs::forget_live_message(db, *job),
        LiveOf::Setup(session) => sessions::forget_live_message(db, session),
    }
}
