//! What people see, and when, by the stand-in's own record: a loaded machine makes no difference to it.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::json;
use telecoder::demo::bot_api::{Call, Posted};
use telecoder::domain::id::{ChatId, UserId};

use super::{BOT, Machine};

/// Something that a person wrote to the bot.
#[derive(Clone, Copy, Debug)]
pub struct Said {
    pub chat: ChatId,
    pub thread: Option<i64>,
    pub message: i32,
    pub at: Instant,
}

impl Machine {
    /// One on which these people may use the bot, each in a private chat of the same number.
    pub fn with_people(self, people: impl Iterator<Item = u64>) -> Machine {
        let people: Vec<String> = people.map(|person| person.to_string()).collect();
        self.with("TELECODER_TG_ALLOWED_USERS", people.join(","))
    }

    /// A person writes in the private chat with the bot.
    pub fn writes(&self, person: u64, text: &str) -> Said {
        let chat = ChatId(i64::try_from(person).expect("an id"));
        let at = Instant::now();
        let message = self.api.say(chat, UserId(person), text);
        Said {
            chat,
            thread: None,
            message,
            at,
        }
    }

    /// A person mentions the bot in a group, or gives it a command there; in a topic if one is given.
    pub fn writes_in(
        &self,
        group: ChatId,
        thread: Option<i64>,
        person: UserId,
        text: &str,
    ) -> Said {
        let mut fields = match text.strip_prefix('/') {
            Some(command) => json!({"text": format!("/{command}@{BOT}"),
                "entities": [{"type": "bot_command", "offset": 0, "length": BOT.len() + text.len() + 1}]}),
            None => json!({"text": format!("@{BOT} {text}"),
                "entities": [{"type": "mention", "offset": 0, "length": BOT.len() + 1}]}),
        };
        if let Some(thread) = thread {
            fields["message_thread_id"] = json!(thread);
            fields["is_topic_message"] = json!(true);
        }
        let at = Instant::now();
        let message = self.api.deliver_message(group, person, fields);
        Said {
            chat: group,
            thread,
            message,
            at,
        }
    }

    /// As [`Machine::until`], for what may take longer, or has to be there sooner.
    pub fn until_within<T>(
        &self,
        length: Duration,
        what: &str,
        mut look: impl FnMut() -> Option<T>,
    ) -> T {
        let deadline = Instant::now() + length;
        let mut changes = self.api.changes();
        loop {
            changes.mark_unchanged();
            if let Some(found) = look() {
                return found;
            }
            assert!(
                Instant::now() < deadline,
                "this did not happen within {length:?}: {what}; the chats have {:#?}",
                self.texts()
            );
            self.runtime.block_on(async {
                let _ = tokio::time::timeout(Duration::from_millis(50), changes.changed()).await;
            });
        }
    }

    /// The bot's messages in short: chat, topic, first line, labels of the buttons.
    pub fn texts(&self) -> Vec<String> {
        let short = |message: Posted| {
            let line = message.text.lines().next().unwrap_or_default();
            let line: String = line.chars().take(60).collect();
            let labels: Vec<&str> = message
                .buttons
                .iter()
                .map(|(text, _)| text.as_str())
                .collect();
            format!("{} {:?} {line} {labels:?}", message.chat, message.thread)
        };
        self.bot_messages().into_iter().map(short).collect()
    }

    /// The calls that Telegram has taken.
    pub fn taken(&self) -> Vec<Call> {
        let calls = self.api.calls();
        calls.into_iter().filter(|call| call.accepted).collect()
    }

    /// When a message with `part` in it was first sent to this chat.
    pub fn sent_at(&self, chat: ChatId, part: &str) -> Option<Instant> {
        self.sendings(chat, part).first().copied()
    }

    /// Whenever a message with `part` in it was sent to this chat, as text or with a file.
    pub fn sendings(&self, chat: ChatId, part: &str) -> Vec<Instant> {
        let has_it = |call: &Call| {
            let says = |field: &str| {
                let text = call.arguments[field].as_str();
                text.is_some_and(|text| text.contains(part))
            };
            call.method.starts_with("send")
                && call.arguments["chat_id"] == chat.0
                && (says("text") || says("caption"))
        };
        let sent = self.taken().into_iter().filter(has_it);
        sent.map(|call| call.at).collect()
    }

    /// Waits until a message with `part` in it was sent there; says when.
    pub fn until_sent(&self, chat: ChatId, part: &str) -> Instant {
        self.until(&format!("{part:?} is sent to {}", chat.0), || {
            self.sent_at(chat, part)
        })
    }

    /// When the bot had the message with `part` in it ready to be sent; it has arrived since.
    pub fn written_at(&self, chat: ChatId, part: &str) -> Instant {
        let messages = self.bot_messages().into_iter();
        let arrived = messages
            .filter(|message| message.chat == chat.0 && message.text.contains(part))
            .map(|message| message.id.to_string());
        let sql = format!(
            "SELECT created_at FROM outbox JOIN sent_parts ON outbox_id = id
              WHERE chat_id = {} AND message_id IN ({})",
            chat.0,
            arrived.collect::<Vec<String>>().join(", ")
        );
        let written = self.until("its arrival is noted", || self.rows(&sql).first().copied());
        let written = u64::try_from(written).expect("after 1970");
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("after 1970");
        Instant::now() - now.saturating_sub(Duration::from_millis(written))
    }

    /// No call was beyond what Telegram takes.
    pub fn assert_never_told_to_wait(&self) {
        let told = self.api.flooded();
        let (Some(first), mut told_of) = (told.first().map(|told| told.at), Vec::new()) else {
            return;
        };
        for flooded in &told {
            told_of.push(format!(
                "{:.1} s: {} in {:?}, {:?}, pause of {} s",
                (flooded.at - first).as_secs_f64(),
                flooded.asked.method,
                flooded.asked.chat,
                flooded.why,
                flooded.retry_after
            ));
        }
        told_of.truncate(20);
        panic!("{} times 429, the first ones: {told_of:#?}", told.len());
    }

    /// The live messages, here and elsewhere, that can be stopped.
    pub fn stoppable(&self) -> Vec<Posted> {
        let has_stop = |message: &Posted| message.buttons.iter().any(|(label, _)| label == "Stop");
        self.bot_messages().into_iter().filter(has_stop).collect()
    }
}

impl Said {
    /// How long the person waited for any sign of life: typing, a reaction, a message at that place.
    pub fn first_sign_after(&self, machine: &Machine) -> Option<Duration> {
        let calls = machine.taken();
        let sign = calls.iter().find(|call| self.is_shown_by(call))?;
        Some(sign.at - self.at)
    }

    /// How long until the live message with its button was there.
    pub fn stop_button_after(&self, machine: &Machine) -> Option<Duration> {
        let has_stop = |call: &&Call| {
            let label = &call.arguments["reply_markup"]["inline_keyboard"][0][0]["text"];
            self.is_shown_by(call) && call.method == "sendMessage" && label == "Stop"
        };
        let calls = machine.taken();
        Some(calls.iter().find(has_stop)?.at - self.at)
    }

    /// How long until the first reaction on it was there.
    pub fn reaction_after(&self, machine: &Machine) -> Option<Duration> {
        let reacts = |call: &&Call| self.is_shown_by(call) && call.method == "setMessageReaction";
        let calls = machine.taken();
        Some(calls.iter().find(reacts)?.at - self.at)
    }

    fn is_shown_by(&self, call: &Call) -> bool {
        let is_there = || call.arguments["message_thread_id"].as_i64() == self.thread;
        call.at >= self.at
            && call.arguments["chat_id"] == self.chat.0
            && match call.method.as_str() {
                "setMessageReaction" => call.arguments["message_id"] == self.message,
                "sendChatAction" | "sendMessage" | "sendDocument" | "sendPhoto" => is_there(),
                _ => false,
            }
    }
}

/// What a person who wrote this waits for.
pub fn slowest(waits: impl Iterator<Item = Option<Duration>>) -> Option<Duration> {
    waits.map(|wait| wait.unwrap_or(Duration::MAX)).max()
}
