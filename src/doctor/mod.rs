//! `telecoder doctor`: checks this machine, with a remedy for each fault.
//!
//! Works with or without a running bot, and if everything is broken: each group of checks has its own limit, and all
//! run at the same time. Nothing is changed, and no update is confirmed to Telegram. A group of checks is a file here;
//! the [`report`] is pure; the command line only prints it.

mod data;
mod database;
mod login_shell;
mod people;
mod process;
mod programs;
pub mod report;
mod service;
mod settings;
mod telegram;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rustix::process::geteuid;
use tokio::task::JoinHandle;

use crate::claude::environment;
use crate::config::{Known, Sources};
use crate::daemon::DataFolder;
use crate::systemd::Scope;
use crate::systemd::look::{self, Manager};
pub use data::can_be_made;
use report::{Check, Finding, Report};

/// How long one group of checks may take; its calls and programs have shorter limits.
const LIMIT: Duration = Duration::from_secs(10);
/// How long a look at the data folder's lock may take.
const LOCK_LIMIT: Duration = Duration::from_secs(2);

/// The facts that all checks share.
struct Ground {
    known: Known,
    sources: Sources,
    manager: Manager,
    /// The process of the bot in the data folder; 0 if the lock does not say which.
    bot: Option<u32>,
    /// The environment of the programs that are asked, without telecoder's own variables.
    environment: BTreeMap<OsString, OsString>,
}

/// Runs all checks. Takes as long as the login shell and then the slowest group, with a limit of ten seconds each.
pub async fn examine(sources: Sources) -> Report {
    let environment = environment::for_claude(&sources.environment);
    let manager = look::find(&environment).await;
    let sources = as_the_service_has(&manager, sources);
    let mut known = Known::read(&sources);
    let bot = process_of_bot(known.data.clone()).await;
    let shell = login_shell::add(&mut known, &manager, bot).await;
    let ground = Arc::new(Ground {
        known,
        sources,
        manager,
        bot,
        environment,
    });
    let groups = [
        at_once(&ground, Check::Telegram, telegram::look),
        at_once(&ground, Check::Git, programs::look_at_git),
        at_once(&ground, Check::Claude, programs::look_at_claude),
        at_once(&ground, Check::Log, service::look_at_log),
        aside(&ground, Check::Settings, settings::look),
        aside(&ground, Check::Data, data::look),
        aside(&ground, Check::Space, data::look_at_space),
        aside(&ground, Check::Database, database::look),
        aside(&ground, Check::Bot, process::look),
        aside(&ground, Check::Service, service::look),
    ];
    reported(&ground, vec![shell], groups).await
}

async fn reported(
    ground: &Ground,
    mut findings: Vec<Finding>,
    groups: impl IntoIterator<Item = JoinHandle<Vec<Finding>>>,
) -> Report {
    for group in groups {
        findings.extend(group.await.unwrap_or_default());
    }
    Report::new(Timestamp::now(), findings, &ground.sources.redactor())
}

/// The checks before the first start: the programs and the place for the data, as this user, with these settings.
pub async fn before_the_first_start(sources: Sources) -> Report {
    let ground = Arc::new(Ground {
        known: Known::read(&sources),
        manager: Manager::Absent,
        bot: None,
        environment: environment::for_claude(&sources.environment),
        sources,
    });
    let groups = [
        at_once(&ground, Check::Git, programs::look_at_git),
        at_once(&ground, Check::Claude, programs::look_at_claude),
        aside(&ground, Check::Data, data::look),
    ];
    reported(&ground, Vec::new(), groups).await
}

/// The settings of the machine's service. For root and another user's service, root's own are left out; else this
/// process's come first.
fn as_the_service_has(manager: &Manager, sources: Sources) -> Sources {
    let Some(unit) = manager.unit().filter(|unit| unit.scope == Scope::System) else {
        return sources;
    };
    let sources = match unit.other_user() {
        Some(user) if geteuid().is_root() => Sources::of_a_service(&user.dir),
        _ => sources,
    };
    sources.behind(unit.variables(), &unit.files(), unit.is_of_root())
}

/// The bot in the data folder; also `None` if the folder's disk does not answer, which another check reports.
async fn process_of_bot(data: Option<PathBuf>) -> Option<u32> {
    let data = data?;
    let looking = tokio::task::spawn_blocking(move || DataFolder::in_use_by(&data));
    tokio::time::timeout(LOCK_LIMIT, looking).await.ok()?.ok()?
}

/// Starts a group that awaits others.
fn at_once<F, L>(ground: &Arc<Ground>, first: Check, look: L) -> JoinHandle<Vec<Finding>>
where
    L: FnOnce(Arc<Ground>) -> F,
    F: Future<Output = Vec<Finding>> + Send + 'static,
{
    let looking = tokio::spawn(look(Arc::clone(ground)));
    tokio::spawn(within_limit(first, looking))
}

/// Starts a group that blocks its thread.
fn aside(
    ground: &Arc<Ground>,
    first: Check,
    look: fn(&Ground) -> Vec<Finding>,
) -> JoinHandle<Vec<Finding>> {
    let ground = Arc::clone(ground);
    let looking = tokio::task::spawn_blocking(move || look(&ground));
    tokio::spawn(within_limit(first, looking))
}

async fn within_limit(first: Check, looking: JoinHandle<Vec<Finding>>) -> Vec<Finding> {
    match tokio::time::timeout(LIMIT, looking).await {
        Ok(Ok(findings)) => findings,
        Ok(Err(_)) => vec![first.broken(
            "it could not be found out: the check itself failed",
            "This is a fault of telecoder's; please report it",
        )],
        Err(_) => vec![first.broken(
            format!("it could not be found out within {} s", LIMIT.as_secs()),
            "Something on this machine hangs: a network disk, or too much load",
        )],
    }
}
