//! `session attach`: runs claude in this terminal, with the session's conversation, in its workspace. The chat waits,
//! and is told afterwards.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use uuid::Uuid;

use super::beside::Beside;
use super::{LOOK_AGAIN, stop};
use crate::chat::changed::summary;
use crate::chat::shell::AtTerminal;
use crate::chat::text::duration;
use crate::claude::argv::Conversation;
use crate::claude::terminal::{self, Invocation};
use crate::cli::screen;
use crate::config::{self, ForClaude, Sources};
use crate::domain::changes::Files;
use crate::domain::id::RunId;
use crate::domain::run::Before;
use crate::domain::session::{Session, SessionState};
use crate::git::Git;
use crate::git::inner;
use crate::git::repository::Repository;
use crate::git::snapshot::{self, Moment};
use crate::inbox::shell;
use crate::session::attached;
use crate::store::{jobs, now, runs};
use crate::verify::measure::{self, Since};

/// How long to wait for the snapshot of the workspace.
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
    let held = beside.take(&session)?;
    held.pass_on()?;
    wait_for_quiet(beside, &session, stop_first)?;
    if !beside.write(|db| Ok(shell::attach(db, &session)?))? {
        bail!("something has just begun in session {name}; nothing was done");
    }
    // Read again: the last run may have changed it.
    let session = beside.session(name)?;
    let worked = work(beside, &claude, &session);
    let record = terminal::read(&attached::record(beside.data(), &session.id));
    let what = AtTerminal {
        prompts: record.prompts,
        conversation: record.conversation,
        ..worked.as_ref().ok().cloned().unwrap_or_default()
    };
    beside.write(|db| Ok(shell::hand_back(db, &session, &what)?))?;
    held.release();
    worked?;
    screen::print_beside(&format!(
        "Session {name} is handed back after {}{}.",
        duration(what.elapsed),
        match &what.files {
            Some(files) if !files.is_empty() => format!("; {}", summary(files)),
            _ => String::new(),
        }
    ));
    Ok(())
}

/// Waits until nothing else works in the session.
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
    if !beside.has_bot() && jobs::is_measuring(&beside.db, &session.id)? {
        bail!(
            "the changes of the last run in session {} are not recorded yet, and nothing was done; start telecoder, and \
             attach when they are",
            session.id
        );
    }
    let mut told = false;
    while beside.has_bot() && jobs::is_measuring(&beside.db, &session.id)? {
        if !told {
            screen::print_beside("Waiting until the session's checks are done …");
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
        environment: claude.git.environment.clone(),
        scratch: beside.data().join("scratch"),
        snapshots: beside.data().join("snapshots"),
        file_max: claude.git.snapshot_file_max,
    };
    let before = AtFirst::look(&runtime, &git, session);
    let begun = Instant::now();
    let invocation = Invocation {
        program: &claude.runtime,
        conversation: match &session.claude_session {
            Some(conversation) => Conversation::Resume(conversation.clone()),
            None => Conversation::New(Uuid::new_v4()),
        },
        permission_mode: claude.permission_mode,
        model: claude.model.as_deref().or(session.model.as_deref()),
        workspace: &session.workspace,
        environment: &claude.git.environment,
        record: &attached::record(beside.data(), &session.id),
    };
    invocation.run().with_context(|| {
        format!(
            "claude could not be started ({}); the session is handed back",
            claude.runtime.display()
        )
    })?;
    Ok(AtTerminal {
        elapsed: begun.elapsed(),
        files: before.and_then(|before| before.changed_since(&runtime, &git, session)),
        ..AtTerminal::default()
    })
}

/// The workspace as it was.
struct AtFirst {
    /// Names the snapshot.
    id: RunId,
    since: i64,
    state: Before,
}

impl AtFirst {
    /// `None` if git cannot say: the changes are left out then.
    fn look(runtime: &tokio::runtime::Runtime, git: &Git, session: &Session) -> Option<AtFirst> {
        let before = AtFirst {
            id: RunId::new(),
            since: now(),
            state: Before::of(snapshot::unborn_branch(&session.workspace), None),
        };
        if before.state.is_empty() {
            return Some(before);
        }
        let reference = snapshot::reference(before.id, Moment::Before);
        let taken = runtime.block_on(async {
            let top = Repository::new(git, &session.workspace);
            let taking = inner::take_all(top, &reference);
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
        runtime.block_on(async {
            let workspace = &session.workspace;
            let since = Since {
                moment: self.since,
                can_have_written: false,
            };
            let changes = measure::changes(git, workspace, self.id, since, &self.state).await;
            // No longer needed; one that stays costs a little room.
            let _ = inner::forget_run(Repository::new(git, workspace), self.id).await;
            changes.ok().map(|changes| changes.files())
        })
    }
}
