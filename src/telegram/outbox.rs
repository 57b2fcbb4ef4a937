//! The way out: a handle with verbs, and behind it the task that keeps one line per chat.
//!
//! Messages that must arrive are rows in the store; their writer calls [`Outbox::deliver`] after the commit. Live
//! states, typing and answers to buttons are not rows: the newest wins, and they may be lost.

use std::collections::HashMap;

use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;
use tracing::{debug, error, warn};

use super::api::Api;
use super::budget::Rank;
use super::line::{Ask, Asks, Line, Surroundings};
use super::turns::Turns;
use crate::domain::id::{ChatId, ChatThread, MessageId};
use crate::domain::live::PromptState;
use crate::domain::live::{LiveOf, LiveText};
use crate::redact::Redactor;
use crate::store::{Store, StoreError, outbox};

/// Cheap to clone. The task behind it ends when the last handle is dropped.
#[derive(Clone)]
pub struct Outbox {
    asks: mpsc::UnboundedSender<(ChatId, Ask)>,
    api: Api,
    turns: Turns,
    redactor: Redactor,
    calls: TaskTracker,
}

impl Outbox {
    /// Starts the task that owns the lines.
    pub fn start(around: Surroundings, tasks: &TaskTracker) -> Outbox {
        let (asks, incoming) = mpsc::unbounded_channel();
        let (api, redactor) = (around.api.clone(), around.redactor.clone());
        let turns = around.turns.clone();
        let lines = Lines {
            around,
            asks_of_all: asks.downgrade(),
            tasks: tasks.clone(),
        };
        tasks.spawn(lines.run(incoming));
        Outbox {
            asks,
            api,
            turns,
            redactor,
            calls: tasks.clone(),
        }
    }

    /// After a start: sends everything that has not arrived.
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

    /// Sets a live message's text; replaces one that is not shown yet.
    pub fn show_live(&self, at: ChatThread, of: LiveOf, text: LiveText) {
        self.ask(at.chat, Ask::Live { at, of, text });
    }

    /// Resumes a live message found at a restart.
    pub fn resume_live(&self, at: ChatThread, of: LiveOf, message: MessageId) {
        self.ask(at.chat, Ask::LiveKnown { at, of, message });
    }

    /// The followed work has ended: its live message, if any, gets a last text and loses its button.
    pub fn end_live(&self, at: ChatThread, of: LiveOf, text: String) {
        let text = LiveText::plain(text);
        self.ask(at.chat, Ask::LiveEnd { at, of, text });
    }

    /// The followed work has ended and another message says how: its live message, if any, is deleted. Bot API:
    /// `deleteMessage`.
    pub fn remove_live(&self, at: ChatThread, of: LiveOf) {
        self.ask(at.chat, Ask::LiveGone { at, of });
    }

    /// The Stop button of a live message was pressed; a message that is not the known one is deleted.
    pub fn live_pressed(&self, at: ChatThread, of: LiveOf, message: MessageId) {
        self.ask(at.chat, Ask::LivePressed { at, of, message });
    }

    /// A reaction on a prompt shows its state. Bot API: `setMessageReaction`.
    pub fn react(&self, chat: ChatId, message: MessageId, state: PromptState) {
        self.ask(chat, Ask::React { message, state });
    }

    /// The chat shows "typing" for the next five seconds. Bot API: `sendChatAction`.
    pub fn typing(&self, at: ChatThread) {
        self.ask(at.chat, Ask::Typing(at));
    }

    /// Sends a text without storing it, while the store fails. Tried once; may be lost.
    pub fn say_past_the_store(&self, at: ChatThread, text: String) {
        let api = self.api.clone();
        let turns = self.turns.clone();
        let arguments = json!({"chat_id": at.chat.0, "text": self.redactor.text(&text)});
        self.calls.spawn(async move {
            let _turn = turns.take(at.chat, Rank::Answer, Instant::now()).await;
            let said: Result<Value, _> = api.call("sendMessage", &arguments).await;
            if let Err(error) = said {
                warn!(chat.id = at.chat.0, %error, "the owner could not be told in the chat; only this log says so");
            }
        });
    }

    /// Answers a button before anything else. Bot API: `answerCallbackQuery`.
    pub fn answer_button(&self, chat: ChatId, query: &str, text: &'static str) {
        let (api, turns) = (self.api.clone(), self.turns.clone());
        let arguments = json!({"callback_query_id": query, "text": text});
        self.calls.spawn(async move {
            let _turn = turns.take(chat, Rank::Press, Instant::now()).await;
            let answered: Result<bool, _> = api.call("answerCallbackQuery", &arguments).await;
            if let Err(error) = answered {
                debug!(%error, "a button could not be answered; its press has had its effect");
            }
        });
    }

    /// Removes the buttons below a message when they have no use any more. May be lost. Bot API:
    /// `editMessageReplyMarkup`.
    pub fn remove_buttons(&self, chat: ChatId, message: MessageId) {
        self.ask(chat, Ask::RemoveButtons(message));
    }

    /// Deletes a message that somebody sent in a private chat. Tried once; may fail. Bot API: `deleteMessage`.
    pub fn delete(&self, chat: ChatId, message: MessageId) {
        let api = self.api.clone();
        let turns = self.turns.clone();
        let arguments = json!({"chat_id": chat.0, "message_id": message.0});
        self.calls.spawn(async move {
            let _turn = turns.take(chat, Rank::Edit, Instant::now()).await;
            let deleted: Result<bool, _> = api.call("deleteMessage", &arguments).await;
            if let Err(error) = deleted {
                debug!(chat.id = chat.0, %error, "a message could not be deleted");
            }
        });
    }

    fn ask(&self, chat: ChatId, ask: Ask) {
        if chat == ChatId::SHELL {
            return;
        }
        // Without the task nothing can be sent; rows stay in the store.
        let _ = self.asks.send((chat, ask));
    }
}

/// The task behind the handle.
struct Lines {
    around: Surroundings,
    asks_of_all: mpsc::WeakUnboundedSender<(ChatId, Ask)>,
    tasks: TaskTracker,
}

impl Lines {
    async fn run(self, mut incoming: mpsc::UnboundedReceiver<(ChatId, Ask)>) {
        let mut lines: HashMap<ChatId, mpsc::UnboundedSender<Ask>> = HashMap::new();
        while let Some((chat, ask)) = incoming.recv().await {
            let line = lines.entry(chat).or_insert_with(|| self.line(chat));
            if let Err(unsent) = line.send(ask) {
                // Only a panic ends a line early. Its rows are in the store; the next line sends them.
                error!(chat.id = chat.0, "a chat's line had died; it is made anew");
                *line = self.line(chat);
                let _ = line.send(Ask::Deliver);
                let _ = line.send(unsent.0);
            }
        }
    }

    fn line(&self, chat: ChatId) -> mpsc::UnboundedSender<Ask> {
        let (asks, incoming) = mpsc::unbounded_channel();
        let line = Line::new(
            chat,
            self.around.clone(),
            Asks {
                of_this: incoming,
                of_all: self.asks_of_all.clone(),
            },
        );
        self.tasks.spawn(line.run());
        asks
    }
}
