//! The state of the server, and all methods but getUpdates.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::checks::{
    Refusal, bad, checked_entities, checked_file, checked_force_reply, checked_keys, checked_photo,
    checked_text,
};
use super::files::Files;
use super::menus::Menus;
use super::{Call, Does, Key, Posted, Shown, Version};
use crate::domain::id::ChatId;

/// The state of one bot. Made by `Default`; the caller sets the token and the name.
#[derive(Default)]
pub(super) struct Server {
    pub(super) token: String,
    pub(super) username: String,
    pub(super) version: Version,
    pub(super) next_update: i64,
    pub(super) updates: BTreeMap<i64, Value>,
    /// Groups that the bot was taken out of.
    pub(super) left: BTreeSet<i64>,
    /// Groups whose admins write as the group.
    pub(super) anonymous: BTreeSet<i64>,
    /// Ends a long poll when another one begins, as Telegram does.
    pub(super) polls: u64,
    /// The webhook's address; empty: none.
    pub(super) webhook: String,
    pub(super) next_message: BTreeMap<i64, i32>,
    pub(super) messages: Vec<Posted>,
    pub(super) shown: Vec<Shown>,
    pub(super) calls: Vec<Call>,
    pub(super) files: Files,
    pub(super) menus: Menus,
}

impl Server {
    pub(super) fn call(
        &mut self,
        method: &str,
        arguments: &Value,
        file: Option<(String, Vec<u8>)>,
    ) -> Result<Value, Refusal> {
        match method {
            "getMe" => Ok(json!({
                "id": 1, "is_bot": true, "first_name": "telecoder", "username": self.username,
                "can_join_groups": true, "can_read_all_group_messages": false,
                "supports_inline_queries": false, "can_connect_to_business": false,
                "has_main_web_app": false,
            })),
            "getWebhookInfo" => Ok(json!({
                "url": self.webhook,
                "has_custom_certificate": false,
                "pending_update_count": self.updates.len(),
            })),
            "deleteWebhook" => {
                self.webhook.clear();
                if arguments["drop_pending_updates"] == json!(true) {
                    self.updates.clear();
                }
                Ok(json!(true))
            }
            "getFile" => self.files.get_file(arguments),
            "getChat" => self.chat(arguments),
            "getChatMember" => self.chat_member(arguments),
            "sendMessage" => {
                let text = checked_text(arguments, "text", 4096)?;
                self.post(arguments, text, "entities", None)
            }
            "sendDocument" | "sendPhoto" => {
                let text = match arguments.get("caption") {
                    Some(_) => checked_text(arguments, "caption", 1024)?,
                    None => String::new(),
                };
                let file = match method {
                    "sendPhoto" => checked_photo(checked_file(file, "photo")?)?,
                    _ => checked_file(file, "document")?,
                };
                self.post(arguments, text, "caption_entities", Some(file))
            }
            "editMessageText" => self.edit(arguments),
            "editMessageReplyMarkup" => self.edit_buttons(arguments),
            "deleteMessage" => self.delete(arguments),
            "answerCallbackQuery" => {
                let text = arguments["text"].as_str().unwrap_or_default();
                if !text.is_empty() {
                    self.shown.push(Shown::Toast(text.to_owned()));
                }
                Ok(json!(true))
            }
            "sendChatAction" => Ok(json!(true)),
            "setMyCommands" | "deleteMyCommands" => {
                let Server {
                    menus, messages, ..
                } = self;
                let is_known = |chat: ChatId| is_known(messages, chat);
                match method {
                    "setMyCommands" => menus.set(arguments, is_known),
                    _ => menus.delete(arguments, is_known),
                }
            }
            "setMessageReaction" => self.react(arguments),
            _ => Err(Refusal(404, "Not Found: method not found".into())),
        }
    }

    /// A person is known after writing to the bot.
    fn chat(&self, arguments: &Value) -> Result<Value, Refusal> {
        let chat = arguments["chat_id"].as_i64().map(ChatId);
        match chat.filter(|chat| is_known(&self.messages, *chat)) {
            Some(chat) => Ok(chat_json(chat)),
            None => Err(bad("chat not found")),
        }
    }

    /// Only the bot itself is asked about.
    fn chat_member(&self, arguments: &Value) -> Result<Value, Refusal> {
        self.chat(arguments)?;
        let chat = arguments["chat_id"].as_i64().unwrap_or_default();
        if self.anonymous.contains(&chat) {
            let user = json!({"id": arguments["user_id"], "is_bot": false, "first_name": "Person"});
            return Ok(json!({"status": "administrator", "user": user, "is_anonymous": true}));
        }
        let status = match self.left.contains(&chat) {
            true => "left",
            false => "member",
        };
        Ok(json!({"status": status, "user": {"id": 1, "is_bot": true, "first_name": "telecoder"}}))
    }

    fn post(
        &mut self,
        arguments: &Value,
        text: String,
        entities: &str,
        file: Option<(String, Vec<u8>)>,
    ) -> Result<Value, Refusal> {
        let chat = arguments["chat_id"]
            .as_i64()
            .ok_or_else(|| bad("chat_id is empty"))?;
        if arguments["message_thread_id"] == json!(1) {
            return Err(bad("message thread not found"));
        }
        let entities = checked_entities(&arguments[entities], &text, self.version)?;
        let keys = checked_keys(&arguments["reply_markup"], self.version)?;
        let posted = Posted {
            chat,
            id: self.next_message_id(chat),
            thread: arguments["message_thread_id"].as_i64(),
            by_bot: true,
            text,
            entities,
            buttons: buttons_of(&keys),
            keys,
            forces_reply: checked_force_reply(&arguments["reply_markup"], self.version)?,
            silent: arguments["disable_notification"] == json!(true),
            reply_to: arguments["reply_parameters"]["message_id"].as_i64(),
            file,
            reaction: None,
            edits: 0,
        };
        self.messages.push(posted.clone());
        self.shown.push(Shown::New(posted.clone()));
        Ok(message_json(&posted))
    }

    fn delete(&mut self, arguments: &Value) -> Result<Value, Refusal> {
        let place = self.messages.iter().position(|message| {
            arguments["chat_id"] == message.chat && arguments["message_id"] == message.id
        });
        let place = place.ok_or_else(|| bad("message to delete not found"))?;
        // In a private chat, a person's message can be deleted too.
        let message = &self.messages[place];
        if !message.by_bot && ChatId(message.chat).is_group() {
            return Err(bad("message can't be deleted"));
        }
        let removed = self.messages.remove(place);
        self.shown.push(Shown::Removed(removed));
        Ok(json!(true))
    }

    fn edit(&mut self, arguments: &Value) -> Result<Value, Refusal> {
        let text = checked_text(arguments, "text", 4096)?;
        let entities = checked_entities(&arguments["entities"], &text, self.version)?;
        let keys = checked_keys(&arguments["reply_markup"], self.version)?;
        let message = self.message_to_edit(arguments)?;
        if message.text == text && message.entities == entities && message.keys == keys {
            return Err(not_modified());
        }
        message.text = text;
        message.entities = entities;
        message.buttons = buttons_of(&keys);
        message.keys = keys;
        message.edits += 1;
        let edited = message.clone();
        self.shown.push(Shown::Edited(edited.clone()));
        Ok(message_json(&edited))
    }

    /// Accepts only the reactions that telecoder uses.
    fn react(&mut self, arguments: &Value) -> Result<Value, Refusal> {
        let emoji = arguments["reaction"][0]["emoji"]
            .as_str()
            .unwrap_or_default();
        if !["👀", "✍", "⚡", "👍", "👎"].contains(&emoji) {
            return Err(bad("REACTION_INVALID"));
        }
        let (chat, id) = (&arguments["chat_id"], &arguments["message_id"]);
        let message = self
            .messages
            .iter_mut()
            .find(|message| json!(message.chat) == *chat && json!(message.id) == *id)
            .ok_or_else(|| bad("message to react not found"))?;
        message.reaction = Some(emoji.to_owned());
        Ok(json!(true))
    }

    fn edit_buttons(&mut self, arguments: &Value) -> Result<Value, Refusal> {
        let keys = checked_keys(&arguments["reply_markup"], self.version)?;
        let message = self.message_to_edit(arguments)?;
        if message.keys == keys {
            return Err(not_modified());
        }
        message.buttons = buttons_of(&keys);
        message.keys = keys;
        let edited = message.clone();
        self.shown.push(Shown::Edited(edited.clone()));
        Ok(message_json(&edited))
    }

    fn message_to_edit(&mut self, arguments: &Value) -> Result<&mut Posted, Refusal> {
        let (chat, id) = (&arguments["chat_id"], &arguments["message_id"]);
        let forces_reply = checked_force_reply(&arguments["reply_markup"], self.version)?;
        let found = self
            .messages
            .iter_mut()
            .find(|message| {
                message.by_bot && json!(message.chat) == *chat && json!(message.id) == *id
            })
            .ok_or_else(|| bad("message to edit not found"))?;
        // A reply field beside buttons stays what it is.
        if found.forces_reply && (found.keys.is_empty() || !forces_reply) {
            return Err(bad("message can't be edited"));
        }
        Ok(found)
    }

    /// A message as it comes with a press, and the message that it answers.
    pub(super) fn message_of_press(&self, message: &Posted) -> Value {
        let is_it = |other: &&Posted| other.chat == message.chat && other.id == message.id;
        let mut json = whole_json(self.messages.iter().find(is_it).unwrap_or(message));
        let answered = self.messages.iter().find(|other| {
            other.chat == message.chat && Some(i64::from(other.id)) == message.reply_to
        });
        if let Some(answered) = answered {
            json["reply_to_message"] = whole_json(answered);
        }
        json
    }

    pub(super) fn next_message_id(&mut self, chat: i64) -> i32 {
        let next = self.next_message.entry(chat).or_insert(1);
        let id = *next;
        *next += 1;
        id
    }
}

fn is_known(messages: &[Posted], chat: ChatId) -> bool {
    chat.is_group() || messages.iter().any(|message| message.chat == chat.0)
}

fn buttons_of(keys: &[Key]) -> Vec<(String, String)> {
    keys.iter()
        .filter_map(|key| match &key.does {
            Does::Calls(data) | Does::Copies(data) | Does::Opens(data) => {
                Some((key.text.clone(), data.clone()))
            }
            Does::Nothing => None,
        })
        .collect()
}

fn not_modified() -> Refusal {
    bad(
        "message is not modified: specified new message content and reply markup are exactly the same as a \
         current content and reply markup of the message",
    )
}

pub(super) fn chat_json(chat: ChatId) -> Value {
    if chat.is_group() {
        json!({"id": chat.0, "type": "supergroup", "title": "Team"})
    } else {
        json!({"id": chat.0, "type": "private", "first_name": "Person"})
    }
}

fn whole_json(message: &Posted) -> Value {
    let mut json = message_json(message);
    json["entities"] = json!(message.entities);
    if let Some(thread) = message.thread {
        json["message_thread_id"] = json!(thread);
        json["is_topic_message"] = json!(true);
    }
    let keys = message.keys.iter().map(key_json).map(|key| json!([key]));
    if !message.keys.is_empty() {
        json["reply_markup"] = json!({
            "inline_keyboard": keys.collect::<Vec<Value>>(),
            "force_reply": message.forces_reply,
        });
    }
    json
}

fn key_json(key: &Key) -> Value {
    let mut json = match &key.does {
        Does::Calls(data) => json!({"callback_data": data}),
        Does::Copies(text) => json!({"copy_text": {"text": text}}),
        Does::Opens(url) => json!({"url": url}),
        Does::Nothing => json!({"disabled": {}}),
    };
    json["text"] = json!(key.text);
    if let Some(style) = &key.style {
        json["style"] = json!(style);
    }
    json
}

fn message_json(message: &Posted) -> Value {
    json!({
        "message_id": message.id,
        "date": jiff::Timestamp::now().as_second(),
        "chat": chat_json(ChatId(message.chat)),
        "text": message.text,
    })
}
