//! `session verify`: runs the checks of a session now.

use anyhow::bail;
use rusqlite::Connection;

use super::LOOK_AGAIN;
use super::beside::{Beside, NoBot};
use super::listing::print_evidence;
use crate::cli::screen;
use crate::domain::check::Commands;
use crate::domain::evidence::Evidence;
use crate::domain::id::{JobId, SessionId};
use crate::domain::job::Task;
use crate::domain::session::{Session, SessionState};
use crate::public;
use crate::store::{jobs, sessions, verifications};

/// Has the bot run the checks of a session.
pub(super) fn verify(
    beside: &mut Beside,
    name: &str,
    test_cmd: Option<String>,
    lint_cmd: Option<String>,
    json: bool,
) -> anyhow::Result<()> {
    let session = beside.session(name)?;
    if session.state != SessionState::Ready {
        bail!("session {name} has no workspace yet; nothing was done");
    }
    let job = beside.write(|db| ask(db, &session, test_cmd, lint_cmd))?;
    let Some(evidence) = wait(beside, &session.id, job)? else {
        bail!(NoBot(
            "the checks run when telecoder does, and the chat is told"
        ));
    };
    if json {
        screen::print_json(&public::Evidence::from(&evidence))?;
    } else {
        print_evidence(&evidence);
    }
    if evidence.is_red() {
        bail!("a check has failed");
    }
    if evidence.checks.is_empty() {
        bail!("no check is set up, so none ran");
    }
    if !evidence.is_green() {
        bail!("no check failed, but not each ran to its end and passed");
    }
    Ok(())
}

/// Stores the job that runs the checks, and the commands that were given.
fn ask(
    db: &Connection,
    session: &Session,
    test_cmd: Option<String>,
    lint_cmd: Option<String>,
) -> anyhow::Result<JobId> {
    if test_cmd.is_some() || lint_cmd.is_some() {
        let now = sessions::get(db, &session.id)?.map(|session| session.checks);
        let now = now.unwrap_or_default();
        let checks = Commands {
            test: test_cmd.or(now.test),
            lint: lint_cmd.or(now.lint),
            ..now
        };
        sessions::set_checks(db, &session.id, &checks)?;
    }
    let at = sessions::place(db, &session.id)?;
    Ok(jobs::insert(db, &session.id, at, &Task::Check, None)?)
}

/// Waits for the bot to do a job; `None` if no bot is running.
fn wait(beside: &Beside, session: &SessionId, job: JobId) -> anyhow::Result<Option<Evidence>> {
    let db = &beside.db;
    let mut told = false;
    loop {
        // Reads first whether the job is done: its result is stored in the same transaction.
        let is_due = jobs::due_under(db, job)?.is_some();
        if let Some((_, evidence)) = verifications::of_job(db, job)? {
            return Ok(Some(evidence));
        }
        if !is_due {
            bail!("the checks were not run; the chat says why");
        }
        if !beside.has_bot() {
            return Ok(None);
        }
        if !told && sessions::is_attached(db, session)? {
            screen::print_beside(
                "The session is open in a terminal; the checks wait until it is handed back.",
            );
            told = true;
        }
        std::thread::sleep(LOOK_AGAIN);
    }
}
