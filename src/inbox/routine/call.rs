//! Routines that a call from another program begins: `/hook add`, and what a stored call becomes.
//!
//! Whether a call is genuine is the page's to say (`web::hook`). Its body is a file that goes along, never words of the
//! prompt.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::super::{Follow, Inbox, prompt};
use super::begin::{self, Around};
use super::{content, made_by};
use crate::chat::routines::Late;
use crate::chat::{fetched, hooks as words};
use crate::domain::id::{ChatThread, SessionId};
use crate::domain::outgoing::Outgoing;
use crate::domain::prompt::Piece;
use crate::domain::routine::{Routine, State, When, read_hook};
use crate::files;
use crate::store::calls::{self, Call};
use crate::store::{StoreError, outbox, routines};

impl Inbox {
    /// `/hook`, and `/hook add …`; `text` is what stands behind `add`.
    pub(in super::super) async fn offer_hook(
        &self,
        at: ChatThread,
        asked: prompt::Asked,
        text: Option<String>,
    ) -> Result<(), StoreError> {
        let page = self.page.url();
        self.effect(asked.seq, at, move |db| {
            let message = asked.number;
            let reply = match (page, text) {
                (None, _) => words::no_page(),
                (Some(_), None) => words::how(),
                (Some(_), Some(text)) => offered(db, at, asked, &text)?,
            };
            outbox::insert(db, at, &reply.replying_to(message))?;
            Ok(Follow::default())
        })
        .await
    }
}

fn offered(
    db: &Connection,
    at: ChatThread,
    asked: prompt::Asked,
    text: &str,
) -> rusqlite::Result<Outgoing> {
    let wanted = match read_hook(text) {
        Ok(wanted) => wanted,
        Err(why) => return Ok(words::not_understood(&why)),
    };
    match routines::named(db, wanted.name)? {
        // A card alone does not hold a name.
        Some(card) if card.state == State::Offered => {
            routines::delete(db, &card.id)?;
        }
        Some(taken) => return Ok(words::is_taken(&taken, at)),
        None => {}
    }
    let asked = prompt::Asked {
        words: wanted.prompt.to_owned(),
        ..asked
    };
    let Some(prompt) = content(db, at, &asked)? else {
        return Ok(crate::chat::routines::no_files());
    };
    let routine = Routine {
        name: Some(wanted.name.to_owned()),
        filter: wanted.filter,
        is_fresh: wanted.is_fresh,
        ..made_by(at, Some(asked.user), When::Call, prompt)
    };
    routines::insert(db, &routine)?;
    Ok(words::offered(&routine))
}

/// What a call becomes: its body as a file of the session, and the routine's prompt with it. Errs if the body cannot be
/// written.
pub(super) fn take(
    db: &Connection,
    around: Around<'_>,
    routine: &Routine,
    call: &Call,
) -> rusqlite::Result<Follow> {
    let session = begin::session(db, around.workspaces, routine)?;
    let name = routine.name.as_deref().unwrap_or("call");
    let mut called = routine.clone();
    let path = write_down(around.data, &session.id, name, call)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    let bytes = call.body.len() as u64;
    let file = fetched::attached_call(&path, bytes, call.event.as_deref());
    called.prompt.pieces.push(Piece::Along(file));
    calls::set_taken(db, call.seq)?;
    // No two moments are the same.
    let last = routines::last_begun(db, &routine.id)?;
    let moment = last.map_or(call.received_at, |last| call.received_at.max(last + 1));
    begin::queue(db, &session, &called, moment, &Late::default())
}

/// The same call has the same file, also if it is taken once more after a crash.
fn write_down(data: &Path, session: &SessionId, name: &str, call: &Call) -> io::Result<PathBuf> {
    let folder = files::inbox(data, session);
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)?;
    let path = folder.join(format!("{name}-{}.json", call.seq));
    // Nothing that lies there is written through.
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)?;
    file.write_all(&call.body)?;
    // The store forgets the body when this is committed.
    file.sync_all()?;
    Ok(path)
}
