//! Done once at a start, alongside the work: looks for claude.

use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::claude::install::{self, Found, HOW_TO_INSTALL, NEWEST_TESTED, OLDEST_TESTED, Tested};
use crate::config::Config;

/// Logs what is wrong with claude before a chat meets it.
pub(super) async fn look_for_claude(config: Config, quit: CancellationToken) {
    let found = tokio::select! {
        found = install::look(&config.runtime, &config.environment) => found,
        () = quit.cancelled() => return,
    };
    let runtime = config.runtime.display();
    match found {
        Found::Ready { version } => {
            info!(%runtime, version, "claude is there");
            if !matches!(install::tested(&version), Some(Tested::Within)) {
                warn!(
                    version,
                    "telecoder is tested with claude {OLDEST_TESTED} to {NEWEST_TESTED}; this one may behave otherwise"
                );
            }
        }
        Found::NotLoggedIn { version } => warn!(
            %runtime,
            version,
            "claude is there but not logged in: run it once on this machine and log in, or set ANTHROPIC_API_KEY"
        ),
        Found::Missing => warn!(
            %runtime,
            "there is no such program: install Claude Code ({HOW_TO_INSTALL}) or set TELECODER_RUNTIME to where it is"
        ),
        Found::Broken(words) => warn!(%runtime, words, "claude does not answer as expected"),
    }
}
