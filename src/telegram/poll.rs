//! Asks Telegram for updates and keeps them before it asks again.
//!
//! getUpdates confirms everything below `offset`, so the batch and the next offset are committed in one
//! transaction first: an update is on disk before Telegram may forget it.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use super::api::{Api, ApiError};
use crate::id::UpdateId;
use crate::store::{Store, offset, updates};

/// Bot API: `timeout` of getUpdates is capped at 50 s.
const LONG_POLL: Duration = Duration::from_secs(50);
const RETRY_PAUSES_S: [u64; 6] = [1, 2, 5, 10, 20, 30];
/// After a 409: the other one gets 409 too, so hurry helps nobody.
const CONFLICT_PAUSE: Duration = Duration::from_secs(30);
/// Sent with every call: Telegram remembers it, and by default leaves some kinds out.
const ALLOWED_UPDATES: [&str; 4] = [
    "message",
    "edited_message",
    "callback_query",
    "my_chat_member",
];

/// The token does not work; there is no use in going on.
#[derive(Debug, thiserror::Error)]
#[error("Telegram does not accept the bot token ({0})")]
pub struct TokenRefused(String);

/// Polls until `quit`; wakes `arrived` when something is stored.
pub async fn poll(
    api: Api,
    store: Store,
    arrived: &Notify,
    quit: &CancellationToken,
) -> Result<(), TokenRefused> {
    let mut failures = 0;
    let mut in_conflict = false;
    loop {
        let asked = tokio::select! {
            asked = ask_and_store(&api, &store, arrived) => asked,
            () = quit.cancelled() => return Ok(()),
        };
        let pause = match asked {
            Ok(()) => {
                if failures > 0 || in_conflict {
                    info!("Telegram answers again");
                }
                failures = 0;
                in_conflict = false;
                continue;
            }
            Err(Failure::Api(error)) if error.is_refused_token() => {
                return Err(TokenRefused(error.to_string()));
            }
            Err(Failure::Api(error)) if error.is_conflict() => {
                if !in_conflict {
                    error!(
                        "another program polls with the same bot token, so messages go now here, now there; \
                         stop the other one. Trying again every {} s",
                        CONFLICT_PAUSE.as_secs()
                    );
                }
                in_conflict = true;
                CONFLICT_PAUSE
            }
            Err(Failure::Api(ApiError::Flood(pause))) => pause,
            Err(failure) => {
                let pause = RETRY_PAUSES_S[failures.min(RETRY_PAUSES_S.len() - 1)];
                failures += 1;
                if failures == 1 {
                    warn!(%failure, "no updates can be had; trying again until they can");
                } else {
                    debug!(%failure, failures, "still no updates");
                }
                Duration::from_secs(pause)
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = quit.cancelled() => return Ok(()),
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Api(#[from] ApiError),
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
}

async fn ask_and_store(api: &Api, store: &Store, arrived: &Notify) -> Result<(), Failure> {
    let next = store.transaction(offset::get).await?;
    let mut arguments = json!({
        "timeout": LONG_POLL.as_secs(),
        "allowed_updates": ALLOWED_UPDATES,
    });
    if let Some(next) = next {
        arguments["offset"] = json!(next.0);
    }
    let batch: Vec<Value> = api.long_poll("getUpdates", &arguments, LONG_POLL).await?;
    let unusable = !batch.is_empty();
    let rows: Vec<(UpdateId, String)> = batch
        .into_iter()
        .filter_map(|update| {
            let id = update.get("update_id").and_then(Value::as_i64);
            if id.is_none() {
                warn!("Telegram sent an update without an id; it is left out");
            }
            Some((UpdateId(id?), update.to_string()))
        })
        .collect();
    let Some((last, _)) = rows.last() else {
        if unusable {
            // They come again at once, and so does this.
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        return Ok(());
    };
    // Never the highest number: ids restart at random after a quiet week.
    let next = UpdateId(last.0.saturating_add(1));
    store
        .transaction(move |db| {
            for (id, raw) in &rows {
                updates::insert(db, *id, raw)?;
            }
            offset::set(db, next)
        })
        .await?;
    arrived.notify_one();
    Ok(())
}
