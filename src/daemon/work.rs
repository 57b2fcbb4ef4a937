//! What starts programs: the workers of the chats, the login, the upkeep.
//!
//! It begins when the person's login shell has told its environment; messages are taken meanwhile.

use std::sync::{Arc, Mutex, OnceLock};

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use super::DataFolder;
use super::greet;
use super::upkeep::Upkeep;
use crate::claude::watch::Watch;
use crate::config::Config;
use crate::git::Git;
use crate::git::mirror::Mirrors;
use crate::job::fetch::Fetching;
use crate::job::places::Places;
use crate::job::{Checking, Handles};
use crate::login::{self, LoginTask};
use crate::metrics::Metrics;
use crate::process::login_shell::NoAnswer;
use crate::run::start::Runner;
use crate::session::claims::Claims;
use crate::session::registry::{Registry, RegistryTask};
use crate::session::worker::Worker;
use crate::store::Store;
use crate::telegram::api::Api;
use crate::telegram::outbox::Outbox;
use crate::verify::check;

/// What it needs.
pub(super) struct Work {
    pub config: Config,
    pub data: Arc<DataFolder>,
    pub store: Store,
    pub outbox: Outbox,
    pub metrics: Metrics,
    pub registry: Registry,
    pub api: Api,
    pub tasks: TaskTracker,
    /// The page gets it once the login shell has answered.
    pub git_of_page: Arc<OnceLock<Git>>,
    pub quit: CancellationToken,
}

impl Work {
    /// Asks the login shell, and starts the tasks.
    pub async fn begin(mut self, places: Places, asks: RegistryTask, logins: login::Waiting) {
        let quit = self.quit.clone();
        tokio::select! {
            () = add_login_shell(&mut self.config) => {}
            () = quit.cancelled() => return,
        }
        let tasks = self.tasks.clone();
        let _ = self.git_of_page.set(self.git());
        let worker = Arc::new(self.worker(places));
        tasks.spawn(clear_given_up(Arc::clone(&worker), quit.clone()));
        tasks.spawn(self.upkeep().keep_up(quit.clone()));
        let login = LoginTask {
            store: self.store,
            outbox: self.outbox,
            registry: self.registry,
            owner: self.config.access.owner(),
            program: self.config.runtime.clone(),
            environment: self.config.environment.clone(),
            scratch: self.data.scratch(),
            database: self.data.database(),
        };
        tasks.spawn(login.run(logins, quit.clone()));
        tasks.spawn(greet::look_for_claude(self.config, quit.clone()));
        tasks.spawn(asks.run(worker, quit));
    }

    fn upkeep(&self) -> Upkeep {
        Upkeep {
            store: self.store.clone(),
            runs: self.data.runs(),
            checks: self.data.checks(),
            data: self.config.data.clone(),
            scratch: self.data.scratch(),
            workspaces: self.data.workspaces(),
            git: self.git(),
            metrics: self.metrics.clone(),
            keep_runs: self.config.keep_runs,
        }
    }

    fn worker(&self, places: Places) -> Worker {
        let (config, data) = (&self.config, &self.data);
        Worker {
            runner: Runner {
                handles: Handles {
                    store: self.store.clone(),
                    outbox: self.outbox.clone(),
                    metrics: self.metrics.clone(),
                    git: self.git(),
                    checking: Checking {
                        defaults: config.checks.clone(),
                        trusts_repository: config.repo_checks,
                        time_limit: config.verify_timeout,
                        auto_push: config.auto_push,
                        environment: check::environment(&config.environment),
                        folder: data.checks(),
                    },
                    fetching: Fetching {
                        api: self.api.clone(),
                        transcriber: config.transcriber.clone(),
                    },
                    places,
                    data: config.data.clone(),
                    page: config.page.clone(),
                },
                watch: Watch::start(),
                mirrors: Mirrors::new(data.mirrors()),
                folder: data.runs(),
                program: config.runtime.clone(),
                permission_mode: config.permission_mode,
                may_bypass: config.may_bypass,
                model: config.model.clone(),
                time_limit: config.run_timeout,
                warm: config.warm,
                warm_most: config.warm_most,
                environment: config.environment.clone(),
                owner: config.access.owner(),
            },
            registry: self.registry.clone(),
            claims: Claims::default(),
            preparing: Claims::default(),
            jobs: Claims::default(),
            failures: Mutex::default(),
            told: Mutex::default(),
            branch_prefix: config.branch_prefix.clone(),
        }
    }

    fn git(&self) -> Git {
        Git {
            environment: self.config.environment.clone(),
            scratch: self.data.scratch(),
            snapshots: self.data.snapshots(),
            file_max: self.config.snapshot_file_max,
        }
    }
}

/// The log says what came of it.
async fn add_login_shell(config: &mut Config) {
    match config.login_env.add_to(&mut config.environment).await {
        None => {}
        Some(Ok(added)) => {
            config.redactor.learn(&added.variables);
            info!(
                shell = %added.shell.display(),
                folders_of_path = added.folders,
                variables = added.variables.len(),
                "claude, git and the checks get what the login shell has"
            );
        }
        Some(Err(why @ NoAnswer::LetsNobodyIn(_))) => {
            info!("{why}; claude, git and the checks have the PATH of this process");
        }
        Some(Err(why)) => warn!(
            "{why}. claude, git and the checks have the PATH of this process; TELECODER_LOGIN_ENV=false asks no shell"
        ),
    }
}

async fn clear_given_up(worker: Arc<Worker>, quit: CancellationToken) {
    tokio::select! {
        cleared = worker.clear_given_up() => {
            if let Err(error) = cleared {
                warn!(%error, "sessions that were given up could not be cleared");
            }
        }
        () = quit.cancelled() => {}
    }
}
