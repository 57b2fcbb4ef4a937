//! `/push`: pushes the branch of a repository in the workspace to its remote.

use std::path::{Component, Path, PathBuf};

use fail::fail_point;
use tokio_util::sync::CancellationToken;

use super::at_work::{AtWork, Finished, Heard};
use crate::chat::changes as words;
use crate::domain::changes::Remote;
use crate::git::repository::Repository;
use crate::git::{GitError, Listener, diff, inner, push};
use crate::store::StoreError;

/// `folder` is that of the repository if somebody has said which.
pub(super) async fn push(work: &AtWork<'_>, folder: Option<&str>) -> Result<Finished, StoreError> {
    let folder = match folder {
        Some(folder) => Ok(folder.to_owned()),
        None => tokio::select! {
            which = which(work.repository()) => which,
            () = work.stopped() => return work.say(words::job_stopped("The push")).await,
            () = work.quit.cancelled() => return Ok(Finished::BotStops),
        },
    };
    match folder {
        Ok(folder) => push_one(work, &folder).await,
        Err(none) if none.is_empty() => work.say(words::all_pushed()).await,
        Err(several) => {
            work.say(words::which_push(&work.session.id, &several))
                .await
        }
    }
}

/// The folder of the only repository that has something to push; several with what they have, or none.
///
/// If there is no remote at all, it is the workspace's own.
async fn which(top: Repository<'_>) -> Result<String, Vec<(String, u64)>> {
    let mut with_remote = Vec::new();
    let mut all: Vec<PathBuf> = vec![top.workspace.to_owned()];
    all.extend(inner::all_there(top).await.unwrap_or_default());
    for folder in &all {
        let inner = top.inner(folder);
        if let Ok(Remote::Ahead(ahead)) = diff::remote(inner).await {
            let name = inner.name().to_string_lossy().into_owned();
            with_remote.push((name, ahead));
        }
    }
    let waiting = with_remote.iter().filter(|(_, ahead)| *ahead > 0);
    let waiting: Vec<(String, u64)> = waiting.cloned().collect();
    match (waiting.as_slice(), with_remote.as_slice()) {
        ([only], _) | ([], [only]) => Ok(only.0.clone()),
        ([], []) => Ok(String::new()),
        (_, _) => Err(waiting),
    }
}

async fn push_one(work: &AtWork<'_>, folder: &str) -> Result<Finished, StoreError> {
    let top = work.repository();
    let place = match folder {
        "" => top.workspace.to_owned(),
        folder => top.workspace.join(folder),
    };
    let repository = top.inner(&place);
    let mut parts = Path::new(folder).components();
    let is_within = parts.all(|part| matches!(part, Component::Normal(_)));
    if !is_within || !repository.is_there() && !folder.is_empty() {
        return work.say(words::no_such_repository(folder)).await;
    }
    let heard = Heard::default();
    let hear = |line: &str| heard.set(line);
    let stop = CancellationToken::new();
    let listener = Listener {
        heard: &hear,
        stop: &stop,
        marker: None,
    };
    let stopped = async {
        work.stopped().await;
        stop.cancel();
        // The begun push ends first, and may have arrived.
        std::future::pending().await
    };
    let pushed = tokio::select! {
        pushed = push::push(repository, listener) => pushed,
        () = work.show(|elapsed| words::pushing(elapsed, &heard.get())) => return Ok(Finished::Done),
        () = stopped => return Ok(Finished::Done),
        () = work.quit.cancelled() => return Ok(Finished::BotStops),
    };
    fail_point!("pushed", |_| std::process::abort());
    let message = match pushed {
        Ok(pushed) => words::pushed(folder, &pushed),
        Err(GitError::Stopped) => words::job_stopped("The push"),
        Err(error) => words::not_pushed(&error.reason(), error.words()),
    };
    work.say(message).await
}
