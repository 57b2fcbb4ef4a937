//! Evidence after a run, and `/verify`: measure, check, compare with what was claimed, say it in one message.

use std::time::Duration;

use fail::fail_point;
use rusqlite::Connection;
use tracing::{info, warn};

use super::at_work::{AtWork, Finished, Heard};
use crate::chat::Outgoing;
use crate::chat::evidence::{self, Hint, Next};
use crate::git::diff::Remote;
use crate::git::{Listener, push};
use crate::id::{ChatThread, JobId, MessageId, PromptId, RunId, SessionId};
use crate::run::Measured;
use crate::store::prompts::{self, Prompt};
use crate::store::{StoreError, outbox, runs, sessions, settings, verifications};
use crate::verify::check::Bench;
use crate::verify::claims::Claims;
use crate::verify::{
    AutoPush, Changes, Check, CheckResult, Ended, Evidence, commands, contradictions, fix, measure,
};

/// So often failing checks go back to claude by themselves, one time after the other.
const FIX_ROUNDS: u32 = 3;
/// How long a push by itself may take before it is told as refused.
const PUSH_LIMIT: Duration = Duration::from_secs(120);

/// Which run is measured, and how.
#[derive(Clone, Copy)]
pub(super) struct Order {
    /// The run that the evidence is about; none where nothing has run yet.
    pub run: Option<RunId>,
    pub with_checks: bool,
    /// Somebody asked for it, and shall hear of it whatever comes.
    pub by_hand: bool,
}

pub(super) async fn verify(work: &AtWork<'_>, order: Order) -> anyhow::Result<Finished> {
    let measured = match order.run {
        Some(run) => Some(
            work.store()
                .transaction(move |db| runs::to_measure(db, run))
                .await?,
        ),
        None => None,
    };
    let made = tokio::select! {
        biased;
        () = work.quit.cancelled() => return Ok(Finished::BotStops),
        made = make(work, order, measured.as_ref()) => made?,
    };
    fail_point!("verified", |_| std::process::abort());
    tell(work, order, measured, made).await
}

/// What was made of it, and whether checks are missing.
struct Made {
    evidence: Evidence,
    unchecked: bool,
}

async fn make(
    work: &AtWork<'_>,
    order: Order,
    measured: Option<&Measured>,
) -> Result<Made, StoreError> {
    let changes = changes(work, order, measured).await;
    let claims = match measured {
        Some(measured) if !order.by_hand => measured.claims,
        _ => Claims::default(),
    };
    let is_touched = changes.as_ref().map_or(true, |changes| !changes.is_none());
    let is_fix = measured.is_some_and(|measured| measured.is_fix);
    let is_wanted = order.by_hand || is_touched || is_fix || claims.tests_pass || claims.lint_clean;
    let list = chosen(work, order.run).await;
    let unchecked = list.is_empty() && order.with_checks;
    let mut checks = Vec::new();
    if order.with_checks && is_wanted {
        checks = run_checks(work, order, &list).await?;
    }
    let mut evidence = Evidence {
        contradictions: contradictions(claims, &changes, &checks),
        changes,
        checks,
        auto_push: None,
        cost_usd: measured
            .filter(|_| !order.by_hand)
            .map(|measured| measured.cost_usd),
    };
    if work.runner.checking.auto_push && evidence.is_green() && !order.by_hand {
        evidence.auto_push = auto_push(work, &evidence).await;
        if let (Some(AutoPush::Pushed { .. }), Ok(changes)) =
            (&evidence.auto_push, &mut evidence.changes)
        {
            changes.remote = Remote::Ahead(0);
        }
    }
    Ok(Made {
        evidence,
        unchecked,
    })
}

async fn changes(
    work: &AtWork<'_>,
    order: Order,
    measured: Option<&Measured>,
) -> Result<Changes, String> {
    let (Some(run), Some(measured)) = (order.run, measured) else {
        return Ok(Changes::default());
    };
    if let Some(why) = &measured.no_snapshot {
        return Err(why.clone());
    }
    let git = &work.runner.git;
    let index = measure::index_of(&git.scratch, &work.session.id);
    let workspace = &work.session.workspace;
    measure::changes(git, workspace, &index, run, measured.started_at).await
}

/// The checks of the session. The repository's own file counts as it was before the run: a run does not choose
/// what it is measured by.
async fn chosen(work: &AtWork<'_>, run: Option<RunId>) -> Vec<Check> {
    let checking = &work.runner.checking;
    let file = match run {
        Some(run) if checking.trusts_repository => {
            measure::file_before(
                &work.runner.git,
                &work.session.workspace,
                run,
                commands::REPOSITORY_FILE,
            )
            .await
        }
        _ => None,
    };
    commands::chosen(&work.session.checks, &checking.defaults, file.as_deref())
        .into_iter()
        .map(|(check, _)| check)
        .collect()
}

/// One after the other; when one is cut short, so are those behind it.
async fn run_checks(
    work: &AtWork<'_>,
    order: Order,
    list: &[Check],
) -> Result<Vec<CheckResult>, StoreError> {
    let runner = work.runner;
    let folder = runner.checking.folder.join(work.job.id.to_string());
    let mut results: Vec<CheckResult> = Vec::new();
    if let (false, Err(error)) = (list.is_empty(), std::fs::create_dir_all(&folder)) {
        warn!(%error, "the output of checks cannot be kept");
    }
    for check in list {
        let cut_before = results
            .last()
            .map(|result| &result.ended)
            .filter(|ended| matches!(ended, Ended::Stopped | Ended::GaveWay));
        let result = match cut_before {
            Some(ended) => not_run(check, ended.clone()),
            None if prompt_waits(work, order).await? => not_run(check, Ended::GaveWay),
            None => {
                let heard = Heard::default();
                let hear = |line: &str| heard.set(line);
                let bench = Bench {
                    workspace: &work.session.workspace,
                    environment: &runner.checking.environment,
                    folder: &folder,
                    time_limit: runner.checking.time_limit,
                    heard: &hear,
                };
                let live = |elapsed| evidence::live(&check.command, elapsed, &heard.get());
                tokio::select! {
                    result = bench.run(check, cut(work, order)) => result,
                    () = work.show(live) => not_run(check, Ended::Stopped),
                }
            }
        };
        info!(
            job.id = %work.job.id,
            kind = ?check.kind,
            ended = ?result.ended,
            elapsed_ms = result.elapsed_ms,
            "a check ended"
        );
        results.push(result);
    }
    Ok(results)
}

fn not_run(check: &Check, ended: Ended) -> CheckResult {
    CheckResult {
        check: check.clone(),
        ended,
        counts: None,
        elapsed_ms: 0,
        last_lines: String::new(),
        survivors: 0,
    }
}

/// Returns when the checks are to be ended: somebody asked for it, or the next prompt is there. Checks that
/// somebody asked for are not ended for a prompt.
async fn cut(work: &AtWork<'_>, order: Order) -> Ended {
    let prompt_came = async {
        loop {
            if matches!(prompt_waits(work, order).await, Ok(true)) {
                return;
            }
            work.signals.more.notified().await;
        }
    };
    tokio::select! {
        () = work.stopped() => Ended::Stopped,
        () = prompt_came => Ended::GaveWay,
    }
}

async fn prompt_waits(work: &AtWork<'_>, order: Order) -> Result<bool, StoreError> {
    if order.by_hand {
        return Ok(false);
    }
    let job = work.job.id;
    work.store()
        .transaction(move |db| {
            let at = crate::store::jobs::place(db, job)?;
            Ok(runs::queued_count(db, at)? > 0)
        })
        .await
}

async fn auto_push(work: &AtWork<'_>, evidence: &Evidence) -> Option<AutoPush> {
    let has_news = matches!(
        evidence.changes.as_ref().map(|changes| changes.remote),
        Ok(Remote::Ahead(1..))
    );
    if !has_news {
        return None;
    }
    let listener = Listener {
        heard: &|_| {},
        stop: work.quit,
    };
    let pushing = push::push(&work.runner.git, &work.session.workspace, listener);
    Some(match tokio::time::timeout(PUSH_LIMIT, pushing).await {
        Ok(Ok(pushed)) => AutoPush::Pushed { link: pushed.link },
        Ok(Err(error)) => AutoPush::Refused(measure::in_words(&error)),
        Err(_) => AutoPush::Refused(format!("git took longer than {} s", PUSH_LIMIT.as_secs())),
    })
}

/// Writes down what was measured, says it, and lets follow what follows.
async fn tell(
    work: &AtWork<'_>,
    order: Order,
    measured: Option<Measured>,
    made: Made,
) -> anyhow::Result<Finished> {
    let evidence = made.evidence;
    let tells = order.by_hand || evidence.is_worth_telling();
    let found = match made.unchecked && tells {
        true => {
            let workspace = work.session.workspace.clone();
            tokio::task::spawn_blocking(move || commands::detect(&workspace)).await?
        }
        false => commands::Defaults::default(),
    };
    let (job, session) = (work.job.id, work.session.clone());
    let asked_by = match &measured {
        Some(measured) if !order.by_hand => measured.asked_by,
        _ => work.job.asked_by,
    };
    let unchecked = made.unchecked;
    let finished = work
        .end(move |db, at| {
            verifications::insert(db, job, &session.id, order.run, &evidence)?;
            if !tells {
                return Ok(());
            }
            let hint = match unchecked && (sessions::hint(db, &session.id)? || order.by_hand) {
                true => Some(Hint {
                    session: session.id.clone(),
                    found,
                }),
                false => None,
            };
            let failed = Failed {
                job,
                session: &session.id,
                at,
            };
            let next = next(db, order, measured.as_ref(), failed, &evidence)?;
            let message =
                evidence::message(job, &evidence, &next, hint.as_ref()).replying_to(asked_by);
            let message = ringing(db, at, measured.as_ref(), message)?;
            let answer = measured.as_ref().and_then(|measured| measured.answer_row);
            outbox::insert_replying(db, at, &message, answer.filter(|_| !order.by_hand))
        })
        .await?;
    Ok(finished)
}

/// A chat that wants to hear only of long runs hears only of those.
fn ringing(
    db: &Connection,
    at: ChatThread,
    measured: Option<&Measured>,
    message: Outgoing,
) -> rusqlite::Result<Outgoing> {
    let Some(measured) = measured else {
        return Ok(message);
    };
    let took = measured.ended_at.unwrap_or(measured.started_at) - measured.started_at;
    let took = Duration::from_millis(u64::try_from(took).unwrap_or(0));
    let ring = settings::get(db, at.chat)?.ring;
    Ok(message.ringing_if(ring.is_worth_it(took)))
}

/// Whose checks have failed.
#[derive(Clone, Copy)]
pub struct Failed<'a> {
    pub job: JobId,
    pub session: &'a SessionId,
    pub at: ChatThread,
}

/// Where that was asked for, failing checks go back to claude: a run is queued in the same transaction.
fn next(
    db: &Connection,
    order: Order,
    measured: Option<&Measured>,
    failed: Failed<'_>,
    evidence: &Evidence,
) -> rusqlite::Result<Next> {
    let Some(prompt) = fix::prompt(&evidence.checks) else {
        return Ok(Next::Open);
    };
    // As it is now: somebody may have said so meanwhile.
    let wants = sessions::get(db, failed.session)?.is_some_and(|session| session.autofix);
    if !wants || order.by_hand || runs::queued_count(db, failed.at)? > 0 {
        return Ok(Next::Open);
    }
    let round = measured.map_or(0, |measured| measured.fix_round) + 1;
    if round > FIX_ROUNDS {
        return Ok(Next::GaveUp(FIX_ROUNDS));
    }
    let asked_by = measured.and_then(|measured| measured.asked_by);
    queue_fix(db, failed, prompt, asked_by, round)?;
    Ok(Next::Fixing(round, FIX_ROUNDS))
}

/// The failing output as the next prompt; `round` is 0 where a person asked for it.
pub fn queue_fix(
    db: &Connection,
    failed: Failed<'_>,
    prompt: String,
    asked_by: Option<MessageId>,
    round: u32,
) -> rusqlite::Result<()> {
    let run = RunId::new();
    runs::insert(db, run, failed.session, failed.at)?;
    runs::set_fixes(db, run, failed.job, round)?;
    prompts::insert(
        db,
        run,
        &Prompt {
            id: PromptId(uuid::Uuid::new_v4()),
            text: prompt,
            message: asked_by,
            user: None,
            sent_at: None,
        },
    )
}
