//! `/undo`: asks, goes back to the snapshot before a run, and can be taken back itself.
//!
//! What is taken away is kept under a ref before anything is touched. A ref that is there already is of a try
//! that was cut off, which knew better what there was.

use fail::fail_point;

use super::at_work::{AtWork, Finished};
use crate::chat::workspace as words;
use crate::git::diff::{self, Changed, Commits};
use crate::git::snapshot::{self, Moment, Snapshot};
use crate::git::{GitError, restore};
use crate::id::RunId;
use crate::store::{StoreError, prompts, runs};
use crate::verify::measure;

/// Says what would go away.
pub(super) async fn ask(work: &AtWork<'_>, run: RunId) -> Result<Finished, StoreError> {
    let (facts, asked) = work
        .store()
        .transaction(move |db| {
            let asked = prompts::of_run(db, run)?.into_iter().next();
            Ok((runs::to_measure(db, run)?, asked))
        })
        .await?;
    let index = measure::index_of(&work.runner.git.scratch, &work.session.id);
    let looked = measure::changes(
        &work.runner.git,
        &work.session.workspace,
        &index,
        run,
        facts.started_at,
    );
    let looked = tokio::select! {
        looked = looked => looked,
        () = work.stopped() => return work.say(words::job_stopped("The undo")).await,
        () = work.quit.cancelled() => return Ok(Finished::BotStops),
    };
    let message = match looked {
        Ok(changes) if changes.is_none() => words::nothing_to_undo(),
        Ok(changes) => {
            let asked = asked.map(|prompt| prompt.text).unwrap_or_default();
            words::ask_undo(run, &asked, &changes.files, &changes.commits)
        }
        Err(why) => words::git_failed("It cannot be undone", &why, ""),
    };
    work.say(message).await
}

/// Goes back to what was before the run.
pub(super) async fn undo(work: &AtWork<'_>, run: RunId) -> Result<Finished, StoreError> {
    match go_back(work, run).await {
        Ok(left) => {
            let message = words::undone(run, &left).replying_to(work.job.asked_by);
            work.end(move |db, at| {
                runs::set_undone(db, run, true)?;
                crate::store::outbox::insert(db, at, &message)
            })
            .await
        }
        Err(error) => {
            let message = words::git_failed("It was not undone", &error.reason(), error.words());
            work.say(message).await
        }
    }
}

async fn go_back(work: &AtWork<'_>, run: RunId) -> Result<Vec<Changed>, GitError> {
    let (git, workspace) = (&work.runner.git, work.session.workspace.as_path());
    let index = measure::index_of(&git.scratch, &work.session.id);
    let before = measure::before(git, workspace, run).await?;
    let kept = snapshot::reference(run, Moment::Undone);
    if snapshot::find(git, workspace, &kept).await?.is_none() {
        snapshot::take(git, workspace, &kept, &index).await?;
    }
    fail_point!("undo-kept", |_| std::process::abort());
    restore::restore(git, workspace, &before).await?;
    fail_point!("undo-restored", |_| std::process::abort());
    differing(work, &before).await
}

/// Takes the undo of a run back, unless that would take away what came since.
pub(super) async fn redo(work: &AtWork<'_>, run: RunId) -> Result<Finished, StoreError> {
    match go_forth(work, run).await {
        Ok(true) => {
            let message = words::redone().replying_to(work.job.asked_by);
            work.end(move |db, at| {
                runs::set_undone(db, run, false)?;
                crate::store::outbox::insert(db, at, &message)
            })
            .await
        }
        Ok(false) => work.say(words::not_redone()).await,
        Err(error) => {
            let what = "The undo was not taken back";
            let message = words::git_failed(what, &error.reason(), error.words());
            work.say(message).await
        }
    }
}

async fn go_forth(work: &AtWork<'_>, run: RunId) -> Result<bool, GitError> {
    let (git, workspace) = (&work.runner.git, work.session.workspace.as_path());
    let begun = snapshot::reference(run, Moment::Redoing);
    let kept = match snapshot::find(git, workspace, &begun).await? {
        // A try that was cut off had looked whether it may.
        Some(kept) => kept,
        None => {
            let reference = snapshot::reference(run, Moment::Undone);
            let Some(kept) = snapshot::find(git, workspace, &reference).await? else {
                return Ok(false);
            };
            let before = measure::before(git, workspace, run).await?;
            let is_untouched = differing(work, &before).await?.is_empty()
                && commits_since(work, &before).await?.count == 0;
            if !is_untouched {
                return Ok(false);
            }
            snapshot::keep(git, workspace, &kept, &begun).await?;
            kept
        }
    };
    restore::restore(git, workspace, &kept).await?;
    snapshot::forget(git, workspace, run, &[Moment::Undone, Moment::Redoing]).await?;
    Ok(true)
}

async fn differing(work: &AtWork<'_>, from: &Snapshot) -> Result<Vec<Changed>, GitError> {
    let (git, workspace) = (&work.runner.git, work.session.workspace.as_path());
    let index = measure::index_of(&git.scratch, &work.session.id);
    snapshot::look(git, workspace, &index).await?;
    diff::files(git, workspace, &from.commit, &index).await
}

async fn commits_since(work: &AtWork<'_>, from: &Snapshot) -> Result<Commits, GitError> {
    let (git, workspace) = (&work.runner.git, work.session.workspace.as_path());
    diff::commits(git, workspace, from.head.as_deref(), 0).await
}
