//! The composition root: opens what there is, takes up what was left, starts the tasks, waits, stops.
//!
//! The only module that knows all the others.

use std::collections::BTreeSet;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};

use crate::chat::live;
use crate::claude::install::{self, Found};
use crate::claude::watch::Watch;
use crate::command::Verb;
use crate::config::Config;
use crate::git::Git;
use crate::inbox::Inbox;
use crate::run::start::Runner;
use crate::session::registry::{Registry, RegistryTask};
use crate::session::worker::Worker;
use crate::store::{OpenError, Store, StoreError, runs, sessions, updates};
use crate::telegram::api::{Api, ApiError};
use crate::telegram::dispatch::dispatch;
use crate::telegram::listener::StoredUpdates;
use crate::telegram::outbox::Outbox;
use crate::telegram::poll::{TokenRefused, poll};

/// How long the tasks may take to let go of what they are at.
const STOP_TIME: Duration = Duration::from_secs(4);
const HOUSEKEEPING_EVERY: Duration = Duration::from_secs(60 * 60);
/// Between tries of a call at the start that Telegram did not answer.
const GREETING_PAUSE: Duration = Duration::from_secs(10);

/// A bot that was just killed may have been starting a child, which holds the lock until it is that program.
const LOCK_PATIENCE: Duration = Duration::from_millis(500);

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("the data folder {} cannot be used ({reason}); check that telecoder may write there", .folder.display())]
    Data { folder: PathBuf, reason: io::Error },
    #[error("the data folder {} is in use by another telecoder (process {by}); stop that one first", .folder.display())]
    Held { folder: PathBuf, by: String },
    #[error("{} is not usable: {reason}", .file.display())]
    Store { file: PathBuf, reason: OpenError },
    #[error("the store cannot be read at the start: {0}")]
    Recover(StoreError),
    #[error("the HTTP client cannot be made: {0}")]
    Client(String),
    #[error("{0}. Check TELEGRAM_BOT_TOKEN; @BotFather shows the token under /mybots")]
    Token(TokenRefused),
}

/// Runs the bot until `quit`. Runs that are going on then go on without it.
pub async fn serve(config: Config, quit: CancellationToken) -> Result<(), ServeError> {
    let data = DataFolder::take(&config.data)?;
    let store = Store::open(&data.database()).map_err(|reason| ServeError::Store {
        file: data.database(),
        reason,
    })?;
    let api = Api::new(config.api_url.clone(), config.token.clone())
        .map_err(|error| ServeError::Client(error.without_url().to_string()))?;

    let tasks = TaskTracker::new();
    let outbox = Outbox::start(api.clone(), store.clone(), &tasks);
    let (registry, registry_task) = Registry::new();
    let inbox = Arc::new(inbox(&config, &data, &store, &outbox, &registry));
    let worker = Arc::new(worker(&config, &data, &store, &outbox));
    let arrived = Arc::new(Notify::new());

    recover(&store, &outbox, &registry)
        .await
        .map_err(ServeError::Recover)?;
    spawn_worker(&tasks, registry_task, worker, &quit);
    tasks.spawn(dispatch_until(
        api.clone(),
        inbox,
        store.clone(),
        Arc::clone(&arrived),
        quit.clone(),
    ));
    tasks.spawn(greet(api.clone(), quit.clone()));
    tasks.spawn(look_for_claude(config.clone(), quit.clone()));
    tasks.spawn(keep_house(store.clone(), quit.clone()));
    for remark in &config.remarks {
        warn!("{remark}");
    }
    info!(data = %config.data.display(), version = env!("CARGO_PKG_VERSION"), "telecoder is up");

    let polled = poll(api, store, &arrived, &quit).await;
    quit.cancel();
    drop((outbox, registry));
    tasks.close();
    if tokio::time::timeout(STOP_TIME, tasks.wait()).await.is_err() {
        warn!(
            "some tasks did not end in time; nothing is lost, what was stored goes on at the next start"
        );
    }
    drop(data);
    polled.map_err(ServeError::Token)
}

fn inbox(
    config: &Config,
    data: &DataFolder,
    store: &Store,
    outbox: &Outbox,
    registry: &Registry,
) -> Inbox {
    Inbox {
        store: store.clone(),
        outbox: outbox.clone(),
        registry: registry.clone(),
        access: config.access.clone(),
        workspaces: data.workspaces(),
        runs: data.runs(),
        max_runs: config.max_runs as u64,
        named: Mutex::new(BTreeSet::new()),
    }
}

fn worker(config: &Config, data: &DataFolder, store: &Store, outbox: &Outbox) -> Worker {
    Worker {
        runner: Runner {
            store: store.clone(),
            outbox: outbox.clone(),
            watch: Watch::start(),
            folder: data.runs(),
            program: config.runtime.clone(),
            permission_mode: config.permission_mode,
            model: config.model.clone(),
            time_limit: config.run_timeout,
            environment: config.environment.clone(),
        },
        places: Arc::new(Semaphore::new(config.max_runs)),
        git: Git {
            environment: config.environment.clone(),
        },
        branch_prefix: config.branch_prefix.clone(),
    }
}

/// Takes up what was left when the bot ended: see the table in `docs/ARCHITECTURE.md`.
async fn recover(store: &Store, outbox: &Outbox, registry: &Registry) -> Result<(), StoreError> {
    let chats = store
        .transaction(|db| {
            let mut chats = runs::chats_with_open(db)?;
            chats.extend(sessions::chats_with_new(db)?);
            Ok(chats)
        })
        .await?;
    for at in chats {
        registry.wake(at);
    }
    for (run, ended) in store.transaction(runs::with_live_message_left).await? {
        if let Some(message) = run.live_message {
            outbox.resume_live(run.at, run.id, message);
            outbox.end_live(run.at, run.id, live::record_of(&ended));
        }
    }
    outbox.deliver_what_is_left(store).await
}

fn spawn_worker(
    tasks: &TaskTracker,
    registry: RegistryTask,
    worker: Arc<Worker>,
    quit: &CancellationToken,
) {
    let quit = quit.clone();
    tasks.spawn(async move { registry.run(worker, quit).await });
}

/// The dispatcher's first call is getMe; it begins anew until Telegram answers that.
async fn dispatch_until(
    api: Api,
    inbox: Arc<Inbox>,
    store: Store,
    arrived: Arc<Notify>,
    quit: CancellationToken,
) {
    let mut told = false;
    loop {
        let (again, to_come_again) = mpsc::unbounded_channel();
        let listener = StoredUpdates::new(
            store.clone(),
            Arc::clone(&arrived),
            to_come_again,
            quit.clone(),
        );
        let dispatched = dispatch(api.teloxide(), Arc::clone(&inbox), again, listener);
        let failed = tokio::select! {
            dispatched = dispatched => dispatched.err(),
            () = quit.cancelled() => return,
        };
        match failed {
            None if quit.is_cancelled() => return,
            None => error!("the dispatcher ended by itself; starting it again"),
            Some(error) => {
                if !told {
                    // teloxide leaves the token out of its errors.
                    warn!(%error, "Telegram does not say who this bot is; asking until it does");
                }
                told = true;
            }
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
            () = quit.cancelled() => return,
        }
    }
}

/// Sets the command menu. Bot API: `setMyCommands`.
async fn greet(api: Api, quit: CancellationToken) {
    let commands: Vec<_> = Verb::ALL
        .into_iter()
        .filter(|verb| verb.in_menu())
        .map(|verb| json!({"command": verb.name(), "description": verb.meaning()}))
        .collect();
    let arguments = json!({"commands": commands});
    loop {
        let set: Result<bool, _> = tokio::select! {
            set = api.call("setMyCommands", &arguments) => set,
            () = quit.cancelled() => return,
        };
        match set {
            Ok(_) => return,
            Err(ApiError::Flood(_)) => {}
            Err(error) if error.is_passing() => {}
            Err(error) => {
                warn!(%error, "the command menu could not be set; the commands work all the same");
                return;
            }
        }
        tokio::select! {
            () = tokio::time::sleep(GREETING_PAUSE) => {}
            () = quit.cancelled() => return,
        }
    }
}

/// Says in the log what a chat would otherwise be the first to hear.
async fn look_for_claude(config: Config, quit: CancellationToken) {
    let found = tokio::select! {
        found = install::look(&config.runtime, &config.environment) => found,
        () = quit.cancelled() => return,
    };
    let runtime = config.runtime.display();
    match found {
        Found::Ready { version } => info!(%runtime, version, "claude is there"),
        Found::NotLoggedIn { version } => warn!(
            %runtime,
            version,
            "claude is there but not logged in: run it once on this machine and log in, or set ANTHROPIC_API_KEY"
        ),
        Found::Missing => warn!(
            %runtime,
            "there is no such program: install Claude Code (npm install -g @anthropic-ai/claude-code) or set \
             TELECODER_RUNTIME to where it is"
        ),
        Found::Broken(words) => warn!(%runtime, words, "claude does not answer as expected"),
    }
}

async fn keep_house(store: Store, quit: CancellationToken) {
    loop {
        if let Err(error) = store.transaction(updates::forget_old).await {
            warn!(%error, "old updates could not be forgotten");
        }
        tokio::select! {
            () = tokio::time::sleep(HOUSEKEEPING_EVERY) => {}
            () = quit.cancelled() => return,
        }
    }
}

/// The data folder, held against a second bot while this value lives.
pub struct DataFolder {
    path: PathBuf,
    _lock: File,
}

impl DataFolder {
    /// Makes the folder where it is missing and takes its lock.
    pub fn take(path: &Path) -> Result<DataFolder, ServeError> {
        let unusable = |reason| ServeError::Data {
            folder: path.to_owned(),
            reason,
        };
        for folder in [path.to_owned(), path.join("runs"), path.join("workspaces")] {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)
                .map_err(unusable)?;
        }
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path.join("telecoder.lock"))
            .map_err(unusable)?;
        let deadline = Instant::now() + LOCK_PATIENCE;
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                Err(TryLockError::WouldBlock) => {
                    let mut by = String::new();
                    let _ = lock.read_to_string(&mut by);
                    return Err(ServeError::Held {
                        folder: path.to_owned(),
                        by: by.trim().to_owned(),
                    });
                }
                Err(TryLockError::Error(reason)) => return Err(unusable(reason)),
            }
        }
        lock.set_len(0).map_err(unusable)?;
        writeln!(lock, "{}", std::process::id()).map_err(unusable)?;
        Ok(DataFolder {
            path: path.to_owned(),
            _lock: lock,
        })
    }

    fn database(&self) -> PathBuf {
        self.path.join("telecoder.db")
    }

    fn runs(&self) -> PathBuf {
        self.path.join("runs")
    }

    fn workspaces(&self) -> PathBuf {
        self.path.join("workspaces")
    }
}
