//! Tells the service manager: ready, alive, stopping. systemd: sd_notify(3).
//!
//! Without a service manager (`NOTIFY_SOCKET` is not set) nothing is said.

use sd_notify::NotifyState;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use crate::health::Health;
use crate::store::{Store, offset};

/// The running bot's version, for `telecoder service status`, which has no other way to ask.
const TAKING_MESSAGES: &str = concat!("version ", env!("CARGO_PKG_VERSION"), ", taking messages");

/// The bot has resumed what was left and takes messages.
pub(super) fn say_ready() {
    say(&[NotifyState::Ready, NotifyState::Status(TAKING_MESSAGES)]);
}

/// The bot stops; runs continue.
pub(super) fn say_stopping() {
    say(&[
        NotifyState::Stopping,
        NotifyState::Status("stopping; runs continue"),
    ]);
}

/// Reports that the bot is alive while its poller asks in time and its store answers. A bot that hangs is restarted,
/// and loses nothing.
pub(super) async fn feed_watchdog(store: Store, health: Health, quit: CancellationToken) {
    let Some(limit) = sd_notify::watchdog_enabled() else {
        return;
    };
    // A look may take as long as the pause between two.
    let every = limit / 3;
    loop {
        let (vitals, _) = health.look(every, store.transaction(offset::get)).await;
        if vitals.is_alive() {
            say(&[NotifyState::Watchdog]);
        } else {
            error!("the bot hangs; the service manager is to restart it");
        }
        tokio::select! {
            () = tokio::time::sleep(every) => {}
            () = quit.cancelled() => return,
        }
    }
}

fn say(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        warn!(%error, "the service manager could not be told");
    }
}
