//! The database: whether it is whole and of this version, what waits in it, and whether sessions and workspaces match.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};
use uuid::Uuid;

use super::Ground;
use super::report::{Check, Finding, bytes, counted};
use crate::claude::folder::{Kept, RunFolder};
use crate::daemon::DATABASE;
use crate::domain::id::RunId;
use crate::domain::session::SessionState;
use crate::store::checkup::{self, Schema, Waiting};
use crate::store::{people, records, sessions};

/// How long the check of the whole file may take.
const LOOK: Duration = Duration::from_secs(5);
/// A WAL this large was not written back for long.
const LARGE_WAL: u64 = 100_000_000;
/// How long a running bot may take to see that a keeper is gone.
const BOT_SEES_IT: Duration = Duration::from_secs(2);
/// At most this many are named.
const NAMED: usize = 5;
const RESTORE: &str =
    "Stop telecoder, keep a copy of the file, and restore a backup: docs/RELIABILITY.md says how";

pub(super) fn look(ground: &Ground) -> Vec<Finding> {
    let Some(data) = &ground.known.data else {
        return vec![Check::Database.remark("not looked at: there is no data folder")];
    };
    let file = data.join(DATABASE);
    if !file.exists() {
        return vec![Check::Database.remark("not there yet; telecoder makes it when it starts")];
    }
    let size = |path: &Path| path.metadata().map_or(0, |file| file.len());
    let (bytes_of_file, bytes_of_wal) = (size(&file), size(&data.join(format!("{DATABASE}-wal"))));
    let db = match checkup::open(&file) {
        Ok(db) => db,
        Err(error) => return vec![unusable(&error)],
    };
    let mut findings = vec![whole(&db, bytes_of_file, bytes_of_wal)];
    findings.extend(invited(&db));
    let rest = waiting(&db, ground, data).and_then(|mut rest| {
        rest.push(workspaces(&db, data)?);
        rest.extend(unknown_records(&db, data)?);
        Ok(rest)
    });
    match rest {
        Ok(rest) => findings.extend(rest),
        Err(_) => {
            findings.push(Check::Waiting.remark("not looked at: the database cannot be read"))
        }
    }
    findings
}

/// The invited people, besides those in the settings; an older database has none.
fn invited(db: &Connection) -> Option<Finding> {
    let invited = people::all(db).ok().filter(|people| !people.is_empty())?;
    let count = counted(invited.len(), "more person was", "more people were");
    let names: Vec<String> = invited
        .into_iter()
        .map(|person| format!("{} ({})", person.name, person.user.0))
        .collect();
    Some(Check::People.good(format!("{count} invited: {}", some_of(names))))
}

fn unusable(error: &rusqlite::Error) -> Finding {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Check::Database.warning(
            "another program has it locked, so it was not looked at",
            "Try again; if it stays locked, find the program: fuser -v telecoder.db",
        ),
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => {
            Check::Database.broken(
                format!("it cannot be opened: {error}"),
                "Run this as the owner of the data folder",
            )
        }
        _ => Check::Database.broken(format!("it cannot be used: {error}"), RESTORE),
    }
}

fn whole(db: &Connection, size: u64, wal: u64) -> Finding {
    match checkup::schema(db) {
        Ok(Schema::Same) => {}
        Ok(Schema::Older) => {
            return Check::Database.warning(
                "it is of an older telecoder than this one",
                "Nothing to do: it is brought up to date when this telecoder starts",
            );
        }
        Ok(Schema::Newer) => {
            return Check::Database.broken(
                "it is of a newer telecoder than this one, which would not start with it",
                "Install the newer telecoder again",
            );
        }
        Err(error) => return unusable(&error),
    }
    let sizes = match wal {
        0 => bytes(size),
        wal => format!(
            "{}, with {} of it still in its log",
            bytes(size),
            bytes(wal)
        ),
    };
    match within_limit(db, |db| checkup::faults(db, size)) {
        Ok(faults) if !faults.is_empty() => Check::Database.broken(
            format!("it is damaged: {}", faults.join("; ").replace('\n', " ")),
            RESTORE,
        ),
        Ok(_) if wal > LARGE_WAL => Check::Database.warning(
            format!("whole, but its log is large ({sizes})"),
            "A program reads it all the time; restart telecoder, and look for others that have it open",
        ),
        Ok(_) => Check::Database.good(format!("whole; {sizes}")),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => {
            Check::Database.remark(format!(
                "opens; too large to check in {} s ({sizes})",
                LOOK.as_secs()
            ))
        }
        Err(error) => unusable(&error),
    }
}

/// A query that is given up if it takes too long.
fn within_limit<T>(
    db: &Connection,
    look: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let (done, is_done) = mpsc::channel::<()>();
    let handle = db.get_interrupt_handle();
    std::thread::spawn(move || {
        if is_done.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
            handle.interrupt();
        }
    });
    let found = look(db);
    drop(done);
    found
}

fn waiting(db: &Connection, ground: &Ground, data: &Path) -> rusqlite::Result<Vec<Finding>> {
    let waiting = checkup::waiting(db)?;
    let mut findings = Vec::new();
    if waiting.parked > 0 {
        findings.push(Check::Waiting.warning(
            format!(
                "{} could not be delivered, in {}",
                counted(waiting.parked, "message", "messages"),
                counted(waiting.parked_chats, "chat", "chats")
            ),
            "/status in that chat says why, and has a button that sends them",
        ));
    }
    if waiting.set_aside > 0 {
        findings.push(Check::Waiting.warning(
            format!(
                "{} of the last seven days failed three times and had no effect",
                counted(waiting.set_aside, "message", "messages")
            ),
            "Whoever wrote them was told and can write again; the log has the reason",
        ));
    }
    if waiting.held > 0 {
        findings.push(Check::Waiting.warning(
            format!(
                "{} for somebody to decide",
                counted(waiting.held, "late prompt waits", "late prompts wait")
            ),
            "/status in the chat has buttons that run or drop them",
        ));
    }
    let without_keeper = without_keeper(db, ground, data, waiting.running.clone())?;
    if without_keeper > 0 {
        findings.push(Check::Waiting.warning(
            counted(
                without_keeper,
                "run has lost its keeper",
                "runs have lost their keepers",
            ),
            "Restart telecoder: it tells the chat what was done so far, with a button to continue",
        ));
    }
    if findings.is_empty() {
        findings.push(nothing_stuck(&waiting, ground.bot.is_some()));
    }
    Ok(findings)
}

fn nothing_stuck(waiting: &Waiting, bot_is_here: bool) -> Finding {
    match (waiting.open, bot_is_here) {
        (0, _) => Check::Waiting.good("nothing"),
        (open, true) => Check::Waiting.good(format!(
            "{} running or next",
            counted(open, "thing is", "things are")
        )),
        (open, false) => Check::Waiting.warning(
            format!(
                "{} for the bot to start",
                counted(open, "thing waits", "things wait")
            ),
            "Start telecoder; nothing of it is lost",
        ),
    }
}

/// How many runs have lost their keeper without a recorded end. A running bot gets a moment to notice.
fn without_keeper(
    db: &Connection,
    ground: &Ground,
    data: &Path,
    running: Vec<RunId>,
) -> rusqlite::Result<usize> {
    let is_gone = |run: &RunId| {
        let Ok(record) = records::of_run(db, *run) else {
            return false;
        };
        let folder = RunFolder::new(data.join("runs").join(record.process.to_string()));
        folder.kept().is_ok_and(|kept| kept == Kept::Gone) && folder.read_exit().is_none()
    };
    let gone: Vec<RunId> = running.into_iter().filter(is_gone).collect();
    if gone.is_empty() || ground.bot.is_none() {
        return Ok(gone.len());
    }
    std::thread::sleep(BOT_SEES_IT);
    let still = checkup::waiting(db)?.running;
    Ok(gone.iter().filter(|run| still.contains(run)).count())
}

/// Lists sessions without a workspace and workspaces without a session; removes nothing.
fn workspaces(db: &Connection, data: &Path) -> rusqlite::Result<Finding> {
    // First the folders: the row of a session is older than its folder.
    let mut strays: Vec<PathBuf> = std::fs::read_dir(data.join("workspaces"))
        .into_iter()
        .flatten()
        .flatten()
        // Those that are being made begin with a dot.
        .filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."))
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect();
    let sessions = sessions::all(db)?;
    let known: BTreeSet<&Path> = sessions.iter().map(|it| it.workspace.as_path()).collect();
    strays.retain(|path| !known.contains(path.as_path()));
    let lost: Vec<String> = sessions
        .iter()
        .filter(|it| it.state == SessionState::Ready && !it.workspace.is_dir())
        .map(|it| it.id.to_string())
        .collect();
    let mut found = Vec::new();
    let mut remedies = Vec::new();
    if !strays.is_empty() {
        let names = strays.iter().map(|path| path.display().to_string());
        found.push(format!("without a session: {}", some_of(names.collect())));
        remedies.push("Look into those folders, and remove by hand what nobody needs");
    }
    if !lost.is_empty() {
        found.push(format!("sessions without their folder: {}", some_of(lost)));
        remedies.push("/new in the chat begins another session");
    }
    Ok(match found.is_empty() {
        true => Check::Workspaces.good(counted(sessions.len(), "session", "sessions")),
        false => Check::Workspaces.warning(found.join("; "), remedies.join("; ")),
    })
}

/// Records of runs that the database does not know, as after a restored backup.
fn unknown_records(db: &Connection, data: &Path) -> rusqlite::Result<Option<Finding>> {
    // First the folders: the row of a run is older than its folder.
    let entries = std::fs::read_dir(data.join("runs"))
        .into_iter()
        .flatten()
        .flatten();
    let ids: Vec<Uuid> = entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    let mut unknown = 0;
    for id in ids {
        unknown += usize::from(!records::is_known(db, id)?);
    }
    Ok((unknown > 0).then(|| {
        let records = counted(unknown, "record in runs/ is of a run", "records in runs/ are of runs");
        Check::Space.remark(format!(
            "{records} that the database does not know, as after a restored backup; telecoder removes what nobody has \
             changed for a week, unless TELECODER_KEEP_RUNS is all"
        ))
    }))
}

fn some_of(names: Vec<String>) -> String {
    match names.len() {
        ..=NAMED => names.join(", "),
        many => format!("{} and {} more", names[..NAMED].join(", "), many - NAMED),
    }
}
