//! `/undo`: asks, goes back to the snapshot before a run, and can be taken back itself.
//!
//! Before anything is changed, the present state is kept under refs.

use std::path::Path;
use std::time::Duration;

use fail::fail_point;
use tokio_util::sync::CancellationToken;

use super::at_work::{AtWork, Finished};
use crate::chat::changes as words;
use crate::domain::changes::Files;
use crate::domain::id::RunId;
use crate::git::diff;
use crate::git::index::{self, OwnIndex};
use crate::git::restore::{self, Present};
use crate::git::snapshot::{self, Moment, Snapshot};
use crate::git::{Git, GitError, Listener};
use crate::process::supervised::end_marked;
use crate::store::{StoreError, measured, outbox, prompts, runs};
use crate::verify::measure;

/// How long an undo may take.
const LIMIT: Duration = Duration::from_secs(10 * 60);

/// Asks, and says what would go.
pub(super) async fn ask(work: &AtWork<'_>, run: RunId) -> Result<Finished, StoreError> {
    let (facts, asked) = work
        .store()
        .transaction(move |db| {
            let asked = prompts::of_run(db, run)?.into_iter().next();
            Ok((measured::to_measure(db, run)?, asked))
        })
        .await?;
    let index = own_index(work);
    let looked = measure::changes(
        &work.handles.git,
        &work.session.workspace,
        &index,
        run,
        facts.started_at,
        facts.was_empty.as_deref(),
    );
    let looked = tokio::select! {
        looked = looked => looked,
        () = work.stopped() => return work.say(words::job_stopped("The undo")).await,
        () = work.quit.cancelled() => return Ok(Finished::BotStops),
    };
    let message = match looked {
        Ok(changes) if changes.is_none() => words::nothing_to_undo(),
        Ok(changes) => {
            let asked = asked
                .map(|prompt| prompt.content.words())
                .unwrap_or_default();
            words::ask_undo(run, &asked, &changes)
        }
        Err(why) => words::git_failed("It cannot be undone", &why, ""),
    };
    let message = message.replying_to(work.job.asked_by);
    work.end(move |db, at| {
        measured::may_be_undone(db, run)?;
        outbox::insert(db, at, &message)
    })
    .await
}

/// Goes back to the state before the run, if that is still the newest one and nothing runs.
pub(super) async fn undo(work: &AtWork<'_>, run: RunId) -> Result<Finished, StoreError> {
    let (session, at) = (work.session.id.clone(), work.job.at);
    let (newest, is_void, was_empty) = work
        .store()
        .transaction(move |db| {
            Ok((
                measured::newest_not_undone(db, &session)?,
                runs::running(db, at)?.is_some() || measured::is_undo_void(db, run)?,
                measured::to_measure(db, run)?.was_empty,
            ))
        })
        .await?;
    if newest != Some(run) || is_void {
        return work.say(words::not_undone_any_more()).await;
    }
    let stop = CancellationToken::new();
    let going = go_back(work, run, was_empty.as_deref(), &stop);
    let Some(gone) = shown(work, "Undoing", &stop, going).await else {
        return Ok(Finished::BotStops);
    };
    match gone {
        Ok(left) => {
            let message = words::undone(run, &left).replying_to(work.job.asked_by);
            work.end(move |db, at| {
                measured::set_undone(db, run, true)?;
                outbox::insert(db, at, &message)
            })
            .await
        }
        Err(error @ GitError::Impossible(_)) => {
            let what = "It was not undone";
            let message = words::git_failed(what, &error.reason(), error.words());
            work.say(message).await
        }
        Err(error) => {
            let message = match go_back_again(work, run).await {
                Ok(()) if error == GitError::Stopped => words::job_stopped("The undo"),
                Ok(()) => words::git_failed("It was not undone", &error.reason(), error.words()),
                Err(kept) => words::not_undone(&error.reason(), error.words(), &kept),
            };
            work.say(message).await
        }
    }
}

async fn go_back(
    work: &AtWork<'_>,
    run: RunId,
    was_empty: Option<&str>,
    stop: &CancellationToken,
) -> Result<Files, GitError> {
    let (git, workspace) = place(work);
    let before = measure::before(git, workspace, run, was_empty).await?;
    let kept = snapshot::reference(run, Moment::Undone);
    // An interrupted try has kept the true state.
    let was_cut_off = work.job.begun_at.is_some();
    if was_cut_off {
        end_marked(marker(work)).await;
        restore::unlock(workspace);
    }
    let present = match was_cut_off && snapshot::find(git, workspace, &kept).await?.is_some() {
        true => present(work, run, &before).await?,
        false => keep_what_goes(work, run, &before, &kept).await?,
    };
    fail_point!("undo-kept", |_| std::process::abort());
    restore::restore(git, workspace, &present, &before, listener(work, stop)).await?;
    fail_point!("undo-restored", |_| std::process::abort());
    if let Some(undone) = snapshot::find(git, workspace, &kept).await? {
        let left = snapshot::reference(run, Moment::Left);
        restore::keep_present(git, workspace, &left, &undone).await?;
    }
    differing(work, &before).await
}

/// Takes an unfinished undo back immediately. If that fails too, the run's result stays under a name that no later undo
/// uses: the error.
async fn go_back_again(work: &AtWork<'_>, run: RunId) -> Result<(), String> {
    let (git, workspace) = place(work);
    let reference = snapshot::reference(run, Moment::Undone);
    let kept = snapshot::find(git, workspace, &reference).await;
    let Ok(Some(kept)) = kept else {
        // Nothing was begun.
        return Ok(());
    };
    let never = CancellationToken::new();
    let back = async {
        let present = present(work, run, &kept).await?;
        restore::restore(git, workspace, &present, &kept, listener(work, &never)).await
    };
    if back.await.is_ok() {
        return Ok(());
    }
    let name = format!("refs/telecoder/{run}/kept-{}", work.job.id);
    let name = match snapshot::keep(git, workspace, &kept.commit, &name).await {
        Ok(()) => name,
        // Then the commit's id is all that is left.
        Err(_) => kept.commit,
    };
    Err(snapshot::how_to_get(git, workspace, &name))
}

/// Keeps the workspace, and the tip of the branch that the undo puts back.
async fn keep_what_goes(
    work: &AtWork<'_>,
    run: RunId,
    before: &Snapshot,
    kept: &str,
) -> Result<Present, GitError> {
    let (git, workspace) = place(work);
    // Those of an earlier undo do not fit the present state.
    let earlier = [Moment::Undone, Moment::Tip, Moment::Left, Moment::Found];
    snapshot::forget(git, workspace, run, &earlier).await?;
    let present = restore::keep_present(git, workspace, kept, before).await?;
    let tip_kept = snapshot::reference(run, Moment::Tip);
    if let Some(branch) = &before.branch
        && let Some(tip) = restore::tip(git, workspace, branch).await
    {
        snapshot::keep(git, workspace, &tip, &tip_kept).await?;
    }
    Ok(present)
}

/// Keeps what is there now, before something is restored once more.
async fn present(work: &AtWork<'_>, run: RunId, to: &Snapshot) -> Result<Present, GitError> {
    let (git, workspace) = place(work);
    let found = snapshot::reference(run, Moment::Found);
    restore::keep_present(git, workspace, &found, to).await
}

/// Takes the undo of a run back, unless that would take away what came since.
pub(super) async fn redo(work: &AtWork<'_>, run: RunId) -> Result<Finished, StoreError> {
    let (is_undone, was_empty) = work
        .store()
        .transaction(move |db| {
            let is_undone = measured::is_undone(db, run)?.is_some_and(|(_, undone)| undone);
            Ok((is_undone, measured::to_measure(db, run)?.was_empty))
        })
        .await?;
    if !is_undone {
        // Pressed twice.
        return work.end(|_, _| Ok(())).await;
    }
    let stop = CancellationToken::new();
    let going = go_forth(work, run, was_empty.as_deref(), &stop);
    let Some(gone) = shown(work, "Taking the undo back", &stop, going).await else {
        return Ok(Finished::BotStops);
    };
    match gone {
        Ok(true) => {
            let message = words::redone().replying_to(work.job.asked_by);
            let finished = work
                .end(move |db, at| {
                    measured::set_undone(db, run, false)?;
                    outbox::insert(db, at, &message)
                })
                .await?;
            // If this fails, they stay: the next undo of the run replaces them.
            let (git, workspace) = place(work);
            let gone = [
                Moment::Undone,
                Moment::Redoing,
                Moment::Tip,
                Moment::Left,
                Moment::Found,
            ];
            let _ = snapshot::forget(git, workspace, run, &gone).await;
            Ok(finished)
        }
        Ok(false) => work.say(words::not_redone()).await,
        Err(error) => {
            let what = "The undo was not taken back";
            let message = words::git_failed(what, &error.reason(), error.words());
            work.say(message).await
        }
    }
}

async fn go_forth(
    work: &AtWork<'_>,
    run: RunId,
    was_empty: Option<&str>,
    stop: &CancellationToken,
) -> Result<bool, GitError> {
    let (git, workspace) = place(work);
    let before = measure::before(git, workspace, run, was_empty).await?;
    let begun = snapshot::reference(run, Moment::Redoing);
    let (kept, present) = match snapshot::find(git, workspace, &begun).await? {
        // An interrupted try has checked that it may.
        Some(kept) => {
            end_marked(marker(work)).await;
            restore::unlock(workspace);
            let present = present(work, run, &kept).await?;
            (kept, present)
        }
        None => {
            let [undone, left] =
                [Moment::Undone, Moment::Left].map(|of| snapshot::reference(run, of));
            let undone = snapshot::find(git, workspace, &undone).await?;
            let left = snapshot::find(git, workspace, &left).await?;
            let (Some(kept), Some(left)) = (undone, left) else {
                return Ok(false);
            };
            let present = present(work, run, &kept).await?;
            if !present.snapshot.is_same_state(&left) {
                return Ok(false);
            }
            snapshot::keep(git, workspace, &kept.commit, &begun).await?;
            (kept, present)
        }
    };
    restore::restore(git, workspace, &present, &kept, listener(work, stop)).await?;
    let tip = snapshot::find(git, workspace, &snapshot::reference(run, Moment::Tip)).await?;
    if let (Some(branch), Some(tip)) = (&before.branch, tip)
        && before.branch != kept.branch
    {
        restore::put_branch(git, workspace, branch, &tip.commit).await?;
    }
    Ok(true)
}

/// Shows that it goes on, until it ends, is stopped, or takes too long. `None`: the bot stops.
async fn shown<T>(
    work: &AtWork<'_>,
    what: &'static str,
    stop: &CancellationToken,
    going: impl Future<Output = Result<T, GitError>>,
) -> Option<Result<T, GitError>> {
    let stopped = async {
        tokio::select! {
            () = work.stopped() => {}
            () = tokio::time::sleep(LIMIT) => {}
        }
        stop.cancel();
        // What it has begun ends first.
        std::future::pending().await
    };
    tokio::select! {
        ended = going => Some(ended),
        () = work.show(|elapsed| words::going(what, elapsed)) => None,
        () = stopped => None,
        () = work.quit.cancelled() => None,
    }
}

async fn differing(work: &AtWork<'_>, from: &Snapshot) -> Result<Files, GitError> {
    let (git, workspace) = place(work);
    let index = own_index(work);
    index::look(git, workspace, &index).await?;
    diff::files(git, workspace, &from.commit, &index).await
}

fn place<'a>(work: &'a AtWork<'_>) -> (&'a Git, &'a Path) {
    (&work.handles.git, &work.session.workspace)
}

fn own_index(work: &AtWork<'_>) -> OwnIndex {
    OwnIndex::within(&work.handles.git.scratch)
}

fn listener<'a>(work: &AtWork<'_>, stop: &'a CancellationToken) -> Listener<'a> {
    Listener {
        heard: &|_| {},
        stop,
        marker: Some(marker(work)),
    }
}

/// Marks every try of the job.
fn marker(work: &AtWork<'_>) -> RunId {
    RunId(work.job.id.0)
}
