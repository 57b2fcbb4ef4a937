//! `/push`: pushes the branch to its remote.

use fail::fail_point;
use tokio_util::sync::CancellationToken;

use super::at_work::{AtWork, Finished, Heard};
use crate::chat::changes as words;
use crate::git::{GitError, Listener, push};
use crate::store::StoreError;

pub(super) async fn push(work: &AtWork<'_>) -> Result<Finished, StoreError> {
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
        pushed = push::push(&work.handles.git, &work.session.workspace, listener) => pushed,
        () = work.show(|elapsed| words::pushing(elapsed, &heard.get())) => return Ok(Finished::Done),
        () = stopped => return Ok(Finished::Done),
        () = work.quit.cancelled() => return Ok(Finished::BotStops),
    };
    fail_point!("pushed", |_| std::process::abort());
    let message = match pushed {
        Ok(pushed) => words::pushed(&pushed),
        Err(GitError::Stopped) => words::job_stopped("The push"),
        Err(error) => words::not_pushed(&error.reason(), error.words()),
    };
    work.say(message).await
}
