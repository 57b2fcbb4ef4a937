//! One chat's waiting line: one call at a time, what must arrive first, live states behind it.
//!
//! A chat that is slow, blocked or told to pause holds up nobody but itself.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tracing::{debug, error, info, warn};

use super::api::{Api, ApiError};
use super::budget::{Budget, Purpose};
use super::draw::{self, Part};
use super::live::{LiveMessage, Shown};
use super::rich::{Entity, Rich};
use crate::id::{ChatId, ChatThread, MessageId, RunId};
use crate::store::outbox::Due;
use crate::store::{Store, StoreError, outbox};

/// What a line can be asked.
pub enum Ask {
    Deliver,
    Live(LiveText),
    LiveKnown {
        at: ChatThread,
        run: RunId,
        message: MessageId,
    },
    LiveEnd {
        run: RunId,
        text: String,
    },
    Typing(ChatThread),
}

pub struct LiveText {
    pub at: ChatThread,
    pub run: RunId,
    pub text: String,
}

/// Pauses between tries of a message that must arrive; the last one is repeated.
const RETRY_PAUSES_S: [u64; 8] = [1, 2, 5, 10, 30, 60, 120, 300];

/// Bot API: the part of `Message` that is needed.
#[derive(Deserialize)]
pub(super) struct Sent {
    pub message_id: i64,
}

pub struct Line {
    chat: ChatId,
    api: Api,
    store: Store,
    asks: mpsc::UnboundedReceiver<Ask>,
    budget: Budget,
    due: bool,
    /// A message that did not get through is not tried before this.
    retry_at: Instant,
    live: BTreeMap<RunId, LiveMessage>,
}

/// What a line does next.
enum Next {
    Send,
    ShowLive(RunId),
    WaitUntil(Instant),
    Wait,
}

impl Line {
    pub fn new(chat: ChatId, api: Api, store: Store, asks: mpsc::UnboundedReceiver<Ask>) -> Line {
        let now = Instant::now();
        Line {
            chat,
            api,
            store,
            asks,
            budget: Budget::new(chat, now),
            due: false,
            retry_at: now,
            live: BTreeMap::new(),
        }
    }

    /// Ends when the other end of `asks` is dropped. What is due then stays in the store.
    pub async fn run(mut self) {
        loop {
            while let Ok(ask) = self.asks.try_recv() {
                self.take(ask);
            }
            let wake = match self.next(Instant::now()) {
                Next::Send => {
                    self.send_next().await;
                    continue;
                }
                Next::ShowLive(run) => {
                    self.show_live(run).await;
                    continue;
                }
                Next::WaitUntil(moment) => Some(moment),
                Next::Wait => None,
            };
            let timer = async {
                match wake {
                    Some(moment) => sleep_until(moment).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                ask = self.asks.recv() => match ask {
                    Some(ask) => self.take(ask),
                    None => return,
                },
                () = timer => {}
            }
        }
    }

    fn take(&mut self, ask: Ask) {
        match ask {
            Ask::Deliver => self.due = true,
            Ask::Live(LiveText { at, run, text }) => self.live_of(at, run).want(text),
            Ask::LiveKnown { at, run, message } => self.live_of(at, run).is_known_as(message),
            Ask::LiveEnd { run, text } => {
                if !self.live.get_mut(&run).is_some_and(|live| live.end(text)) {
                    self.live.remove(&run);
                }
            }
            Ask::Typing(at) => self.type_along(at),
        }
    }

    fn live_of(&mut self, at: ChatThread, run: RunId) -> &mut LiveMessage {
        self.live
            .entry(run)
            .or_insert_with(|| LiveMessage::new(at, run))
    }

    fn next(&mut self, now: Instant) -> Next {
        let mut earliest: Option<Instant> = None;
        let mut consider = |moment: Instant| {
            earliest = Some(earliest.map_or(moment, |other| other.min(moment)));
        };
        if self.due {
            let ready = self
                .budget
                .ready_at(Purpose::Message, now)
                .max(self.retry_at);
            if ready <= now {
                return Next::Send;
            }
            consider(ready);
        }
        let live_ready = self.budget.ready_at(Purpose::Live, now);
        for (run, live) in &self.live {
            let Some(due) = live.due_at() else {
                continue;
            };
            let ready = live_ready.max(due);
            if ready <= now {
                return Next::ShowLive(*run);
            }
            consider(ready);
        }
        earliest.map_or(Next::Wait, Next::WaitUntil)
    }

    /// Sends the next part of the chat's oldest message.
    async fn send_next(&mut self) {
        let chat = self.chat;
        let due = match self
            .store
            .transaction(move |db| outbox::take_next(db, chat))
            .await
        {
            Ok(Some(due)) => due,
            Ok(None) => {
                self.due = false;
                return;
            }
            Err(error) => {
                error!(chat.id = chat.0, %error, "the outbox cannot be read; trying again");
                self.retry_at = Instant::now() + Duration::from_secs(RETRY_PAUSES_S[1]);
                return;
            }
        };
        let parts = draw::parts(&due.message);
        let Some(part) = parts.get(due.parts_sent) else {
            self.record(due.id, outbox::mark_sent).await;
            return;
        };
        let outcome = self.send_part(&due, part).await;
        let last = due.parts_sent + 1 == parts.len();
        match outcome {
            Ok(()) if last => self.record(due.id, outbox::mark_sent).await,
            Ok(()) => self.record(due.id, outbox::part_sent).await,
            Err(failure) => self.not_sent(&due, failure).await,
        }
    }

    /// Sends one part; what Telegram does not like about its form is left out and it is sent without.
    async fn send_part(&mut self, due: &Due, part: &Part) -> Result<(), ApiError> {
        let first = due.parts_sent == 0;
        let mut arguments = json!({
            "chat_id": due.at.chat.0,
            // One message of several rings once.
            "disable_notification": !(due.message.loud && first),
        });
        set_thread(&mut arguments, due.at);
        if let (true, Some(message)) = (first, due.message.reply_to) {
            arguments["reply_parameters"] =
                json!({"message_id": message.0, "allow_sending_without_reply": true});
        }
        let outcome = self.call_part(&arguments, part, true).await;
        match outcome {
            Err(error) if error.says("entit") => {
                warn!(chat.id = self.chat.0, %error, "a message is sent again without its styles");
                self.call_part(&arguments, part, false).await
            }
            other => other,
        }
    }

    async fn call_part(
        &mut self,
        arguments: &Value,
        part: &Part,
        styled: bool,
    ) -> Result<(), ApiError> {
        let mut arguments = arguments.clone();
        let entities =
            |rich: &Rich| -> Vec<Entity> { if styled { rich.entities() } else { Vec::new() } };
        self.budget.spend(Instant::now());
        let sent: Sent = match part {
            Part::Text(rich) => {
                arguments["text"] = json!(rich.text);
                arguments["entities"] = json!(entities(rich));
                arguments["link_preview_options"] = json!({"is_disabled": true});
                self.api.call("sendMessage", &arguments).await?
            }
            Part::File {
                name,
                content,
                caption,
            } => {
                arguments["caption"] = json!(caption.text);
                arguments["caption_entities"] = json!(entities(caption));
                let content = content.clone().into_bytes();
                self.api
                    .upload("sendDocument", &arguments, "document", name, content)
                    .await?
            }
        };
        debug!(
            chat.id = self.chat.0,
            message.id = sent.message_id,
            "a message arrived"
        );
        Ok(())
    }

    async fn not_sent(&mut self, due: &Due, failure: ApiError) {
        let now = Instant::now();
        let text = failure.to_string();
        let id = due.id;
        match failure {
            ApiError::Flood(pause) => {
                info!(
                    chat.id = self.chat.0,
                    pause_s = pause.as_secs(),
                    "Telegram asks for a pause"
                );
                self.budget.pause(pause, now);
                self.record(id, move |db, id| outbox::mark_due(db, id, &text))
                    .await;
            }
            // A token that is refused now may be accepted after a correction.
            failure if failure.is_passing() || failure.is_refused_token() => {
                let step = usize::try_from(due.attempts).unwrap_or(usize::MAX);
                let pause = RETRY_PAUSES_S[step.min(RETRY_PAUSES_S.len() - 1)];
                warn!(chat.id = self.chat.0, pause_s = pause, %failure, "a message did not get through; trying again");
                self.retry_at = now + Duration::from_secs(pause);
                self.record(id, move |db, id| outbox::mark_due(db, id, &text))
                    .await;
            }
            failure => {
                error!(chat.id = self.chat.0, %failure, "a message cannot be sent and is kept unsent");
                self.record(id, move |db, id| outbox::park(db, id, &text))
                    .await;
            }
        }
    }

    /// Writes down what became of a row; a row that cannot be marked is sent again rather than lost.
    async fn record<F>(&mut self, id: i64, mark: F)
    where
        F: FnOnce(&rusqlite::Connection, i64) -> rusqlite::Result<()> + Send + 'static,
    {
        let marked: Result<(), StoreError> = self.store.transaction(move |db| mark(db, id)).await;
        if let Err(error) = marked {
            error!(chat.id = self.chat.0, %error, "what became of a message cannot be written down");
            self.retry_at = Instant::now() + Duration::from_secs(RETRY_PAUSES_S[2]);
        }
    }

    async fn show_live(&mut self, run: RunId) {
        let Some(live) = self.live.get_mut(&run) else {
            return;
        };
        if !live.has_news() {
            return;
        }
        self.budget.spend(Instant::now());
        let pause = self.budget.edit_pause();
        match live.show(&self.api, &self.store, pause).await {
            Shown::GoesOn => {}
            Shown::Flood(pause) => self.budget.pause(pause, Instant::now()),
            Shown::Over => {
                self.live.remove(&run);
            }
        }
    }

    /// Not waited for: nothing depends on it.
    fn type_along(&self, at: ChatThread) {
        if self.budget.is_paused(Instant::now()) {
            return;
        }
        let mut arguments = json!({"chat_id": at.chat.0, "action": "typing"});
        set_thread(&mut arguments, at);
        let api = self.api.clone();
        tokio::spawn(async move {
            let _: Result<bool, _> = api.call("sendChatAction", &arguments).await;
        });
    }
}

pub(super) fn set_thread(arguments: &mut Value, at: ChatThread) {
    if let Some(thread) = at.thread {
        arguments["message_thread_id"] = json!(thread.0);
    }
}
