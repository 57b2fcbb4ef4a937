//! `/diff`: what differs from the workspace before the last run.

use rusqlite::Connection;

use crate::chat::changes as words;
use crate::domain::changes::Files;
use crate::domain::id::RunId;
use crate::domain::run::Before;
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
        Ok((files, _, _)) if files.is_empty() => words::no_diff(),
        Ok((_, patch, _)) if is_short(&patch) => words::diff(&patch),
        Ok((files, patch, is_cut)) => words::long_diff(patch, &files, is_cut),
    };
    work.say(message).await
}

/// A run whose changes can be shown.
struct Shown {
    run: RunId,
    before: Before,
    goes_on: bool,
}

fn of(db: &Connection, run: RunId) -> rusqlite::Result<Shown> {
    Ok(Shown {
        run,
        before: measured::to_measure(db, run)?.before,
        goes_on: runs::running_under(db, run)?.is_some(),
    })
}

/// A run that is just beginning has no snapshot yet, and has changed nothing: then the one before it counts.
async fn look_at_one_of(
    work: &AtWork<'_>,
    newest: Shown,
    before: Option<Shown>,
) -> Result<(Files, String, bool), GitError> {
    let goes_on = newest.goes_on;
    match (look(work, newest).await, before) {
        (Err(GitError::Impossible(_)), Some(before)) if goes_on => look(work, before).await,
        (looked, _) => looked,
    }
}

async fn look(
    work: &AtWork<'_>,
    Shown { run, before, .. }: Shown,
) -> Result<(Files, String, bool), GitError> {
    let all = All::of(work.repository(), run, &before).await?;
    let (mut files, mut patch, mut is_cut) = (Files::default(), String::new(), false);
    let (folders, each) = all.each();
    for (repository, one) in each {
        let before = &one.began.tree;
        files.add(diff::files(repository, before, &one.index, &folders).await?);
        let (more, is_more_cut) = diff::patch(repository, before, &one.index, &folders).await?;
        patch.push_str(&more);
        is_cut |= is_more_cut;
    }
    Ok((files, patch, is_cut))
}

fn is_short(patch: &str) -> bool {
    patch.len() <= SHOWN && patch.lines().count() <= LINES_SHOWN
}
