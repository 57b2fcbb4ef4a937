//! `session delete`: a session goes, with its workspace and its records; never with work that is nowhere else, unless
//! that is wanted.

use anyhow::bail;
use rusqlite::Connection;

use super::beside::Beside;
use crate::chat::shell as words;
use crate::config::{self, Sources};
use crate::git::{Git, changes, snapshot, unique, workspace};
use crate::id::{ChatId, RunId};
use crate::session::attached;
use crate::session::{Session, Source};
use crate::store::{chats, outbox, runs, sessions};

pub(super) fn delete(
    sources: &Sources,
    beside: &mut Beside,
    name: &str,
    force: bool,
) -> anyhow::Result<()> {
    let settings = config::for_claude(sources)?;
    let session = beside.session(name)?;
    let git = Git {
        environment: settings.environment,
        scratch: beside.data().join("scratch"),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    if !force {
        let lost = runtime.block_on(would_be_lost(&git, &session));
        if !lost.is_empty() {
            bail!(
                "session {name} was left as it is, because this is nowhere else: {}. --force deletes it all the same",
                lost.join("; ")
            );
        }
    }
    let gone = beside.write(|db| forget(db, &session))?;
    runtime.block_on(workspace::remove(&git, &session, &settings.branch_prefix));
    for run in &gone {
        let _ = std::fs::remove_dir_all(beside.runs().join(run.to_string()));
    }
    attached::forget(beside.data(), &session.id);
    println!("Session {name} is deleted, with its workspace and the records of its runs.");
    if session.workspace.exists() {
        bail!(
            "its folder {} could not be removed whole; remove it by hand",
            session.workspace.display()
        );
    }
    Ok(())
}

/// Forgets a session in which nothing goes on; returns its runs.
fn forget(db: &Connection, session: &Session) -> anyhow::Result<Vec<RunId>> {
    if sessions::is_attached(db, &session.id)? {
        bail!(
            "session {} is open in a terminal; nothing was done",
            session.id
        );
    }
    if sessions::is_busy(db, &session.id)? {
        bail!(
            "something is running in session {}, or waits there, and nothing was done; telecoder session stop {} \
             ends it",
            session.id,
            session.id
        );
    }
    let at = sessions::place(db, &session.id)?;
    let is_current = chats::current_session(db, at)?.is_some_and(|now| now.id == session.id);
    if is_current {
        chats::return_from(db, session)?;
    }
    let gone = runs::of_session(db, &session.id)?;
    sessions::delete(db, &session.id)?;
    if at.chat != ChatId::SHELL {
        outbox::insert(db, at, &words::deleted(&session.id, is_current))?;
    }
    Ok(gone)
}

/// What would be gone with the workspace; a thing an entry, for a person.
async fn would_be_lost(git: &Git, session: &Session) -> Vec<String> {
    let folder = &session.workspace;
    if !folder.is_dir() || snapshot::is_empty(folder) {
        return Vec::new();
    }
    if session.source == Source::Empty {
        return vec![format!("the workspace {} is not empty", folder.display())];
    }
    let mut lost = Vec::new();
    match changes::uncommitted(git, folder).await {
        Ok(changed) if changed.is_empty() => {}
        Ok(changed) => lost.push(match changed.len() {
            1 => "1 changed file is not committed".to_owned(),
            many => format!("{many} changed files are not committed"),
        }),
        Err(error) => lost.push(format!("git cannot say what is not committed ({error})")),
    }
    match unique::commits(git, folder, session.branch.as_deref()).await {
        Ok(0) => {}
        Ok(1) => lost.push("1 commit is on no other branch".to_owned()),
        Ok(many) => lost.push(format!("{many} commits are on no other branch")),
        Err(error) => lost.push(format!("git cannot say what is not pushed ({error})")),
    }
    lost
}
