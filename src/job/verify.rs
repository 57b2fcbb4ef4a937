//! Evidence after a run, and `/verify`: measure, check, set beside it what claude did itself, say it in one message.

use std::time::Duration;

use fail::fail_point;
use rusqlite::Connection;
use tokio_util::sync::CancellationToken;

use super::at_work::{AtWork, Finished};
use super::checking;
use super::fixing::{self, Failed};
use crate::chat::evidence::{self, Hint};
use crate::chat::page as page_words;
use crate::domain::changes::{Changes, Remote, Seen};
use crate::domain::check::Check;
use crate::domain::check::Commands;
use crate::domain::evidence::{AutoPush, Evidence};
use crate::domain::id::{ChatThread, RunId};
use crate::domain::outgoing::Outgoing;
use crate::domain::run::Measured;
use crate::git::{GitError, Listener, push};
use crate::store::{StoreError, measured, outbox, sessions, settings, verifications};
use crate::verify::measure::Since;
use crate::verify::{commands, measure};

/// How long an automatic push may take.
const PUSH_LIMIT: Duration = Duration::from_secs(120);

/// Which run is measured, and how.
#[derive(Clone, Copy)]
pub(super) struct Order {
    /// The run that the evidence is about; `None` if nothing has run yet.
    pub run: Option<RunId>,
    pub with_checks: bool,
    /// A person asked for it and hears the result in any case.
    pub by_hand: bool,
}

pub(super) async fn verify(work: &AtWork<'_>, order: Order) -> anyhow::Result<Finished> {
    let measured = match order.run {
        Some(run) => Some(
            work.store()
                .transaction(move |db| measured::to_measure(db, run))
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

/// The evidence, and whether checks are missing.
struct Made {
    evidence: Evidence,
    unchecked: bool,
}

async fn make(
    work: &AtWork<'_>,
    order: Order,
    measured: Option<&Measured>,
) -> Result<Made, StoreError> {
    let changes = tokio::select! {
        changes = changes(work, order, measured) => changes,
        () = work.stopped() => Err("it was stopped".to_owned()),
    };
    let after_run = measured.filter(|_| !order.by_hand);
    let deeds = after_run.and_then(|measured| measured.deeds.clone());
    let mut evidence = Evidence {
        changes,
        checks: Vec::new(),
        deeds,
        auto_push: None,
        cost_usd: after_run.map(|measured| measured.cost_usd),
    };
    let is_fix = measured.is_some_and(|measured| measured.is_fix);
    let is_wanted = order.by_hand || is_fix || evidence.seen() != Seen::Unchanged;
    let list = match order.with_checks {
        true => chosen(work, order).await,
        false => Vec::new(),
    };
    if is_wanted {
        evidence.checks = checking::run_all(work, order, &list).await?;
    }
    if work.handles.checking.auto_push && evidence.is_green() && !order.by_hand {
        auto_push(work, &mut evidence).await;
    }
    Ok(Made {
        evidence,
        // Not if somebody has said that there is nothing to check.
        unchecked: order.with_checks && list.is_empty() && work.session.checks.has_no_checks(),
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
    let git = &work.handles.git;
    let deeds = measured.deeds.as_ref().filter(|_| !order.by_hand);
    let since = Since {
        moment: measured.started_at,
        can_have_written: deeds.is_none_or(|deeds| deeds.can_have_written),
    };
    measure::changes(git, &work.session.workspace, run, since, &measured.before).await
}

/// The session's checks. After a run the repository's own file counts as it was before it: a run does not choose what
/// it is measured by.
async fn chosen(work: &AtWork<'_>, order: Order) -> Vec<Check> {
    let checking = &work.handles.checking;
    let workspace = &work.session.workspace;
    let file = match order.run {
        _ if !checking.trusts_repository => None,
        Some(run) if !order.by_hand => {
            let git = &work.handles.git;
            measure::file_before(git, workspace, run, commands::REPOSITORY_FILE).await
        }
        _ => commands::look(workspace.clone()).await.file,
    };
    commands::chosen(&work.session.checks, &checking.defaults, file.as_deref())
        .into_iter()
        .map(|(check, _)| check)
        .collect()
}

/// Pushes green work if the settings say so, unless somebody asks for a stop.
async fn auto_push(work: &AtWork<'_>, evidence: &mut Evidence) {
    let Ok(changes) = &mut evidence.changes else {
        return;
    };
    if !matches!(changes.own.remote, Remote::Ahead(1..)) {
        return;
    }
    let stop = CancellationToken::new();
    let listener = Listener {
        heard: &|_| {},
        stop: &stop,
        marker: None,
    };
    let stopped = async {
        tokio::select! {
            () = work.stopped() => {}
            () = tokio::time::sleep(PUSH_LIMIT) => {}
        }
        stop.cancel();
        // The begun push ends first.
        std::future::pending().await
    };
    let pushed = tokio::select! {
        pushed = push::push(work.repository(), listener) => pushed,
        () = stopped => return,
    };
    evidence.auto_push = match pushed {
        Ok(pushed) => {
            changes.own.remote = Remote::Ahead(0);
            Some(AutoPush::Pushed { link: pushed.link })
        }
        // The evidence says what is not pushed.
        Err(GitError::Stopped) => None,
        Err(error) => Some(AutoPush::Refused(measure::in_words(&error))),
    };
}

/// Stores the evidence, tells it, and queues a fix if one is wanted.
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
            commands::look(work.session.workspace.clone())
                .await
                .detected
        }
        false => Commands::default(),
    };
    let (job, session) = (work.job.id, work.session.id.clone());
    let asked_by = match &measured {
        Some(measured) if !order.by_hand => measured.asked_by,
        _ => work.job.asked_by,
    };
    let unchecked = made.unchecked;
    let page = work.handles.page.clone();
    let finished = work
        .end(move |db, at| {
            verifications::insert(db, job, &session, order.run, order.by_hand, &evidence)?;
            if let (Seen::Unchanged, false, Some(run)) = (evidence.seen(), order.by_hand, order.run)
            {
                measured::set_unchanged(db, run)?;
            }
            if !tells {
                return Ok(());
            }
            let mut hint = None;
            if unchecked && (sessions::hint(db, &session)? || order.by_hand) {
                sessions::set_offered(db, &session, &found)?;
                hint = Some(Hint {
                    session: session.clone(),
                    found,
                });
            }
            let failed = Failed {
                job,
                session: &session,
                at,
            };
            let next = match order.by_hand {
                true => evidence::Next::Open,
                false => fixing::follow_up(db, failed, measured.as_ref(), &evidence)?,
            };
            let message = evidence::message(job, &evidence, &next, hint.as_ref());
            let message = match (order.run, page.url().filter(|_| page.is_https())) {
                (Some(run), Some(url)) => page_words::opening(message, &url, run, at.chat),
                _ => message,
            };
            let message = ringing(db, at, order, measured.as_ref(), message)?;
            let message = message.replying_to(asked_by);
            let answer = measured.as_ref().and_then(|measured| measured.answer_row);
            outbox::insert_replying(db, at, &message, answer.filter(|_| !order.by_hand))
        })
        .await?;
    Ok(finished)
}

/// Evidence rings only after runs that are long enough for the chat; who asked hears it anyway.
fn ringing(
    db: &Connection,
    at: ChatThread,
    order: Order,
    measured: Option<&Measured>,
    message: Outgoing,
) -> rusqlite::Result<Outgoing> {
    let Some(measured) = measured.filter(|_| !order.by_hand) else {
        return Ok(message);
    };
    let took = measured.ended_at.unwrap_or(measured.started_at) - measured.started_at;
    let took = Duration::from_millis(u64::try_from(took).unwrap_or(0));
    let ring = settings::get(db, at.chat)?.ring;
    Ok(message.ringing_if(ring.is_worth_it(took)))
}
