//! `/checks` and `/autofix`: which commands measure a session's runs.

use std::path::PathBuf;

use rusqlite::Connection;

use super::Follow;
use super::button::Pressed;
use crate::chat::checks::{self as words, Known};
use crate::chat::{Outgoing, toast, workspace};
use crate::command::ChecksChange;
use crate::id::{ChatId, ChatThread, SessionId};
use crate::session::{Checks, Session, SessionState};
use crate::store::{Store, StoreError, chats, outbox, sessions};
use crate::verify::commands::{self, Defaults, REPOSITORY_FILE};

/// What holds for all sessions.
#[derive(Clone)]
pub(super) struct ForAll {
    pub defaults: Defaults,
    pub trusts_repository: bool,
}

/// What the files in a workspace say.
#[derive(Clone, Default)]
pub(super) struct Found {
    detected: Defaults,
    /// The text of the repository's own file.
    file: Option<String>,
}

/// Looks at the workspace, beside the store: its disk may not answer.
pub(super) async fn look(store: &Store, at: ChatThread) -> Result<Found, StoreError> {
    let session = store
        .transaction(move |db| chats::current_session(db, at))
        .await?;
    let ready = session.filter(|session| session.state == SessionState::Ready);
    let Some(workspace) = ready.map(|session| session.workspace) else {
        return Ok(Found::default());
    };
    let looked = tokio::task::spawn_blocking(move || Found {
        detected: commands::detect(&workspace),
        file: std::fs::read_to_string(PathBuf::from(&workspace).join(REPOSITORY_FILE)).ok(),
    });
    Ok(looked.await.unwrap_or_default())
}

/// Changes what was asked for, and says how it is now.
pub(super) fn change(
    db: &Connection,
    at: ChatThread,
    for_all: &ForAll,
    change: ChecksChange,
    found: &Found,
) -> rusqlite::Result<Follow> {
    let Some(mut session) = chats::current_session(db, at)? else {
        outbox::insert(db, at, &workspace::no_session())?;
        return Ok(Follow::default());
    };
    session.checks = match change {
        ChecksChange::Show => session.checks,
        ChecksChange::Auto => Checks::default(),
        ChecksChange::Off => Checks {
            test: Some(String::new()),
            lint: Some(String::new()),
        },
        ChecksChange::Set { test, lint } => Checks {
            test: test.or(session.checks.test),
            lint: lint.or(session.checks.lint),
        },
    };
    sessions::set_checks(db, &session.id, &session.checks)?;
    outbox::insert(db, at, &told(&session, for_all, found))?;
    Ok(Follow::default())
}

fn told(session: &Session, for_all: &ForAll, found: &Found) -> Outgoing {
    let file = found.file.as_deref();
    let file_fault = match file {
        Some(_) if !for_all.trusts_repository => {
            Some("it counts only where TELECODER_REPO_CHECKS=true says so".to_owned())
        }
        Some(text) => commands::of_file(text).err(),
        None => None,
    };
    words::checks(&Known {
        session: session.id.clone(),
        chosen: commands::chosen(
            &session.checks,
            &for_all.defaults,
            file.filter(|_| for_all.trusts_repository),
        ),
        found: found.detected.clone(),
        file_fault,
    })
}

/// "Use them": what was found in the workspace is found again, so that the button can be of any age.
pub(super) fn use_pressed(
    db: &Connection,
    chat: ChatId,
    id: &SessionId,
) -> rusqlite::Result<Pressed> {
    let session = sessions::get(db, id)?.filter(|session| session.at.chat == chat);
    let Some(session) = session else {
        return Ok(Pressed::over(toast::NO_EFFECT));
    };
    let found = commands::detect(&session.workspace);
    let checks = Checks {
        test: session.checks.test.or(found.test),
        lint: session.checks.lint.or(found.lint),
    };
    sessions::set_checks(db, id, &checks)?;
    Ok(Pressed::over(toast::CHECKS_SET))
}

/// `/autofix`
pub(super) fn autofix(
    db: &Connection,
    at: ChatThread,
    wanted: Option<bool>,
) -> rusqlite::Result<Follow> {
    let reply = match chats::current_session(db, at)? {
        None => workspace::no_session(),
        Some(session) => {
            let is_on = wanted.unwrap_or(session.autofix);
            sessions::set_autofix(db, &session.id, is_on)?;
            words::autofix(is_on)
        }
    };
    outbox::insert(db, at, &reply)?;
    Ok(Follow::default())
}
