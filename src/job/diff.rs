//! `/diff`: what differs from the workspace before the last run.

use rusqlite::Connection;

use crate::chat::changes as words;
use crate::domain::changes::Files;
use crate::domain::id::RunId;
use crate::domain::run::Before;
use crate::git::diff::Patch;
use crate::git::{GitError, diff};
use crate::store::{StoreError, measured, runs};
use crate::verify::measure::All;

use super::at_work::{AtWork, Finished};

/// A diff of at most so many bytes and lines is shown in the chat; a longer one comes as a file.
const SHOWN: usize = 3_000;
const LINES_SHOWN: usize = 60;

pub(super) async fn send(work: &AtWork<'_>) -> Result<Finished, StoreError> {
    let session = work.session.id.clone();
    let (newest, before) = work
        .store()
        .transaction(move |db| {
            let mut newest = measured::not_undone(db, &session, 2)?.into_iter();
            let mut next = || newest.next().map(|run| of(db, run)).transpose();
            Ok((next()?, next()?))
        })
        .await?;
    let Some(newest) = newest else {
        return work.say(words::nothing_has_run()).await;
    };
    let looked = tokio::select! {
        looked = look_at_one_of(work, newest, before) => looked,
        () = work.stopped() => return work.say(words::job_stopped("The diff")).await,
        () = work.quit.cancelled() => return Ok(Finished::BotStops),
    };
    let message = match looked {
        Err(error) => words::git_failed("There is no diff", &error.reason(), error.words()),
        Ok((files, _)) if files.is_empty() => words::no_diff(),
        Ok((_, patch)) if is_short(&patch.text) => words::diff(&patch.text),
        Ok((files, patch)) => {
            let (is_cut, is_inexact) = (patch.is_cut, patch.is_inexact);
            words::long_diff(patch.text, &files, is_cut, is_inexact)
        }
    };
    work.say(message).await
}

/// A run whose changes can be shown.
struct Shown {
    run: RunId,
    before: Before,
    /// Unix milliseconds.
    began: i64,
    goes_on: bool,
}

fn of(db: &Connection, run: RunId) -> rusqlite::Result<Shown> {
    let measured = measured::to_measure(db, run)?;
    Ok(Shown {
        run,
        before: measured.before,
        began: measured.started_at,
        goes_on: runs::running_under(db, run)?.is_some(),
    })
}

/// A run that is just beginning has no snapshot yet, and has changed nothing: then the one before it counts.
async fn look_at_one_of(
    work: &AtWork<'_>,
    newest: Shown,
    before: Option<Shown>,
) -> Result<(Files, Patch), GitError> {
    let goes_on = newest.goes_on;
    match (look(work, newest).await, before) {
        (Err(GitError::Impossible(_)), Some(before)) if goes_on => look(work, before).await,
        (looked, _) => looked,
    }
}

async fn look(
    work: &AtWork<'_>,
    Shown {
        run, before, began, ..
    }: Shown,
) -> Result<(Files, Patch), GitError> {
    let all = All::of(work.repository(), run, &before, began).await?;
    let (mut files, mut patch) = (Files::default(), Patch::default());
    let (folders, each) = all.each();
    for (repository, one) in each {
        let before = &one.began.tree;
        files.add(diff::files(repository, before, &one.index, &folders).await?);
        patch.add(diff::patch(repository, before, &one.index, &folders).await?);
    }
    Ok((files, patch))
}

fn is_short(patch: &str) -> bool {
    patch.len() <= SHOWN && patch.lines().count() <= LINES_SHOWN
}
