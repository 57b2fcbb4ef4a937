//! `/undo`: asks, goes back to the snapshot before a run, and can be taken back itself.
//!
//! Before anything is changed, the present state is kept under refs.

use std::path::Path;

use fail::fail_point;

use super::at_work::{AtWork, Finished};
use crate::chat::changes as words;
use crate::domain::changes::{Commits, Files};
use crate::domain::id::RunId;
use crate::git::diff;
use crate::git::index::{self, OwnIndex};
use crate::git::snapshot::{self, Moment, Snapshot};
use crate::git::{Git, GitError, restore};
use crate::process::supervised::end_marked;
use crate::store::{StoreError, measured, outbox, prompts, runs};
use crate::verify::measure;

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
    match go_back(work, run, was_empty.as_deref()).await {
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
    if !was_cut_off || snapshot::find(git, workspace, &kept).await?.is_none() {
        keep_what_goes(work, run, &before, &kept).await?;
    }
    fail_point!("undo-kept", |_| std::process::abort());
    restore::restore(git, workspace, &before, &own_index(work), marker(work)).await?;
    fail_point!("undo-restored", |_| std::process::abort());
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
    if restore::restore(git, workspace, &kept, &own_index(work), marker(work))
        .await
        .is_ok()
    {
        return Ok(());
    }
    let name = format!("refs/telecoder/{run}/kept-{}", work.job.id);
    match snapshot::keep(git, workspace, &kept.commit, &name).await {
        Ok(()) => Err(name),
        // Then the commit's id is all that is left.
        Err(_) => Err(kept.commit),
    }
}

/// Keeps the workspace, and the tip of the branch that the undo puts back.
async fn keep_what_goes(
    work: &AtWork<'_>,
    run: RunId,
    before: &Snapshot,
    kept: &str,
) -> Result<(), GitError> {
    let (git, workspace) = place(work);
    // Those of an earlier undo do not fit the present state.
    snapshot::forget(git, workspace, run, &[Moment::Undone, Moment::Tip]).await?;
    snapshot::take(git, workspace, kept, &own_index(work)).await?;
    let tip_kept = snapshot::reference(run, Moment::Tip);
    if let Some(branch) = &before.branch
        && let Some(tip) = restore::tip(git, workspace, branch).await
    {
        snapshot::keep(git, workspace, &tip, &tip_kept).await?;
    }
    Ok(())
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
    match go_forth(work, run, was_empty.as_deref()).await {
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
            let gone = [Moment::Undone, Moment::Redoing, Moment::Tip];
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
) -> Result<bool, GitError> {
    let (git, workspace) = place(work);
    let before = measure::before(git, workspace, run, was_empty).await?;
    let begun = snapshot::reference(run, Moment::Redoing);
    let kept = match snapshot::find(git, workspace, &begun).await? {
        // An interrupted try has checked that it may.
        Some(kept) => {
            end_marked(marker(work)).await;
            restore::unlock(workspace);
            kept
        }
        None => {
            let reference = snapshot::reference(run, Moment::Undone);
            let Some(kept) = snapshot::find(git, workspace, &reference).await? else {
                return Ok(false);
            };
            let is_untouched = differing(work, &before).await?.is_empty()
                && commits_since(work, &before).await?.count == 0;
            if !is_untouched {
                return Ok(false);
            }
            snapshot::keep(git, workspace, &kept.commit, &begun).await?;
            kept
        }
    };
    restore::restore(git, workspace, &kept, &own_index(work), marker(work)).await?;
    let tip = snapshot::find(git, workspace, &snapshot::reference(run, Moment::Tip)).await?;
    if let (Some(branch), Some(tip)) = (&before.branch, tip)
        && before.branch != kept.branch
    {
        restore::put_branch(git, workspace, branch, &tip.commit).await?;
    }
    Ok(true)
}

async fn differing(work: &AtWork<'_>, from: &Snapshot) -> Result<Files, GitError> {
    let (git, workspace) = place(work);
    let index = own_index(work);
    index::look(git, workspace, &index).await?;
    diff::files(git, workspace, &from.commit, &index).await
}

async fn commits_since(work: &AtWork<'_>, from: &Snapshot) -> Result<Commits, GitError> {
    let (git, workspace) = place(work);
    diff::commits(git, workspace, from.head.as_deref(), 0).await
}

fn place<'a>(work: &'a AtWork<'_>) -> (&'a Git, &'a Path) {
    (&work.handles.git, &work.session.workspace)
}

fn own_index(work: &AtWork<'_>) -> OwnIndex {
    OwnIndex::within(&work.handles.git.scratch)
}

/// Marks every try of the job.
fn marker(work: &AtWork<'_>) -> RunId {
    RunId(work.job.id.0)
}
