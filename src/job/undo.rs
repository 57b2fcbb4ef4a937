//! `/undo`: asks, goes back to the snapshot before a run, and can be taken back itself. The steps are `git::undo`'s.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::at_work::{AtWork, Finished};
use crate::chat::changes as words;
use crate::domain::id::RunId;
use crate::domain::run::Before;
use crate::git::GitError;
use crate::git::undo::Undo;
use crate::store::{StoreError, measured, outbox, prompts, runs};
use crate::verify::measure::{self, Since};

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
    let looked = measure::changes(
        &work.handles.git,
        &work.session.workspace,
        run,
        Since {
            moment: facts.started_at,
            can_have_written: false,
        },
        &facts.before,
    );
    let looked = tokio::select! {
        looked = looked => looked,
        () = work.stopped() => return work.say(words::job_stopped("The undo")).await,
        () = work.quit.cancelled() => return Ok(Finished::BotStops),
    };
    let message = match looked {
        Ok(changes) if !changes.can_be_taken_back() => words::nothing_to_undo(&changes),
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
    let (newest, is_void, before) = work
        .store()
        .transaction(move |db| {
            Ok((
                measured::newest_not_undone(db, &session)?,
                runs::running(db, at)?.is_some() || measured::is_undo_void(db, run)?,
                measured::to_measure(db, run)?.before,
            ))
        })
        .await?;
    if newest != Some(run) || is_void {
        return work.say(words::not_undone_any_more()).await;
    }
    let stop = CancellationToken::new();
    let undo = steps(work, run, &before, &stop);
    let going = undo.go(work.job.begun_at.is_some());
    let Some(gone) = shown(work, "Undoing", &stop, going).await else {
        return Ok(Finished::BotStops);
    };
    match gone {
        Ok(left) => {
            // What cannot be told here was told when it was asked.
            let clones = undo.clones().await.unwrap_or_default();
            let message = words::undone(run, &left, &clones).replying_to(work.job.asked_by);
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
            let message = match undo.go_back_again().await {
                Ok(()) if error == GitError::Stopped => words::job_stopped("The undo"),
                Ok(()) => words::git_failed("It was not undone", &error.reason(), error.words()),
                Err(kept) => words::not_undone(&error.reason(), error.words(), &kept),
            };
            work.say(message).await
        }
    }
}

/// Takes the undo of a run back, unless that would take away what came since.
pub(super) async fn redo(work: &AtWork<'_>, run: RunId) -> Result<Finished, StoreError> {
    let (is_undone, before) = work
        .store()
        .transaction(move |db| {
            let is_undone = measured::is_undone(db, run)?.is_some_and(|(_, undone)| undone);
            Ok((is_undone, measured::to_measure(db, run)?.before))
        })
        .await?;
    if !is_undone {
        // Pressed twice.
        return work.end(|_, _| Ok(())).await;
    }
    let stop = CancellationToken::new();
    let undo = steps(work, run, &before, &stop);
    let going = undo.take_back(work.job.begun_at.is_some());
    let Some(gone) = shown(work, "Taking the undo back", &stop, going).await else {
        return Ok(Finished::BotStops);
    };
    match gone {
        Ok(Some(left)) => {
            let message = words::redone(&left).replying_to(work.job.asked_by);
            let finished = work
                .end(move |db, at| {
                    measured::set_undone(db, run, false)?;
                    outbox::insert(db, at, &message)
                })
                .await?;
            // If this fails, they stay: the next undo of the run replaces them.
            let _ = undo.forget().await;
            Ok(finished)
        }
        Ok(None) => work.say(words::not_redone()).await,
        Err(error) => {
            let what = "The undo was not taken back";
            let message = match undo.stay_undone().await {
                Ok(()) if error == GitError::Stopped => words::job_stopped("Taking the undo back"),
                Ok(()) => words::git_failed(what, &error.reason(), error.words()),
                Err(kept) => words::not_undone(&error.reason(), error.words(), &kept),
            };
            work.say(message).await
        }
    }
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

fn steps<'a>(
    work: &'a AtWork<'_>,
    run: RunId,
    before: &'a Before,
    stop: &'a CancellationToken,
) -> Undo<'a> {
    Undo {
        git: &work.handles.git,
        workspace: &work.session.workspace,
        run,
        before,
        stop,
        marker: RunId(work.job.id.0),
    }
}
