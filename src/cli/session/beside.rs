//! For commands that work beside a running bot: reads the store, writes what the inbox would, and rings the bell.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rusqlite::{Connection, TransactionBehavior};
use rustix::process::geteuid;

use super::LOOK_AGAIN;
use crate::chat::shell::AtTerminal;
use crate::claude::folder::RunFolder;
use crate::claude::host::Host;
use crate::claude::terminal;
use crate::cli::Misused;
use crate::daemon::{DATABASE, DataFolder, bell};
use crate::domain::id::SessionId;
use crate::domain::session::Session;
use crate::inbox::shell;
use crate::session::attached::{self, Attached};
use crate::store::{self, processes, sessions};

/// How long a claude that lives on may take to end.
const LEAVING_TIME: Duration = Duration::from_secs(25);
/// The bot locks a session for a moment when it takes it back.
const BOT_LOOKS: Duration = Duration::from_millis(500);

/// The store of a bot that may be running.
pub(in crate::cli) struct Beside {
    pub db: Connection,
    data: PathBuf,
}

/// It is saved, but no bot is running to do it.
#[derive(Debug, thiserror::Error)]
#[error("no bot is at work here. It is written down: {0}")]
pub(crate) struct NoBot(pub &'static str);

impl Beside {
    /// Errors: there is no database yet, or it is of another version.
    pub fn open(data: &Path) -> anyhow::Result<Beside> {
        belongs_to_me(data)?;
        let database = data.join(DATABASE);
        if !database.exists() {
            bail!(
                "there is no database at {}; telecoder makes it when it runs for the first time",
                database.display()
            );
        }
        let db = store::open_beside(&database)
            .with_context(|| format!("{} cannot be used", database.display()))?;
        Ok(Beside {
            db,
            data: data.to_owned(),
        })
    }

    /// The session with this name.
    pub fn session(&self, name: &str) -> anyhow::Result<Session> {
        let found = sessions::get(&self.db, &SessionId(name.to_owned()))?;
        Ok(found.ok_or_else(|| {
            Misused(format!(
                "there is no session {name}; telecoder session list shows them"
            ))
        })?)
    }

    /// Locks a session against other terminals. What a killed terminal left in it is handed back first.
    pub fn take(&mut self, session: &Session) -> anyhow::Result<Attached> {
        let deadline = Instant::now() + BOT_LOOKS;
        let held = loop {
            if let Some(held) = Attached::take(&self.data, &session.id)? {
                break held;
            }
            if Instant::now() < deadline {
                std::thread::sleep(LOOK_AGAIN);
                continue;
            }
            bail!(
                "session {} is open in another terminal already; nothing was done",
                session.id
            );
        };
        self.end_what_lives_on(session)?;
        let record = terminal::read(&attached::record(&self.data, &session.id));
        let left = AtTerminal {
            prompts: record.prompts,
            conversation: record.conversation,
            was_cut_off: true,
            ..AtTerminal::default()
        };
        self.write(|db| Ok(shell::hand_back(db, session, &left)?))?;
        attached::begin_record(&self.data, &session.id)?;
        Ok(held)
    }

    /// Ends a claude of the session that lives on after its run: two must not be in one conversation.
    fn end_what_lives_on(&mut self, session: &Session) -> anyhow::Result<()> {
        let deadline = Instant::now() + LEAVING_TIME;
        let mut is_asked = false;
        while let Some(process) = processes::of_session(&self.db, &session.id)? {
            let folder = RunFolder::new(self.runs().join(process.id.to_string()));
            let host = Host::open(folder).ok().filter(|_| !self.has_bot());
            match (host, self.has_bot()) {
                (Some(host), _) if host.end()?.is_none() => {
                    if !std::mem::replace(&mut is_asked, true) {
                        host.end_session()?;
                    }
                }
                (_, false) => drop(self.write(|db| Ok(processes::take(db, process.id)?))?),
                (_, true) => self.write(|db| Ok(processes::request_stop(db, process.id)?))?,
            }
            if Instant::now() > deadline {
                bail!(
                    "claude of session {} does not end, and nothing was done; telecoder session stop {} ends it",
                    session.id,
                    session.id
                );
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        Ok(())
    }

    /// Stores something in one transaction, and rings the bell.
    pub fn write<T>(
        &mut self,
        effect: impl FnOnce(&Connection) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let transaction = self
            .db
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let written = effect(&transaction)?;
        transaction.commit()?;
        bell::ring(&self.data);
        Ok(written)
    }

    /// Whether a bot is running, to do what is stored.
    pub fn has_bot(&self) -> bool {
        DataFolder::is_in_use(&self.data)
    }

    pub fn data(&self) -> &Path {
        &self.data
    }

    pub fn runs(&self) -> PathBuf {
        self.data.join("runs")
    }

    pub fn workspaces(&self) -> PathBuf {
        self.data.join("workspaces")
    }
}

/// Refuses other users: the bot could not write the files that they make, SQLite's and a workspace's.
fn belongs_to_me(data: &Path) -> anyhow::Result<()> {
    let Ok(folder) = std::fs::metadata(data) else {
        return Ok(());
    };
    if folder.uid() != geteuid().as_raw() {
        bail!(
            "the data folder {} belongs to the user with the id {}, and telecoder does nothing there as another one. Run \
             it as that user, as in: sudo -u telecoder -H telecoder session list",
            data.display(),
            folder.uid()
        );
    }
    Ok(())
}
