//! `session delete`: deletes a session, its workspace and its records; refuses if work would be lost, unless forced.

use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use anyhow::bail;
use rusqlite::Connection;
use uuid::Uuid;

use super::beside::Beside;
use crate::chat::shell as words;
use crate::config::{self, ForGit, Sources};
use crate::domain::id::{ChatId, JobId, RunId};
use crate::domain::session::{Session, Source};
use crate::files;
use crate::git::repository::Repository;
use crate::git::{Git, changes, snapshot, unique, workspace};
use crate::inbox::shell;
use crate::session::attached;
use crate::store::{chats, jobs, outbox, runs, sessions};

/// How long the session's folder may take to answer.
const DISK_PATIENCE: Duration = Duration::from_secs(5);

pub(super) fn delete(
    sources: &Sources,
    beside: &mut Beside,
    name: &str,
    force: bool,
) -> anyhow::Result<()> {
    let settings = config::for_git(sources)?;
    let session = beside.session(name)?;
    refuse_dead_disk(&session.workspace)?;
    // Locked as by a terminal: nothing begins there between the check and the deletion.
    let held = beside.take(&session)?;
    let deleted = delete_held(&settings, beside, &session, force);
    if deleted.is_err() {
        beside.write(|db| Ok(sessions::set_attached(db, &session.id, false)?))?;
    }
    held.release();
    deleted
}

/// Errors: the disk does not answer; git would wait for it as long, with the session locked.
fn refuse_dead_disk(workspace: &Path) -> anyhow::Result<()> {
    let (answer, answered) = mpsc::channel();
    let path = workspace.to_owned();
    std::thread::spawn(move || answer.send(path.exists()));
    if answered.recv_timeout(DISK_PATIENCE).is_err() {
        bail!(
            "{} does not answer, and nothing was done; is its disk there?",
            workspace.display()
        );
    }
    Ok(())
}

fn delete_held(
    settings: &ForGit,
    beside: &mut Beside,
    session: &Session,
    force: bool,
) -> anyhow::Result<()> {
    let name = &session.id;
    beside.write(|db| mark(db, session))?;
    let git = Git {
        environment: settings.environment.clone(),
        scratch: beside.data().join("scratch"),
        snapshots: beside.data().join("snapshots"),
        file_max: 0,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let prefix = &settings.branch_prefix;
    if !force {
        let lost = runtime.block_on(would_be_lost(&git, session, prefix));
        if !lost.is_empty() {
            let too = match runtime.block_on(ignored(&git, &session.workspace)) {
                Some(ignored) => format!(" (so would go what git ignores: {ignored})"),
                None => String::new(),
            };
            bail!(
                "session {name} was left as it is, because this is nowhere else: {}{too}. --force deletes it all the same",
                lost.join("; ")
            );
        }
    }
    let ignored = runtime.block_on(ignored(&git, &session.workspace));
    let gone = beside.write(|db| forget(db, session))?;
    runtime.block_on(async {
        snapshot::forget_all(Repository::new(&git, &session.workspace));
        workspace::remove(&git, session, prefix).await;
    });
    remove(&beside.runs(), gone.runs.iter().map(|run| run.0));
    remove(
        &beside.data().join("checks"),
        gone.jobs.iter().map(|job| job.0),
    );
    attached::forget(beside.data(), name);
    let _ = std::fs::remove_dir_all(files::folder(beside.data(), name));
    print_line!("Session {name} is deleted, with its workspace and the records of its runs.");
    if let Some(ignored) = ignored {
        print_line!("What git ignores there went with it: {ignored}.");
    }
    if session.workspace.exists() {
        bail!(
            "its folder {} could not be removed completely; remove it by hand",
            session.workspace.display()
        );
    }
    Ok(())
}

/// Removes folders named by ids; most jobs have none.
fn remove(within: &Path, ids: impl Iterator<Item = Uuid>) {
    for id in ids {
        let _ = std::fs::remove_dir_all(within.join(id.to_string()));
    }
}

/// From here on nothing begins in the session.
fn mark(db: &Connection, session: &Session) -> anyhow::Result<()> {
    if sessions::is_busy(db, &session.id)? || !shell::take(db, session)? {
        bail!(
            "something runs or waits in session {}, and nothing was done; telecoder session stop {} ends it",
            session.id,
            session.id
        );
    }
    Ok(())
}

/// The records to remove with a session.
struct Gone {
    runs: Vec<RunId>,
    jobs: Vec<JobId>,
}

/// Deletes the rows of a marked session. Errors: a prompt came meanwhile; it stays, and so does the session.
fn forget(db: &Connection, session: &Session) -> anyhow::Result<Gone> {
    if sessions::is_busy(db, &session.id)? {
        bail!(
            "somebody has just asked for something in session {}; nothing was done",
            session.id
        );
    }
    let at = sessions::place(db, &session.id)?;
    let is_current = chats::current_session(db, at)?.is_some_and(|now| now.id == session.id);
    let back = match is_current {
        true => Some(chats::return_from(db, session)?),
        false => None,
    };
    let gone = Gone {
        runs: runs::of_session(db, &session.id)?,
        jobs: jobs::of_session(db, &session.id)?,
    };
    sessions::delete(db, &session.id)?;
    if at.chat != ChatId::SHELL {
        outbox::insert(db, at, &words::deleted(&session.id, back))?;
    }
    Ok(gone)
}

/// The work that would be lost with the workspace, one thing an entry.
async fn would_be_lost(git: &Git, session: &Session, branch_prefix: &str) -> Vec<String> {
    let folder = &session.workspace;
    if !folder.is_dir() || snapshot::is_empty(folder) {
        return Vec::new();
    }
    if session.source == Source::Empty {
        return vec![format!("the workspace {} is not empty", folder.display())];
    }
    let mut lost = Vec::new();
    lost.extend(uncommitted(git, folder, "").await);
    match unique::commits(git, session, branch_prefix).await {
        Ok(0) => {}
        Ok(1) => lost.push("1 commit is on no other branch".to_owned()),
        Ok(many) => lost.push(format!("{many} commits are on no other branch")),
        Err(error) => lost.push(format!(
            "git cannot say which commits are nowhere else ({error})"
        )),
    }
    for name in unique::within(folder) {
        let inner = folder.join(&name);
        let place = format!("in {}: ", name.display());
        lost.extend(uncommitted(git, &inner, &place).await);
        match unique::commits_within(git, &inner).await {
            Ok(0) => {}
            Ok(1) => lost.push(format!("{place}1 commit is on no remote branch")),
            Ok(many) => lost.push(format!("{place}{many} commits are on no remote branch")),
            Err(error) => lost.push(format!(
                "{place}git cannot say which commits are nowhere else ({error})"
            )),
        }
    }
    lost
}

async fn uncommitted(git: &Git, folder: &Path, place: &str) -> Option<String> {
    let changed = changes::uncommitted(git, folder).await;
    match changed.map(|changed| changed.len()) {
        Ok(0) => None,
        Ok(1) => Some(format!("{place}1 changed file is not committed")),
        Ok(many) => Some(format!("{place}{many} changed files are not committed")),
        Err(error) => Some(format!(
            "{place}git cannot say what is not committed ({error})"
        )),
    }
}

/// The files that git ignores are not asked about, but named: nobody brings them back.
async fn ignored(git: &Git, folder: &Path) -> Option<String> {
    const NAMED: usize = 5;
    let names = changes::ignored(git, folder).await.ok()?;
    let more = match names.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let shown = names.iter().take(NAMED).map(String::as_str);
    let shown: Vec<&str> = shown.collect();
    (!shown.is_empty()).then(|| format!("{}{more}", shown.join(", ")))
}
