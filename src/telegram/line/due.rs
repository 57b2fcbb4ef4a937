//! Messages that must arrive: the next one is taken from the store, drawn, and sent part by part.

use std::collections::HashSet;

use fail::fail_point;
use jiff::Zoned;
use serde_json::json;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;
use tracing::{debug, error};

use super::{Line, MOST_DOUBTS, PROBE_LIMIT, STORE_PAUSE, pause_before};
use crate::domain::choices::minute_of_day;
use crate::domain::delivery::Parked;
use crate::domain::outgoing::Urgency;
use crate::store::{sending, settings};
use crate::telegram::api::ApiError;
use crate::telegram::budget::Rank;
use crate::telegram::draw::{self, Part};
use crate::telegram::send::{Delivery, Sending};
use crate::telegram::turns::Turn;

/// What is known of the first message that must arrive.
#[derive(Clone, Copy)]
pub(super) struct DueRow {
    pub since: Instant,
    /// `None`: it has not been looked at.
    pub urgency: Option<Urgency>,
}

impl DueRow {
    /// Its place among all that is due.
    pub fn rank(self) -> Rank {
        match self.urgency.unwrap_or_default() {
            Urgency::Stop => Rank::Stop,
            Urgency::Answer => Rank::Answer,
            Urgency::Question => Rank::Question,
            Urgency::Evidence => Rank::Evidence,
        }
    }
}

/// Files on their way, one at a time.
#[derive(Default)]
pub(super) struct Uploads {
    /// The one that goes up, and what came of it.
    pub running: JoinSet<(Sending, Delivery)>,
    /// Rows that wait for it, its own among them.
    pub rows: HashSet<i64>,
}

impl Line {
    pub(super) fn is_due(&mut self) {
        // What has come may be more urgent than what was looked at.
        let since = self.due.map_or_else(Instant::now, |due| due.since);
        let urgency = None;
        self.due = Some(DueRow { since, urgency });
    }

    /// Finds out whether a message is due, and how urgent it is: its place among the other chats' messages.
    pub(super) async fn look_at_due(&mut self) {
        let Some(DueRow {
            urgency: None,
            since,
        }) = self.due
        else {
            return;
        };
        let (chat, busy) = (self.chat, self.busy_rows());
        let found = self
            .around
            .store
            .transaction(move |db| sending::next_urgency(db, chat, &busy))
            .await;
        match found {
            Ok(None) => self.due = None,
            Ok(urgency) => self.due = Some(DueRow { since, urgency }),
            // The sender finds out.
            Err(_) => {}
        }
    }

    fn busy_rows(&self) -> Vec<i64> {
        self.uploads.rows.iter().copied().collect()
    }

    /// Sends the next part of the chat's next message.
    pub(super) async fn send_next(&mut self, turn: Turn) {
        if !self.write_down().await || (self.silences > 0 && !self.is_heard().await) {
            return;
        }
        let (chat, busy) = (self.chat, self.busy_rows());
        let taken = self
            .around
            .store
            .transaction(move |db| {
                let due = sending::take_next(db, chat, &busy)?;
                due.map(|due| Ok((due, settings::get(db, chat)?)))
                    .transpose()
            })
            .await;
        let (mut due, settings) = match taken {
            Ok(Some(found)) => found,
            Ok(None) => {
                self.due = None;
                return;
            }
            Err(error) => {
                debug!(chat.id = chat.0, %error, "the outbox cannot be read; trying again");
                self.retry_after(STORE_PAUSE);
                return;
            }
        };
        self.due = Some(DueRow {
            since: Instant::now(),
            urgency: None,
        });
        fail_point!("outbox-taken", |_| std::process::abort());
        if due.doubts >= MOST_DOUBTS {
            let failure = "the bot ended twice while it was being sent";
            return self.park(&due, Parked::Unconfirmed, failure).await;
        }
        if due.doubts > 0 && !self.was_heard && !self.is_heard().await {
            // It was not sent this time.
            return self
                .record(move |db| sending::mark_due(db, due.id, "Telegram is silent"))
                .await;
        }
        self.around.redactor.clean_message(&mut due.message);
        let is_to_judge = due.message.is_to_judge();
        let mut drawn = draw::draw(&mut due.message);
        drawn.take_secrets_out(&self.around.redactor, is_to_judge);
        let is_last = due.parts_sent + 1 == drawn.parts.len();
        if drawn.parts.len() > 1 {
            let opens = due.message.in_one_piece.take();
            due.message.buttons.extend(opens.map(|button| *button));
        }
        if due.parts_sent >= drawn.parts.len() {
            let id = due.id;
            return self.record(move |db| sending::mark_whole(db, id)).await;
        }
        let sending = Sending {
            api: self.around.api.clone(),
            turns: self.around.turns.clone(),
            part: drawn.parts.swap_remove(due.parts_sent),
            due,
            is_last,
            rings: settings.ring.rings_at(minute_of_day(&Zoned::now())),
            commands: drawn.commands,
        };
        match sending.part {
            Part::Text(_) => {
                let delivery = sending.send(turn).await;
                self.sent(sending, delivery).await;
            }
            Part::File { .. } | Part::Stored { .. } => self.upload(sending, turn).await,
        }
    }

    /// Begins to send a file; the chat's other messages do not wait for it.
    async fn upload(&mut self, sending: Sending, turn: Turn) {
        let id = sending.due.id;
        self.uploads.rows.insert(id);
        if !self.uploads.running.is_empty() {
            return self.record(move |db| sending::put_back(db, id)).await;
        }
        self.uploads.running.spawn(async move {
            let delivery = sending.send(turn).await;
            (sending, delivery)
        });
    }

    pub(super) async fn uploaded(&mut self, done: Result<(Sending, Delivery), JoinError>) {
        self.uploads.rows.clear();
        self.is_due();
        match done {
            Ok((sending, delivery)) => self.sent(sending, delivery).await,
            // Its row is taken up again as one of which nobody knows whether it arrived.
            Err(error) => error!(chat.id = self.chat.0, %error, "the sending of a file failed"),
        }
    }

    async fn sent(&mut self, sending: Sending, delivery: Delivery) {
        fail_point!("outbox-sent", |_| std::process::abort());
        let Sending { due, is_last, .. } = sending;
        self.settle(due, delivery, is_last).await;
    }

    /// Whether Telegram answers again after a silence. Asks with a harmless call, so that no message is sent twice;
    /// another chat's call tells it as well.
    async fn is_heard(&mut self) -> bool {
        if *self.heard.borrow() > self.silent_since {
            self.silences = 0;
            self.was_heard = true;
            return true;
        }
        let arguments = json!({"chat_id": self.chat.0, "action": "typing"});
        let answer: Result<bool, _> = self
            .around
            .api
            .call_within(PROBE_LIMIT, "sendChatAction", &arguments)
            .await;
        match answer {
            Err(ApiError::Flood(pause)) => {
                self.silences = 0;
                self.pause(pause).await;
                false
            }
            Err(error) if error.is_passing() => {
                self.retry_after(pause_before(self.silences));
                self.silences += 1;
                false
            }
            _ => {
                self.silences = 0;
                self.was_heard = true;
                true
            }
        }
    }
}
