//! `/diff`: what differs from the workspace before the last run.

use crate::chat::changes as words;
use crate::domain::changes::Files;
use crate::domain::id::RunId;
use crate::git::index::{self, OwnIndex};
use crate::git::{GitError, diff};
use crate::store::{StoreError, measured};
use crate::verify::measure;

use super::at_work::{AtWork, Finished};

/// A diff of at most so many bytes and lines is shown in the chat; a longer one comes as a file.
const SHOWN: usize = 3_000;
const LINES_SHOWN: usize = 60;

pub(super) async fn send(work: &AtWork<'_>) -> Result<Finished, StoreError> {
    let session = work.session.id.clone();
    let newest = work
        .store()
        .transaction(move |db| {
            let run = measured::newest_not_undone(db, &session)?;
            run.map(|run| Ok((run, measured::to_measure(db, run)?.was_empty)))
                .transpose()
        })
        .await?;
    let Some((run, was_empty)) = newest else {
        return work.say(words::nothing_has_run()).await;
    };
    let looked = tokio::select! {
        looked = look(work, run, was_empty) => looked,
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

async fn look(
    work: &AtWork<'_>,
    run: RunId,
    was_empty: Option<String>,
) -> Result<(Files, String, bool), GitError> {
    let (git, workspace) = (&work.handles.git, &work.session.workspace);
    let before = measure::before(git, workspace, run, was_empty.as_deref()).await?;
    let index = OwnIndex::within(&git.scratch);
    index::look(git, workspace, &index).await?;
    let files = diff::files(git, workspace, &before.commit, &index).await?;
    let (patch, is_cut) = diff::patch(git, workspace, &before.commit, &index).await?;
    Ok((files, patch, is_cut))
}

fn is_short(patch: &str) -> bool {
    patch.len() <= SHOWN && patch.lines().count() <= LINES_SHOWN
}
