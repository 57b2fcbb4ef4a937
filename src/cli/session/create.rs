//! `session create`: makes a session in a shell.

use std::path::Path;

use anyhow::bail;
use rusqlite::Connection;

use super::LOOK_AGAIN;
use super::beside::{Beside, NoBot};
use crate::chat::workspace as words;
use crate::cli::{Misused, screen};
use crate::domain::id::ChatThread;
use crate::domain::outgoing::Body;
use crate::domain::session::{Session, SessionState, Source};
use crate::git::source;
use crate::inbox::shell;
use crate::public;
use crate::store::{outbox, repositories};

const WITHOUT_A_BOT: &str = "the workspace is made when telecoder runs";

pub(super) struct Wanted {
    pub repository: Option<String>,
    pub branch: Option<String>,
    pub chat: Option<ChatThread>,
}

pub(super) fn create(
    beside: &mut Beside,
    wanted: Wanted,
    wait: bool,
    json: bool,
) -> anyhow::Result<()> {
    let source = match &wanted.repository {
        None => Source::Empty,
        Some(named) if named == "-" => Source::Empty,
        Some(named) => named_source(&beside.db, named)?,
    };
    let workspaces = beside.workspaces();
    let mut session = beside.write(|db| {
        let session = shell::create(db, &workspaces, source, wanted.branch, wanted.chat)?;
        Ok(session)
    })?;
    let made = match wait {
        true => ready(beside, &session).map(Some),
        false if beside.has_bot() => Ok(None),
        false => Err(NoBot(WITHOUT_A_BOT).into()),
    };
    match made {
        Ok(Some(ready)) => session = ready,
        Ok(None) => {}
        // The session is there, and waits for a bot.
        Err(error) if error.is::<NoBot>() => {
            print(&session, json)?;
            return Err(error);
        }
        Err(error) => return Err(error),
    }
    print(&session, json)
}

fn print(session: &Session, json: bool) -> anyhow::Result<()> {
    if json {
        return screen::print_json(&public::Created::from(session));
    }
    print_line!("{}", session.id);
    Ok(())
}

/// A URL, a folder, or the short name of a known repository. A person with a shell here may name any folder.
fn named_source(db: &Connection, named: &str) -> anyhow::Result<Source> {
    let path = Path::new(named).canonicalize();
    let full = match &path {
        Ok(path) if path.is_dir() => path.to_string_lossy().into_owned(),
        _ => named.to_owned(),
    };
    match source::named(&full, &[]) {
        Ok(source) => Ok(source),
        Err(why) => repositories::named(db, named)?.ok_or_else(|| {
            let told =
                words::unusable(named, &why, &repositories::names(db, 8).unwrap_or_default());
            Misused(text_of(&told.body)).into()
        }),
    }
}

/// Waits for the workspace. Errors: it cannot be made.
fn ready(beside: &Beside, session: &Session) -> anyhow::Result<Session> {
    loop {
        let now = beside.session(&session.id.0)?;
        match now.state {
            SessionState::Ready => return Ok(now),
            SessionState::Failed => {
                let told = outbox::newest_in_shell(&beside.db, session.at)?;
                let why = told.map(|told| text_of(&told.body));
                bail!(why.unwrap_or_else(|| {
                    "the workspace could not be made; the chat says why".into()
                }));
            }
            SessionState::New if !beside.has_bot() => {
                bail!(NoBot(WITHOUT_A_BOT));
            }
            SessionState::New => std::thread::sleep(LOOK_AGAIN),
        }
    }
}

fn text_of(body: &Body) -> String {
    match body {
        Body::Note { text, quoted } => match quoted {
            Some(quoted) => format!("{text}\n{quoted}"),
            None => text.clone(),
        },
        Body::Evidence { text, .. } => text.clone(),
        Body::Question { text, .. } => text.clone(),
        Body::Answer { markdown, .. } => markdown.clone(),
        Body::File { caption, .. } => caption.clone(),
        Body::Stored(stored) => stored.name.clone(),
    }
}
