//! Waits for the person who presses Start with the code.
//!
//! Telegram forgets an update when a later offset is asked for. None is asked for here, so what people have written
//! is still there for the bot when it runs, the owner's `/start` too.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::Value;
use tokio::time::{sleep, timeout_at};

use super::code::{Code, Over};
use super::token::{conflict, webhook_is_set};
use crate::telegram::api::{Api, ApiError, TIMEOUT};
use crate::telegram::ask::{self, Start, number_of};

/// How long Telegram may wait for something new where nothing is there.
const LONG_POLL: Duration = Duration::from_secs(25);
/// Where something is there, Telegram answers at once, so this waits.
const LOOK_AGAIN: Duration = Duration::from_secs(3);
/// Bot API: getUpdates gives so many at once, the oldest ones.
const BATCH: usize = 100;

/// What waits at Telegram, and what of it has been looked at.
pub(super) struct Updates<'a> {
    api: &'a Api,
    looked_at: HashSet<i64>,
    is_empty: bool,
    /// Where a full batch hides what is new: from where to ask the next time, which gives up that batch.
    give_up_below: Option<i64>,
    /// Telegram did not answer, and the person knows it.
    is_waiting: bool,
}

impl Updates<'_> {
    /// What was sent before there was a code is no try.
    pub async fn begin(api: &Api) -> anyhow::Result<Updates<'_>> {
        let mut updates = Updates {
            api,
            looked_at: HashSet::new(),
            is_empty: false,
            give_up_below: None,
            is_waiting: false,
        };
        // Behind a full batch there may be more, and whoever asks for it gives that batch up.
        while updates.ask(Duration::ZERO).await?.is_none() || updates.give_up_below.is_some() {}
        Ok(updates)
    }

    /// Until somebody is the owner or the code is over.
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

    /// What has not been looked at; `None` where Telegram could not be asked now.
    async fn ask(&mut self, wait: Duration) -> anyhow::Result<Option<Vec<Value>>> {
        let asked = match self.give_up_below {
            Some(offset) => ask::waiting_from(self.api, offset, BATCH, wait, TIMEOUT).await,
            None => ask::waiting(self.api, BATCH, wait, TIMEOUT).await,
        };
        let batch = match asked {
            Ok(batch) => batch,
            Err(error) if error.is_conflict() && error.says("webhook") => {
                return Err(webhook_is_set("").into());
            }
            Err(error) if error.is_conflict() => return Err(conflict()),
            Err(ApiError::Flood(pause)) => {
                sleep(pause).await;
                return Ok(None);
            }
            Err(error) if error.is_passing() => {
                if !std::mem::replace(&mut self.is_waiting, true) {
                    println!("! {error}; trying again until it answers");
                }
                sleep(LOOK_AGAIN).await;
                return Ok(None);
            }
            Err(error) => return Err(error).context("updates cannot be had from Telegram"),
        };
        self.is_waiting = false;
        self.is_empty = batch.is_empty();
        let ids: Vec<i64> = batch.iter().filter_map(number_of).collect();
        self.give_up_below = ids
            .last()
            .filter(|_| batch.len() >= BATCH)
            .map(|last| last.saturating_add(1));
        if self.give_up_below.is_some() {
            println!(
                "! {BATCH} messages that the bot has not seen are in the way of the newest ones. They are given up."
            );
        }
        let new = batch
            .into_iter()
            .filter(|update| number_of(update).is_some_and(|id| self.looked_at.insert(id)))
            .collect();
        Ok(Some(new))
    }
}
