//! Looks for work from outside: what `telecoder session` stored, sessions whose terminal is gone, chats whose hold is
//! over, and routines that are due.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info};

use super::bell;
use crate::chat::shell::AtTerminal;
use crate::claude::terminal;
use crate::claude::watch::Watch;
use crate::domain::id::{ChatId, ChatThread};
use crate::domain::job::Lane;
use crate::domain::session::Session;
use crate::inbox::{Inbox, shell};
use crate::session::attached::{self, Attached};
use crate::session::registry::Registry;
use crate::store::{Store, StoreError, holds, jobs, now, outbox, routines, runs, sessions};
use crate::telegram::outbox::Outbox;

/// How often to look if nobody rings. One look costs a few reads of mostly empty indexes.
const EVERY: Duration = Duration::from_secs(5);
/// What is due and cannot begin is not tried in a loop.
const AT_LEAST: Duration = Duration::from_millis(100);

pub(super) struct Beside {
    pub store: Store,
    pub registry: Registry,
    pub outbox: Outbox,
    pub data: PathBuf,
    pub inbox: Arc<Inbox>,
}

/// The chats that have something to do.
struct Found {
    workspace: Vec<ChatThread>,
    beside: Vec<ChatThread>,
    stops: Vec<ChatThread>,
    messages: Vec<ChatId>,
    /// How long until the next hold ends, or a routine is due.
    next_in: Option<Duration>,
}

impl Beside {
    /// Wakes the chats that have something to do, until `quit`.
    pub async fn look_for_work(self, quit: CancellationToken) {
        let watch = Watch::start();
        let bell = watch.folder(&bell::folder(&self.data));
        loop {
            let pause = self.look().await.unwrap_or_else(|error| {
                debug!(%error, "work from other processes could not be looked for");
                EVERY
            });
            tokio::select! {
                () = bell.changed() => {}
                () = tokio::time::sleep(pause) => {}
                () = quit.cancelled() => return,
            }
        }
    }

    /// Returns the time until the next look, from [`AT_LEAST`] to [`EVERY`].
    async fn look(&self) -> Result<Duration, StoreError> {
        for (session, since) in self.store.transaction(sessions::attached).await? {
            self.take_back(session, since).await?;
        }
        // The chats have other work, too.
        if let Err(error) = self.inbox.begin_routines().await {
            debug!(%error, "a routine that is due has not begun; it is tried again");
        }
        let found = self.store.transaction(find).await?;
        for at in found.workspace {
            self.registry.wake(at);
        }
        for at in found.beside {
            self.registry.wake_beside(at);
        }
        for at in found.stops {
            self.registry.stop(at);
        }
        for chat in found.messages {
            self.outbox.deliver(chat);
        }
        Ok(found
            .next_in
            .map_or(EVERY, |left| left.clamp(AT_LEAST, EVERY)))
    }

    /// Takes a session back from a terminal that ended without handing it back.
    async fn take_back(&self, session: Session, since: i64) -> Result<(), StoreError> {
        let data = self.data.clone();
        let id = session.id.clone();
        let looked = tokio::task::spawn_blocking(move || {
            let held = Attached::take(&data, &id).ok().flatten()?;
            Some((held, terminal::read(&attached::record(&data, &id))))
        });
        // Locked until it is back, so that no other terminal takes it.
        let Ok(Some((held, record))) = looked.await else {
            return Ok(());
        };
        let what = AtTerminal {
            elapsed: Duration::from_millis(u64::try_from(now() - since).unwrap_or(0)),
            prompts: record.prompts,
            conversation: record.conversation,
            files: None,
            was_cut_off: true,
        };
        let id = session.id.clone();
        let is_back = self
            .store
            .transaction(move |db| shell::hand_back(db, &session, &what))
            .await?;
        held.release();
        if is_back {
            info!(session = %id, "a terminal ended without handing its session back");
        }
        Ok(())
    }
}

fn find(db: &Connection) -> rusqlite::Result<Found> {
    for at in holds::lift_over(db)? {
        info!(chat = %at, "the time of a usage limit is over; what waited for it is tried again");
    }
    let mut workspace = runs::chats_with_open(db)?;
    workspace.extend(sessions::chats_with_new(db)?);
    workspace.extend(jobs::chats_not_begun(db, Lane::Workspace)?);
    Ok(Found {
        workspace,
        beside: jobs::chats_not_begun(db, Lane::Fetching)?,
        stops: runs::chats_with_stop_requested(db)?,
        messages: outbox::chats_with_due(db)?,
        next_in: holds::next_end(db)?
            .into_iter()
            .chain(routines::next_due(db)?)
            .min()
            .map(|end| Duration::from_millis(u64::try_from(end - now()).unwrap_or(0))),
    })
}
