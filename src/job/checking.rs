//! Runs a session's checks one after the other, until something more urgent waits.

use std::path::Path;
use std::time::Duration;

use tracing::{info, warn};

use super::at_work::{AtWork, Heard};
use super::verify::Order;
use crate::chat::{evidence, setup};
use crate::domain::check::{Check, CheckEnd, CheckKind, CheckResult};
use crate::domain::id::RunId;
use crate::domain::job::Lane;
use crate::process::supervised::end_marked;
use crate::store::{StoreError, jobs, sessions, waiting};
use crate::verify::check::Bench;

/// How often to look without being signalled.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// If one is cut short, so are the later ones.
pub(super) async fn run_all(
    work: &AtWork<'_>,
    order: Order,
    list: &[Check],
) -> Result<Vec<CheckResult>, StoreError> {
    let mut results: Vec<CheckResult> = Vec::new();
    if work.job.begun_at.is_some() {
        // An interrupted try may have left processes if its supervisor was killed too.
        end_marked(RunId(work.job.id.0)).await;
    }
    let folder = work.handles.checking.folder.join(work.job.id.to_string());
    if let (false, Err(error)) = (list.is_empty(), std::fs::create_dir_all(&folder)) {
        warn!(%error, "the output of checks cannot be kept");
    }
    for check in list {
        let cut_before = results
            .last()
            .map(|result| &result.ended)
            .filter(|ended| matches!(ended, CheckEnd::Stopped | CheckEnd::GaveWay));
        let result = match cut_before {
            Some(ended) => CheckResult::not_begun(check, ended.clone()),
            None => run_one(work, order, check, &folder).await?,
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

/// A check takes a place like a run does, and waits for one.
async fn run_one(
    work: &AtWork<'_>,
    order: Order,
    check: &Check,
    folder: &Path,
) -> Result<CheckResult, StoreError> {
    if prompt_waits(work, order).await? {
        return Ok(CheckResult::not_begun(check, CheckEnd::GaveWay));
    }
    let heard = Heard::default();
    let hear = |line: &str| heard.set(line);
    let bench = Bench {
        workspace: &work.session.workspace,
        environment: &work.handles.checking.environment,
        folder,
        time_limit: work.handles.checking.time_limit,
        marker: RunId(work.job.id.0),
        heard: &hear,
    };
    let places = &work.handles.places;
    let _place = tokio::select! {
        place = places.take(work.job.id.0, work.job.at) => place,
        why = cut(work, order) => return Ok(CheckResult::not_begun(check, why)),
    };
    let live = |elapsed| match check.kind {
        CheckKind::Setup => setup::live(&check.command, elapsed, &heard.get()),
        CheckKind::Tests | CheckKind::Lint => evidence::live(&check.command, elapsed, &heard.get()),
    };
    let result = tokio::select! {
        result = bench.run(check, cut(work, order)) => result,
        () = work.show(live) => CheckResult::not_begun(check, CheckEnd::Stopped),
    };
    Ok(result)
}

/// Returns when the checks are to be ended: somebody asked for it, or a prompt, job or new session waits. The latter
/// does not end checks that a person asked for.
async fn cut(work: &AtWork<'_>, order: Order) -> CheckEnd {
    let prompt_came = async {
        loop {
            if matches!(prompt_waits(work, order).await, Ok(true)) {
                return;
            }
            tokio::select! {
                () = work.signals.more.notified() => {}
                // In a migrated group, nobody else would say so.
                () = tokio::time::sleep(LOOK_AGAIN) => {}
            }
        }
    };
    tokio::select! {
        () = work.stopped() => CheckEnd::Stopped,
        () = prompt_came => CheckEnd::GaveWay,
    }
}

async fn prompt_waits(work: &AtWork<'_>, order: Order) -> Result<bool, StoreError> {
    if order.by_hand {
        return Ok(false);
    }
    let job = work.job.id;
    work.store()
        .transaction(move |db| {
            let at = jobs::place(db, job)?;
            Ok(waiting::queued_count(db, at)? > 0
                || jobs::due_count(db, at, Lane::Workspace)? > 1
                || sessions::next_new(db, at)?.is_some())
        })
        .await
}
