//! The way out: a handle with verbs, and the task that keeps one line per chat behind it.
//!
//! Messages that must arrive are rows in the store; whoever wrote one says [`Outbox::deliver`] when it is
//! committed. Live states, typing and answers to buttons are not rows: the newest wins, and they may be lost.

use std::collections::HashMap;

use serde_json::json;
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;
use tracing::debug;

use super::api::Api;
use super::line::{self, Ask, Line};
use crate::id::{ChatId, ChatThread, MessageId, RunId};
use crate::store::{Store, StoreError, outbox};

/// Cheap to clone. The task behind it ends when the last handle is dropped.
#[derive(Clone)]
pub struct Outbox {
    asks: mpsc::UnboundedSender<(ChatId, Ask)>,
    api: Api,
    calls: TaskTracker,
}

impl Outbox {
    /// Starts the task that owns the lines.
    pub fn start(api: Api, store: Store, tasks: &TaskTracker) -> Outbox {
        let (asks, incoming) = mpsc::unbounded_channel();
        tasks.spawn(run(api.clone(), store, incoming, tasks.clone()));
        Outbox {
            asks,
            api,
            calls: tasks.clone(),
        }
    }

    /// After a start: everything that has not arrived is due.
    pub async fn deliver_what_is_left(&self, store: &Store) -> Result<(), StoreError> {
        for chat in store.transaction(outbox::chats_with_due).await? {
            self.deliver(chat);
        }
        Ok(())
    }

    /// A row for this chat has been committed.
    pub fn deliver(&self, chat: ChatId) {
        self.ask(chat, Ask::Deliver);
    }

    /// The live message of a run shall say this; replaces what it should have said before.
    pub fn show_live(&self, at: ChatThread, run: RunId, text: String) {
        self.ask(at.chat, Ask::Live(line::LiveText { at, run, text }));
    }

    /// The live message of a run that was found at a restart.
    pub fn resume_live(&self, at: ChatThread, run: RunId, message: MessageId) {
        self.ask(at.chat, Ask::LiveKnown { at, run, message });
    }

    /// The run has ended: its live message, if there is one, gets its last text and loses its button.
    pub fn end_live(&self, at: ChatThread, run: RunId, text: String) {
        self.ask(at.chat, Ask::LiveEnd { run, text });
    }

    /// The chat shows "typing" for the next five seconds. Bot API: `sendChatAction`.
    pub fn typing(&self, at: ChatThread) {
        self.ask(at.chat, Ask::Typing(at));
    }

    /// Answers a button at once; free of the chat's budget. Bot API: `answerCallbackQuery`.
    pub fn answer_button(&self, query: &str, text: &'static str) {
        let api = self.api.clone();
        let arguments = json!({"callback_query_id": query, "text": text});
        self.calls.spawn(async move {
            let answered: Result<bool, _> = api.call("answerCallbackQuery", &arguments).await;
            if let Err(error) = answered {
                debug!(%error, "a button could not be answered; its press has had its effect");
            }
        });
    }

    fn ask(&self, chat: ChatId, ask: Ask) {
        // Without the task nobody is there to show it; rows stay in the store.
        let _ = self.asks.send((chat, ask));
    }
}

async fn run(
    api: Api,
    store: Store,
    mut incoming: mpsc::UnboundedReceiver<(ChatId, Ask)>,
    tasks: TaskTracker,
) {
    let mut lines: HashMap<ChatId, mpsc::UnboundedSender<Ask>> = HashMap::new();
    while let Some((chat, ask)) = incoming.recv().await {
        let line = lines.entry(chat).or_insert_with(|| {
            let (asks, incoming) = mpsc::unbounded_channel();
            tasks.spawn(Line::new(chat, api.clone(), store.clone(), incoming).run());
            asks
        });
        let _ = line.send(ask);
    }
}
