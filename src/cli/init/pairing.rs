//! Waits for the person who presses Start with the code.
//!
//! Telegram forgets the updates below an offset. This gives an offset only to get past a full batch; all other updates
//! are still there when the bot runs, the owner's `/start` too.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::Value;
use tokio::time::{sleep, timeout_at};

use super::code::{Code, Over};
use super::token::{conflict, webhook_is_set};
use crate::telegram::api::{Api, ApiError, TIMEOUT};
use crate::telegram::ask::{self, Start, number_of};
use crate::telegram::error::About;

/// How long Telegram may wait for an update if there is none.
const LONG_POLL: Duration = Duration::from_secs(25);
/// If there are updates, Telegram answers immediately, so this waits instead.
const LOOK_AGAIN: Duration = Duration::from_secs(3);
/// Bot API: getUpdates returns at most this many, the oldest ones.
const BATCH: usize = 100;

/// The updates that wait at Telegram, and which of them were looked at.
pub(super) struct Updates<'a> {
    api: &'a Api,
    looked_at: HashSet<i64>,
    is_empty: bool,
    /// If a full batch hides newer updates: the offset of the next call, which gives up that batch.
    give_up_below: Option<i64>,
    /// Telegram did not answer, and the person was told.
    is_waiting: bool,
}

impl Updates<'_> {
    /// Starts sent before there is a code are no tries.
    pub async fn begin(api: &Api) -> anyhow::Result<Updates<'_>> {
        let mut updates = Updates {
            api,
            looked_at: HashSet::new(),
            is_empty: false,
            give_up_below: None,
            is_waiting: false,
        };
        // A full batch may hide more updates; asking for those gives up the batch.
        while updates.ask(Duration::ZERO).await?.is_none() || updates.give_up_below.is_some() {}
        Ok(updates)
    }

    /// Waits until somebody is the owner or the code is over.
    pub async fn wait_for(&mut self, code: &mut Code) -> anyhow::Result<Result<Start, Over>> {
        loop {
            if let Some(over) = code.over(Instant::now()) {
                return Ok(Err(over));
            }
            let wait = if self.is_empty {
                LONG_POLL
            } else {
                Duration::ZERO
            };
            let Ok(asked) = timeout_at(code.until().into(), self.ask(wait)).await else {
                continue;
            };
            for update in asked?.unwrap_or_default() {
                if let Some(owner) = code.look_at(&update) {
                    return Ok(Ok(owner));
                }
                if code.over(Instant::now()).is_some() {
                    break;
                }
            }
            if !self.is_empty {
                let _ = timeout_at(code.until().into(), sleep(LOOK_AGAIN)).await;
            }
        }
    }

    /// The updates not looked at yet; `None` if Telegram does not answer now.
    async fn ask(&mut self, wait: Duration) -> anyhow::Result<Option<Vec<Value>>> {
        let asked = match self.give_up_below {
            Some(offset) => ask::waiting_from(self.api, offset, BATCH, wait, TIMEOUT).await,
            None => ask::waiting(self.api, BATCH, wait, TIMEOUT).await,
        };
        let batch = match asked {
            Ok(batch) => batch,
            Err(error) if error.is_about(About::Webhook) => {
                return Err(webhook_is_set("").into());
            }
            Err(error) if error.is_conflict() => return Err(conflict()),
            Err(ApiError::Flood(pause)) => {
                sleep(pause).await;
                return Ok(None);
            }
            Err(error) if error.is_passing() => {
                if !std::mem::replace(&mut self.is_waiting, true) {
                    print_line!(
                        "! {}; trying again until it answers",
                        self.api.way().told(&error)
                    );
                }
                sleep(LOOK_AGAIN).await;
                return Ok(None);
            }
            Err(error) => return Err(error).context("Telegram gives no updates"),
        };
        self.is_waiting = false;
        self.is_empty = batch.is_empty();
        let ids: Vec<i64> = batch.iter().filter_map(number_of).collect();
        self.give_up_below = ids
            .last()
            .filter(|_| batch.len() >= BATCH)
            .map(|last| last.saturating_add(1));
        if self.give_up_below.is_some() {
            print_line!("! {BATCH} unread messages hide the newest ones; they are dropped.");
        }
        let new = batch
            .into_iter()
            .filter(|update| number_of(update).is_some_and(|id| self.looked_at.insert(id)))
            .collect();
        Ok(Some(new))
    }
}
