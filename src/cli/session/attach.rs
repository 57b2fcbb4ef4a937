//! `session attach`: claude in this terminal, with the session's conversation, in its workspace; the chat waits and hears
//! afterwards what happened.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use signal_hook::consts::{SIGINT, SIGQUIT};
use uuid::Uuid;

use super::beside::Beside;
use super::{LOOK_AGAIN, stop};
use crate::chat::evidence::summary;
use crate::chat::shell::AtTerminal;
use crate::chat::text::duration;
use crate::claude::argv::Conversation;
use crate::claude::terminal;
use crate::config::{self, ForClaude, Sources};
use crate::git::Git;
use crate::git::diff::Files;
use crate::git::index::OwnIndex;
use crate::git::snapshot::{self, Moment};
use crate::id::RunId;
use crate::inbox::shell;
use crate::session::attached::{self, Attached};
use crate::session::{Session, SessionState};
use crate::store::{jobs, now, runs};
use crate::verify::measure;

/// How long a terminal waits for the snapshot of what is before.
const SNAPSHOT_LIMIT: Duration = Duration::from_secs(30);

pub(super) fn attach(
    sources: &Sources,
    beside: &mut Beside,
    name: &str,
    stop_first: bool,
) -> anyhow::Result<()> {
    let claude = config::for_claude(sources)?;
    let session = beside.session(name)?;
    if session.state != SessionState::Ready {
        bail!("session {name} has no workspace yet; nothing was done");
    }
    let Some(_held) = Attached::take(beside.data(), &session.id)? else {
        bail!("session {name} is open in another terminal already; nothing was done");
    };
    wait_for_quiet(beside, &session, stop_first)?;
    if !beside.write(|db| Ok(shell::attach(db, &session)?))? {
        bail!("a run has just begun in session {name}; nothing was done");
    }
    // As the last run has left it.
    let session = beside.session(name)?;
    let mut what = work(beside, &claude, &session);
    if let Ok(what) = &mut what {
        let record = terminal::read(&attached::record(beside.data(), &session.id));
        (what.prompts, what.conversation) = (record.prompts, record.conversation);
    }
    let told = what.as_ref().ok().cloned().unwrap_or_default();
    beside.write(|db| Ok(shell::hand_back(db, &session, &told)?))?;
    let what = what?;
    eprintln!(
        "Session {name} is handed back after {}{}.",
        duration(what.elapsed),
        match &what.files {
            Some(files) if !files.is_empty() => format!("; {}", summary(files)),
            _ => String::new(),
        }
    );
    Ok(())
}

/// Nothing may work in the session but the terminal.
fn wait_for_quiet(beside: &mut Beside, session: &Session, stop_first: bool) -> anyhow::Result<()> {
    if runs::running_of_session(&beside.db, &session.id)?.is_some() {
        if !stop_first {
            bail!(
                "a run is going on in session {}, and nothing was done; wait for it (telecoder session logs {} -f \
                 shows it), or give --stop to end it",
                session.id,
                session.id
            );
        }
        stop::stop(beside, &session.id.0)?;
    }
    let mut told = false;
    while beside.has_bot() && jobs::begun_in(&beside.db, &session.id)?.is_some() {
        if !told {
            eprintln!("Waiting until the session's checks are done …");
        }
        told = true;
        std::thread::sleep(LOOK_AGAIN);
    }
    Ok(())
}

/// Runs claude, and looks at what changed meanwhile.
fn work(beside: &Beside, claude: &ForClaude, session: &Session) -> anyhow::Result<AtTerminal> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let git = Git {
        environment: claude.environment.clone(),
        scratch: beside.data().join("scratch"),
    };
    let before = Before::look(&runtime, &git, session);
    let begun = Instant::now();
    run_claude(beside, claude, session)?;
    Ok(AtTerminal {
        elapsed: begun.elapsed(),
        files: before.and_then(|before| before.changed_since(&runtime, &git, session)),
        ..AtTerminal::default()
    })
}

fn run_claude(beside: &Beside, claude: &ForClaude, session: &Session) -> anyhow::Result<()> {
    let conversation = match &session.claude_session {
        Some(conversation) => Conversation::Resume(conversation.clone()),
        None => Conversation::New(Uuid::new_v4()),
    };
    let arguments = terminal::arguments(
        &conversation,
        claude.permission_mode,
        claude.model.as_deref().or(session.model.as_deref()),
        &attached::record(beside.data(), &session.id),
    );
    // Ctrl-C is claude's to answer; this process waits for it.
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGQUIT] {
        signal_hook::flag::register(signal, Arc::clone(&interrupted))?;
    }
    Command::new(&claude.runtime)
        .args(arguments)
        .current_dir(&session.workspace)
        .env_clear()
        .envs(&claude.environment)
        .status()
        .with_context(|| {
            format!(
                "claude could not be started ({}); the session is handed back",
                claude.runtime.display()
            )
        })?;
    Ok(())
}

/// The workspace as it was.
struct Before {
    /// Names the snapshot.
    id: RunId,
    since: i64,
    was_empty: Option<String>,
}

impl Before {
    /// `None` where git cannot say: what changed is left out then.
    fn look(runtime: &tokio::runtime::Runtime, git: &Git, session: &Session) -> Option<Before> {
        let before = Before {
            id: RunId::new(),
            since: now(),
            was_empty: snapshot::unborn_branch(&session.workspace),
        };
        if before.was_empty.is_some() {
            return Some(before);
        }
        let reference = snapshot::reference(before.id, Moment::Before);
        let index = OwnIndex::within(&git.scratch);
        let taken = runtime.block_on(async {
            let taking = snapshot::take(git, &session.workspace, &reference, &index);
            tokio::time::timeout(SNAPSHOT_LIMIT, taking).await
        });
        matches!(taken, Ok(Ok(()))).then_some(before)
    }

    fn changed_since(
        self,
        runtime: &tokio::runtime::Runtime,
        git: &Git,
        session: &Session,
    ) -> Option<Files> {
        let index = OwnIndex::within(&git.scratch);
        runtime.block_on(async {
            let workspace = &session.workspace;
            let was_empty = self.was_empty.as_deref();
            let changes =
                measure::changes(git, workspace, &index, self.id, self.since, was_empty).await;
            // It has served its purpose; one that stays costs a little room.
            let _ = snapshot::forget(git, workspace, self.id, &Moment::ALL).await;
            changes.ok().map(|changes| changes.files)
        })
    }
}
