//! Starts a run: its folder, its keeper, its claude; and begins it there with its prompts.
//!
//! The snapshot of what was before the run is taken while claude starts. claude does nothing before it has its first
//! prompt, and it gets that when the snapshot is there.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use fail::fail_point;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::claude::argv::{self, Conversation, Invocation};
use crate::claude::control;
use crate::claude::environment::OUTBOX_VARIABLE;
use crate::claude::folder::{Kept, RunFolder, Spec};
use crate::claude::host::{self, Host};
use crate::claude::settings as claude_settings;
use crate::claude::watch::Watch;
use crate::domain::choices::Choices;
use crate::domain::choices::PermissionMode;
use crate::domain::id::{ChatId, ChatThread, RunId};
use crate::domain::question::Grant;
use crate::domain::run::Run;
use crate::domain::session::Session;
use crate::files;
use crate::git::inner;
use crate::git::mirror::Mirrors;
use crate::git::repository::Repository;
use crate::git::snapshot::{self, Moment};
use crate::job::{Handles, Signals};
use crate::store::settings;
use crate::store::{self, StoreError, measured, prompts, questions, runs};
use crate::verify::measure;

/// How long a run waits for the snapshot taken before it.
const SNAPSHOT_LIMIT: Duration = Duration::from_secs(30);

/// What every run needs.
pub struct Runner {
    /// What jobs need too.
    pub handles: Handles,
    pub watch: Watch,
    /// They have the clones' objects.
    pub mirrors: Mirrors,
    /// `runs/` in the data folder.
    pub folder: PathBuf,
    /// claude, by its name on PATH or its path.
    pub program: PathBuf,
    pub permission_mode: PermissionMode,
    /// claude takes the mode bypassPermissions here.
    pub may_bypass: bool,
    pub model: Option<String>,
    pub time_limit: Option<Duration>,
    /// How long a claude is kept after a run, for the next prompt; `None`: not at all.
    pub warm: Option<Duration>,
    /// How many are kept at most.
    pub warm_most: usize,
    /// What claude gets of the service's environment.
    pub environment: BTreeMap<OsString, OsString>,
    /// The chat that is offered a login.
    pub owner: Option<ChatThread>,
}

impl Runner {
    pub fn folder_of(&self, run: &Run) -> RunFolder {
        RunFolder::new(self.folder.join(run.process.to_string()))
    }

    /// Whether the run's keeper seems to be alive.
    pub fn is_kept(&self, run: &Run) -> bool {
        matches!(self.folder_of(run).kept(), Ok(Kept::Alive(_)))
    }

    /// Starts the run's keeper, unless one has begun already, and gives claude the run's prompts.
    ///
    /// Call it with a run that is marked as running, and again after a crash in between. A stop or the end of the bot
    /// ends it early: then claude has no prompt yet. Errors are the store's, the file system's, or that no process
    /// could be started.
    pub async fn start(
        &self,
        run: &Run,
        session: &Session,
        signals: &Signals,
        quit: &CancellationToken,
    ) -> anyhow::Result<()> {
        let folder = self.folder_of(run);
        if run.process == run.id && folder.kept()? == Kept::NotYet {
            self.launch(&folder, run, session).await?;
        }
        let begun = self.begin(folder, run, session, signals, quit).await;
        if begun.is_err() && self.is_to_stop(run.id).await? {
            // Its claude is stopped without a prompt.
            return Ok(());
        }
        begun
    }

    /// Makes it impossible for a keeper to begin the run. Returns false if one has begun it, or may have.
    pub fn give_up(&self, run: &Run) -> bool {
        let folder = self.folder_of(run);
        match folder.path().is_dir() {
            true => matches!(folder.begin(), Ok(Some(_))),
            // None was launched.
            false => true,
        }
    }

    async fn is_to_stop(&self, run: RunId) -> Result<bool, StoreError> {
        let store = &self.handles.store;
        store
            .transaction(move |db| runs::stop_requested(db, run))
            .await
    }

    /// Starts the run's keeper, and through it claude.
    async fn launch(&self, folder: &RunFolder, run: &Run, session: &Session) -> anyhow::Result<()> {
        let id = run.id;
        let (own, chat) = (session.id.clone(), run.at.chat);
        let (grants, choices) = self
            .handles
            .store
            .transaction(move |db| Ok((questions::grants(db, &own)?, settings::choices(db, chat)?)))
            .await?;
        let outbox = files::outbox(&self.handles.data, &session.id);
        // A file may come while the first run goes on.
        for folder in [&outbox, &files::inbox(&self.handles.data, &session.id)] {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)?;
        }
        let arguments = self.arguments(run.id, run.at, session, &choices, &grants, folder);
        let spec = Spec {
            run: run.id,
            program: self.program.clone(),
            arguments,
            workspace: session.workspace.clone(),
            time_limit_ms: self
                .time_limit
                .map(|limit| u64::try_from(limit.as_millis()).unwrap_or(u64::MAX)),
        };
        let mut environment = self.environment.clone();
        environment.insert(OUTBOX_VARIABLE.into(), outbox.into());
        // Those of an earlier try may be incomplete, if the machine has crashed since.
        folder.remove_lines()?;
        folder.leave_line("initialize", &control::initialize())?;
        fail_point!("run-launch", |_| std::process::abort());
        let mut keeper = host::launch(
            folder,
            &spec,
            &claude_settings::of_run(&grants),
            &environment,
        )?;
        fail_point!("run-launched", |_| std::process::abort());
        // Awaited, so that it is no zombie when it ends.
        tokio::spawn(async move {
            match keeper.wait().await {
                Ok(status) if status.success() => {}
                Ok(status) => warn!(run.id = %id, %status, "a keeper ended badly"),
                Err(error) => warn!(run.id = %id, %error, "a keeper cannot be awaited"),
            }
        });
        Ok(())
    }

    /// Begins the run in a claude that lives, or starts: its prompts go to its input, once what was before is kept.
    async fn begin(
        &self,
        folder: RunFolder,
        run: &Run,
        session: &Session,
        signals: &Signals,
        quit: &CancellationToken,
    ) -> anyhow::Result<()> {
        let id = run.id;
        if folder.kept()? == Kept::Gone {
            return Ok(());
        }
        let store = &self.handles.store;
        let prompts = store.transaction(move |db| prompts::of_run(db, id)).await?;
        let host = Host::open(folder)?;
        let mut has_begun = !host.passed_on(&format!("begun-{id}"))?.is_empty();
        for prompt in &prompts {
            has_begun |= !host.passed_on(&prompt.id.0.to_string())?.is_empty();
        }
        if !has_begun {
            // After a restart in the middle of the run it is not taken again.
            tokio::select! {
                kept = self.keep_what_was_before(run, session) => kept?,
                stopped = self.is_stopped(id, signals) => return stopped,
                () = quit.cancelled() => return Ok(()),
            }
            self.count(run);
            host.pass_on(&format!("begun-{id}"), "")?;
        }
        fail_point!("run-goes-on", |_| std::process::abort());
        let pass_on = move || {
            // Pictures are read from their files.
            prompts.iter().try_for_each(|prompt| {
                let line = control::user_message(&prompt.content, prompt.id);
                host.pass_on(&prompt.id.0.to_string(), &line).map(drop)
            })
        };
        tokio::task::spawn_blocking(pass_on).await??;
        fail_point!("run-went-on", |_| std::process::abort());
        Ok(())
    }

    /// Returns when somebody has asked to stop the run.
    async fn is_stopped(&self, run: RunId, signals: &Signals) -> anyhow::Result<()> {
        while !self.is_to_stop(run).await? {
            signals.stop.notified().await;
        }
        Ok(())
    }

    /// Counts that a run has begun, and how long it waited.
    fn count(&self, run: &Run) {
        let waited = store::now().saturating_sub(run.queued_at);
        let waited = Duration::from_millis(u64::try_from(waited).unwrap_or(0));
        self.handles.metrics.run_started(waited);
    }

    /// What claude is started with for a run.
    pub(super) fn arguments(
        &self,
        run: RunId,
        at: ChatThread,
        session: &Session,
        choices: &Choices,
        grants: &[Grant],
        folder: &RunFolder,
    ) -> Vec<String> {
        let invocation = Invocation {
            conversation: match &session.claude_session {
                Some(conversation) => Conversation::Resume(conversation.clone()),
                // The run's own id: a second start names the same conversation.
                None => Conversation::New(run.0),
            },
            outbox: &files::outbox(&self.handles.data, &session.id),
            inbox: &files::inbox(&self.handles.data, &session.id),
            permission_mode: self.mode(choices, grants),
            model: choices
                .model
                .as_ref()
                .or(self.own_model(session))
                .map(String::as_str)
                // A resumed claude would keep the chat's earlier choice.
                .or(session.claude_session.is_some().then_some(argv::OWN_MODEL)),
            effort: choices.effort,
            can_ask: at.chat != ChatId::SHELL,
            may_bypass: self.may_bypass,
            settings: &folder.settings(),
        };
        invocation.arguments()
    }

    /// The model that claude is started with if the chat has chosen none.
    pub(super) fn own_model<'a>(&'a self, session: &'a Session) -> Option<&'a String> {
        self.model.as_ref().or(session.model.as_ref())
    }

    /// The mode that the chat has chosen, else the configured one; a mode granted to the session replaces `default`.
    pub(super) fn mode(&self, choices: &Choices, grants: &[Grant]) -> PermissionMode {
        let chosen = choices
            .mode
            .filter(|mode| *mode != PermissionMode::BypassPermissions || self.may_bypass)
            .unwrap_or(self.permission_mode);
        let granted = grants.iter().rev().find_map(|grant| match grant {
            Grant::Mode(mode) => Some(*mode),
            Grant::Rule { .. } | Grant::Folder(_) => None,
        });
        match (chosen, granted) {
            (PermissionMode::Default, Some(granted)) => granted,
            _ => chosen,
        }
    }

    /// Takes a snapshot of the workspace, to measure and undo the run's changes. The run continues without one; its
    /// evidence says so.
    async fn keep_what_was_before(&self, run: &Run, session: &Session) -> Result<(), StoreError> {
        if run.before.is_empty() {
            return Ok(());
        }
        let reference = snapshot::reference(run.id, Moment::Before);
        let top = Repository::new(&self.handles.git, &session.workspace);
        let taking = inner::take_all(top, &reference);
        let begun = Instant::now();
        let taken = tokio::time::timeout(SNAPSHOT_LIMIT, taking).await;
        let metrics = &self.handles.metrics;
        metrics.snapshot(begun.elapsed(), matches!(taken, Ok(Ok(()))));
        let why = match taken {
            Ok(Ok(())) => return Ok(()),
            // The run's end says so.
            Ok(Err(_)) if !session.workspace.is_dir() => return Ok(()),
            Ok(Err(error)) => measure::in_words(&error),
            Err(_) => format!("a snapshot took longer than {} s", SNAPSHOT_LIMIT.as_secs()),
        };
        warn!(run.id = %run.id, why, "there is no snapshot of what was before a run");
        let id = run.id;
        self.handles
            .store
            .transaction(move |db| measured::set_no_snapshot(db, id, &why))
            .await
    }
}
