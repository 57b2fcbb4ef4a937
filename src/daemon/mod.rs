//! The composition root: opens the store, resumes what was left, starts the tasks, waits, stops.
//!
//! The only module that knows all the others.

pub mod bell;
mod beside;
mod data;
mod greet;
mod menus;
mod opening;
mod service;
mod upkeep;
mod work;

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::FutureExt;
use secrecy::{ExposeSecret, SecretString};
use teloxide::RequestError;
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};

use crate::chat::choices::Defaults;
use crate::chat::live;
use crate::config::Config;
use crate::domain::id::UserId;
use crate::domain::job::Lane;
use crate::domain::live::LiveOf;
use crate::health::Health;
use crate::inbox::{self, Inbox};
use crate::job::places::Places;
use crate::login::Login;
use crate::metrics::Metrics;
use crate::session::registry::Registry;
use crate::store::{
    OpenError, Store, StoreError, gatherings, jobs, pauses, processes, runs, sessions,
};
use crate::telegram::api::{Api, ServerClock};
use crate::telegram::client::Way;
use crate::telegram::dispatch::{Handler, dispatch};
use crate::telegram::line::Surroundings;
use crate::telegram::listener::StoredUpdates;
use crate::telegram::outbox::Outbox;
use crate::telegram::poll::{Poller, TokenRefused};
use crate::telegram::turns::Turns;
use crate::web::{Hub, Memberships, PLACES_AT_GIT, Rates, Web};
use beside::Beside;
pub use data::{DATABASE, DataFolder};
use menus::Menus;
use work::Work;

/// How long the tasks may take to stop.
const STOP_TIME: Duration = Duration::from_millis(3_500);

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("the data folder {} cannot be used ({reason}); check that telecoder may write there", .folder.display())]
    Data { folder: PathBuf, reason: io::Error },
    #[error("the data folder {} is in use by another telecoder (process {by}); stop that one first", .folder.display())]
    InUse { folder: PathBuf, by: String },
    #[error("{} is not usable: {reason}. Nothing was changed{}", .file.display(), restore(.reason))]
    Store { file: PathBuf, reason: OpenError },
    #[error("the store cannot be read at the start: {0}")]
    Recover(StoreError),
    #[error("the HTTP client cannot be made: {0}")]
    Client(String),
    #[error("{0}. Check TELEGRAM_BOT_TOKEN; @BotFather shows the token under /mybots")]
    Token(TokenRefused),
}

/// A database of a newer telecoder is whole.
fn restore(reason: &OpenError) -> &'static str {
    match reason {
        OpenError::Newer => "",
        _ => "; docs/RELIABILITY.md says how to restore a backup",
    }
}

/// Runs the bot until `quit`. Runs that are going on then continue without it.
pub async fn serve(config: Config, quit: CancellationToken) -> Result<(), ServeError> {
    let started = Instant::now();
    let data = Arc::new(DataFolder::take(&config.data)?);
    let Some(store) = opening::store(&data.database(), &quit).await? else {
        return Ok(());
    };
    let metrics = Metrics::new();
    let store = store.counted_by(metrics.clone());
    let way = Way::new(config.api_url.clone(), &config.environment);
    let unused_proxy = way.remark();
    let api = Api::new(way, config.token.clone(), metrics.clone())
        .map_err(|error| ServeError::Client(error.without_url().to_string()))?;

    let health = Health::new(started);
    let tasks = TaskTracker::new();
    let Some(pauses) = opening::taken(&quit, || store.transaction(pauses::left)).await? else {
        return Ok(());
    };
    let around = Surroundings {
        api: api.clone(),
        turns: Turns::new(pauses),
        store: store.clone(),
        metrics: metrics.clone(),
        redactor: config.redactor.clone(),
        quit: quit.clone(),
    };
    let outbox = Outbox::start(around, &tasks);
    let (registry, registry_task) = Registry::new();
    let (login, logins) = Login::new();
    let menus_changed = Arc::new(Notify::new());
    let inbox = Arc::new(Inbox {
        store: store.clone(),
        outbox: outbox.clone(),
        registry: registry.clone(),
        login,
        access: config.access.clone(),
        health: health.clone(),
        metrics: metrics.clone(),
        clock: api.clock(),
        stale_after: config.stale_after,
        data: config.data.clone(),
        workspaces: data.workspaces(),
        repo_roots: config.repo_roots.clone(),
        checks: config.checks.clone(),
        repo_checks: config.repo_checks,
        runs: data.runs(),
        max_runs: config.max_runs as u64,
        zone: config.zone.clone(),
        page: config.page.clone(),
        defaults: Defaults {
            mode: config.permission_mode,
            model: config.model.clone(),
            may_bypass: config.may_bypass,
        },
        named: Mutex::new(BTreeSet::new()),
        call_waits: AtomicI64::new(0),
        wrong_codes: Mutex::default(),
        moving: tokio::sync::RwLock::default(),
        menus_changed: Arc::clone(&menus_changed),
    });
    let arrived = Arc::new(Notify::new());

    let clock = api.clock();
    let access = config.access.clone();
    let settle = || {
        let access = access.clone();
        store.transaction(move |db| inbox::settle_rights(db, &access))
    };
    let hold = || ask_about_late(&store, &clock, config.stale_after);
    let places = Places::new(config.max_runs);
    let take_up = || recover(&store, &outbox, &places, &registry);
    if opening::taken(&quit, settle).await?.is_none()
        || opening::taken(&quit, hold).await?.is_none()
        || opening::taken(&quit, take_up).await?.is_none()
    {
        return Ok(());
    }
    tasks.spawn(dispatch_until(
        api.clone(),
        Arc::clone(&inbox),
        store.clone(),
        Arc::clone(&arrived),
        quit.clone(),
    ));
    let menus = Menus {
        api: api.clone(),
        store: store.clone(),
        access: config.access.clone(),
        bot: bot_of(&config.token),
        changed: menus_changed,
    };
    tasks.spawn(menus.keep(quit.clone()));
    tasks.spawn(service::feed_watchdog(
        store.clone(),
        health.clone(),
        quit.clone(),
    ));
    let beside = Beside {
        store: store.clone(),
        registry: registry.clone(),
        outbox: outbox.clone(),
        data: config.data.clone(),
        inbox: Arc::clone(&inbox),
    };
    tasks.spawn(beside.look_for_work(quit.clone()));
    let git_of_page = Arc::default();
    if let Some(address) = config.web_address {
        let web = Web {
            address,
            page: config.page.clone(),
            inbox: Arc::clone(&inbox),
            store: store.clone(),
            health: health.clone(),
            metrics: metrics.clone(),
            api: api.clone(),
            token: config.token.clone(),
            settings: config.shown.clone(),
            data: config.data.clone(),
            runs: data.runs(),
            started,
            looking: tokio::sync::Mutex::default(),
            memberships: Memberships::default(),
            hub: Hub::default(),
            rates: Rates::default(),
            git: Arc::clone(&git_of_page),
            places_at_git: Arc::new(Semaphore::new(PLACES_AT_GIT)),
        };
        tasks.spawn(web.serve(quit.clone()));
    }
    let work = Work {
        config: config.clone(),
        data: Arc::clone(&data),
        store: store.clone(),
        outbox: outbox.clone(),
        metrics: metrics.clone(),
        registry: registry.clone(),
        api: api.clone(),
        tasks: tasks.clone(),
        git_of_page,
        quit: quit.clone(),
    };
    tasks.spawn(work.begin(places, registry_task, logins));
    for remark in config.remarks.iter().chain(&unused_proxy) {
        warn!("{remark}");
    }
    info!(data = %config.data.display(), version = env!("CARGO_PKG_VERSION"), "telecoder is up");
    service::say_ready();

    let poller = Poller {
        api,
        store,
        arrived,
        health,
        metrics,
        outbox,
        owner: config.access.owner(),
    };
    let polled = poller.run(&quit).await;
    quit.cancel();
    service::say_stopping();
    // When the last of these is dropped, the outbox sends what is due, and ends.
    drop((poller, registry));
    tasks.close();
    if tokio::time::timeout(STOP_TIME, tasks.wait()).await.is_err() {
        warn!(
            "some tasks did not end in time; nothing is lost, stored work continues at the next start"
        );
    }
    drop(data);
    polled.map_err(ServeError::Token)
}

/// Prompts that became late while the bot was away wait for a person.
async fn ask_about_late(
    store: &Store,
    clock: &ServerClock,
    stale_after: Option<Duration>,
) -> Result<(), StoreError> {
    let Some(limit) = stale_after else {
        return Ok(());
    };
    let now = clock.now();
    store
        .transaction(move |db| inbox::ask_about_late(db, limit, now))
        .await?;
    Ok(())
}

/// Resumes what was left when the bot ended: see the table in `docs/ARCHITECTURE.md`.
async fn recover(
    store: &Store,
    outbox: &Outbox,
    places: &Places,
    registry: &Registry,
) -> Result<(), StoreError> {
    // Before anybody is woken who could take one.
    for run in store.transaction(runs::all_running).await? {
        places.keep(run.id.0, run.at);
    }
    let (chats, beside) = store
        .transaction(|db| {
            gatherings::reopen(db)?;
            processes::request_stop_of_warm(db)?;
            let mut chats = runs::chats_with_open(db)?;
            chats.extend(sessions::chats_with_new(db)?);
            chats.extend(jobs::chats_with_due(db, Lane::Workspace)?);
            chats.extend(processes::chats(db)?);
            Ok((chats, jobs::chats_with_due(db, Lane::Fetching)?))
        })
        .await?;
    for at in chats {
        registry.wake(at);
    }
    for at in beside {
        registry.wake_beside(at);
    }
    for (run, ended) in store.transaction(runs::with_live_message_left).await? {
        if let Some(message) = run.live_message {
            outbox.resume_live(run.at, LiveOf::Run(run.id), message);
            outbox.end_live(run.at, LiveOf::Run(run.id), live::record_of(&ended));
        }
    }
    take_up_live(store, outbox).await?;
    outbox.deliver_what_is_left(store).await
}

/// Resumes the live messages of open jobs, and removes those ("Checking", "Cloning") of ended work.
async fn take_up_live(store: &Store, outbox: &Outbox) -> Result<(), StoreError> {
    for job in store.transaction(jobs::with_live_message).await? {
        let Some(message) = job.live_message else {
            continue;
        };
        outbox.resume_live(job.at, LiveOf::Job(job.id), message);
        if job.is_ended {
            outbox.remove_live(job.at, LiveOf::Job(job.id));
        }
    }
    for (session, at, message) in store.transaction(sessions::with_live_message_left).await? {
        let live = LiveOf::Setup(session);
        outbox.resume_live(at, live.clone(), message);
        outbox.remove_live(at, live);
    }
    Ok(())
}

/// The bot's id, which is the first part of its token.
fn bot_of(token: &SecretString) -> UserId {
    let token = token.expose_secret();
    let id = token.split(':').next().and_then(|id| id.parse().ok());
    UserId(id.unwrap_or(0))
}

/// Restarts the dispatcher until Telegram answers its first call, getMe.
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
        let (inbox, stop) = (Arc::clone(&inbox), quit.clone());
        let handler: Handler = Arc::new(move |arrived| {
            let (inbox, again, stop) = (Arc::clone(&inbox), again.clone(), stop.clone());
            async move { inbox.handle(&arrived, &again, &stop).await }.boxed()
        });
        let dispatched = dispatch(api.teloxide(), handler, listener);
        let failed = tokio::select! {
            dispatched = dispatched => dispatched.err(),
            () = quit.cancelled() => return,
        };
        let mut pause = Duration::from_secs(2);
        match failed {
            None if quit.is_cancelled() => return,
            None => error!("the dispatcher ended by itself; starting it again"),
            Some(error) => {
                if let RequestError::RetryAfter(asked_for) = &error {
                    pause = asked_for.duration();
                }
                if !told {
                    // teloxide leaves the token out of its errors.
                    warn!(%error, "Telegram does not say who this bot is; asking until it does");
                }
                told = true;
            }
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = quit.cancelled() => return,
        }
    }
}
