//! Failing checks go back to claude: at the press of a button, or by themselves if somebody said so.

use rusqlite::Connection;
use uuid::Uuid;

use crate::chat::evidence::Next;
use crate::claude::forms;
use crate::domain::check::CheckEnd;
use crate::domain::evidence::Evidence;
use crate::domain::id::{ChatThread, JobId, MessageId, PromptId, RunId, SessionId};
use crate::domain::prompt::Content;
use crate::domain::run::Measured;
use crate::store::prompts::{self, Prompt};
use crate::store::{jobs, measured, runs, sessions, waiting};

/// How often in a row failing checks go back to claude by themselves.
const ROUNDS: u32 = 3;

/// The job whose checks failed.
#[derive(Clone, Copy)]
pub struct Failed<'a> {
    pub job: JobId,
    pub session: &'a SessionId,
    pub at: ChatThread,
}

/// Queues a run in this transaction that gives failing checks back to claude, if the session wants that. Not after a
/// stop, and not if another prompt waits.
pub(super) fn follow_up(
    db: &Connection,
    failed: Failed<'_>,
    measured: Option<&Measured>,
    evidence: &Evidence,
) -> rusqlite::Result<Next> {
    let Some(prompt) = forms::failing_checks(&evidence.checks) else {
        return Ok(Next::Open);
    };
    let is_cut_short = evidence
        .checks
        .iter()
        .any(|result| matches!(result.ended, CheckEnd::Stopped | CheckEnd::GaveWay));
    // Read now: somebody may have set it meanwhile.
    let wants = sessions::get(db, failed.session)?.is_some_and(|session| session.autofix);
    if !wants
        || is_cut_short
        || jobs::stop_requested(db, failed.job)?
        || waiting::queued_count(db, failed.at)? > 0
    {
        return Ok(Next::Open);
    }
    let round = measured.map_or(0, |measured| measured.fix_round) + 1;
    if round > ROUNDS {
        return Ok(Next::GaveUp(ROUNDS));
    }
    let asked_by = measured.and_then(|measured| measured.asked_by);
    queue(db, failed, prompt, asked_by, round)?;
    Ok(Next::Fixing(round, ROUNDS))
}

/// Queues the failing output as a prompt; `round` is 0 if a person asked for it.
pub fn queue(
    db: &Connection,
    failed: Failed<'_>,
    prompt: String,
    asked_by: Option<MessageId>,
    round: u32,
) -> rusqlite::Result<()> {
    let run = RunId::new();
    runs::insert(db, run, failed.session, failed.at)?;
    measured::set_fixes(db, run, failed.job, round)?;
    prompts::insert(
        db,
        run,
        &Prompt {
            id: PromptId(Uuid::new_v4()),
            content: Content::written(prompt, None),
            message: asked_by,
            user: None,
            sent_at: None,
        },
    )
}
