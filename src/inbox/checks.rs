//! `/checks` and `/autofix`: which commands measure a session's runs.

use rusqlite::Connection;

use super::Follow;
use super::button::Pressed;
use crate::chat::checks::{self as words, Known};
use crate::chat::{changes, toast};
use crate::command::ChecksChange;
use crate::domain::check::Commands;
use crate::domain::id::{ChatId, ChatThread, SessionId};
use crate::domain::job::{Job, Task};
use crate::domain::session::{Session, SessionState};
use crate::store::{Store, StoreError, chats, jobs, outbox, sessions};
use crate::verify::commands::{self, Found};

/// Settings for all sessions.
#[derive(Clone)]
pub(super) struct ForAll {
    pub defaults: Commands,
    pub trusts_repository: bool,
}

/// Looks for checks in the workspace.
pub(super) async fn look(store: &Store, at: ChatThread) -> Result<Found, StoreError> {
    let session = store
        .transaction(move |db| chats::current_session(db, at))
        .await?;
    let ready = session.filter(|session| session.state == SessionState::Ready);
    Ok(match ready {
        Some(session) => commands::look(session.workspace).await,
        None => Found::default(),
    })
}

/// Makes the change and shows the checks as they are.
pub(super) fn change(
    db: &Connection,
    at: ChatThread,
    for_all: &ForAll,
    change: ChecksChange,
    found: &Found,
) -> rusqlite::Result<Follow> {
    let Some(mut session) = chats::current_session(db, at)? else {
        outbox::insert(db, at, &changes::no_session())?;
        return Ok(Follow::default());
    };
    let mut sets_up = false;
    session.checks = match change {
        ChecksChange::Show => session.checks,
        ChecksChange::Auto => Commands::default(),
        ChecksChange::Off => Commands {
            test: Some(String::new()),
            lint: Some(String::new()),
            ..session.checks
        },
        ChecksChange::Set(given) => {
            sets_up = given.setup.as_ref().is_some_and(|setup| !setup.is_empty());
            Commands {
                setup: given.setup.or(session.checks.setup),
                test: given.test.or(session.checks.test),
                lint: given.lint.or(session.checks.lint),
            }
        }
    };
    sessions::set_checks(db, &session.id, &session.checks)?;
    let mut known = known(&session, for_all, found);
    // A workspace that is still to be made gets it then.
    known.sets_up = sets_up && session.state == SessionState::Ready;
    let mut follow = Follow::default();
    if known.sets_up {
        set_up(db, &session)?;
        follow = Follow::wake(at);
    }
    if known.offers() {
        sessions::set_offered(db, &session.id, &known.found)?;
    }
    outbox::insert(db, at, &words::checks(&known))?;
    Ok(follow)
}

/// Runs the command that sets the workspace up, unless that is still to begin.
fn set_up(db: &Connection, session: &Session) -> rusqlite::Result<()> {
    let due = jobs::due_in(db, &session.id)?;
    let is_to_begin = |job: &Job| job.task == Task::Setup && job.begun_at.is_none();
    if !due.iter().any(is_to_begin) {
        jobs::insert(db, &session.id, session.at, &Task::Setup, None)?;
    }
    Ok(())
}

fn known(session: &Session, for_all: &ForAll, found: &Found) -> Known {
    let file = found.file.as_deref();
    let file_fault = match file {
        Some(_) if !for_all.trusts_repository => {
            Some("it counts only where TELECODER_REPO_CHECKS=true says so".to_owned())
        }
        Some(text) => commands::of_file(text).err(),
        None => None,
    };
    Known {
        session: session.id.clone(),
        own: session.checks.clone(),
        chosen: commands::chosen(
            &session.checks,
            &for_all.defaults,
            file.filter(|_| for_all.trusts_repository),
        ),
        setup: commands::setup(
            session,
            &for_all.defaults,
            file.filter(|_| for_all.trusts_repository),
        ),
        sets_up: false,
        found: found.detected.clone(),
        file_fault,
    }
}

/// "Use them": the checks offered last are used from now on, and run immediately.
pub(super) fn use_pressed(
    db: &Connection,
    chat: ChatId,
    id: &SessionId,
) -> rusqlite::Result<Pressed> {
    let session = sessions::get(db, id)?.filter(|session| session.at.chat == chat);
    let Some(session) = session else {
        return Ok(Pressed::over(toast::NO_EFFECT));
    };
    let offered = Commands {
        setup: session.checks.setup,
        ..sessions::offered(db, id)?
    };
    if offered.has_no_checks() {
        return Ok(Pressed::over(toast::NO_EFFECT));
    }
    sessions::set_checks(db, id, &offered)?;
    outbox::insert(db, session.at, &words::in_use(&offered))?;
    jobs::insert(db, id, session.at, &Task::Check, None)?;
    Ok(Pressed::over(toast::CHECKS_SET).with(Follow::wake(session.at)))
}

/// `/autofix`
pub(super) fn autofix(
    db: &Connection,
    at: ChatThread,
    wanted: Option<bool>,
) -> rusqlite::Result<Follow> {
    let reply = match chats::current_session(db, at)? {
        None => changes::no_session(),
        Some(session) => {
            let is_on = wanted.unwrap_or(session.autofix);
            sessions::set_autofix(db, &session.id, is_on)?;
            words::autofix(is_on)
        }
    };
    outbox::insert(db, at, &reply)?;
    Ok(Follow::default())
}
