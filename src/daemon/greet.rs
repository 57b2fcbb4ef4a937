//! Done once at a start, alongside the work: sets the command menu and looks for claude.

use std::time::Duration;

use serde_json::json;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::chat::menu;
use crate::claude::install::{self, Found, HOW_TO_INSTALL, NEWEST_TESTED, OLDEST_TESTED, Tested};
use crate::config::Config;
use crate::domain::verb::Verb;
use crate::telegram::api::{Api, ApiError};

/// Between tries of a call that Telegram did not answer.
const PAUSE: Duration = Duration::from_secs(10);

/// Sets the command menu. Bot API: `setMyCommands`.
pub(super) async fn set_menu(api: Api, quit: CancellationToken) {
    let commands: Vec<_> = Verb::ALL
        .into_iter()
        .filter(|verb| verb.in_menu())
        .map(|verb| json!({"command": verb.name(), "description": menu::meaning(verb)}))
        .collect();
    let arguments = json!({"commands": commands});
    loop {
        let set: Result<bool, _> = tokio::select! {
            set = api.call("setMyCommands", &arguments) => set,
            () = quit.cancelled() => return,
        };
        match set {
            Ok(_) => return,
            Err(ApiError::Flood(_)) => {}
            Err(error) if error.is_passing() => {}
            Err(error) => {
                warn!(%error, "the command menu could not be set; the commands work all the same");
                return;
            }
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            () = quit.cancelled() => return,
        }
    }
}

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
