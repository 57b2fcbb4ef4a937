//! The command menus: `setMyCommands`, `deleteMyCommands`, and what a person sees.

use std::collections::BTreeMap;

use serde_json::Value;

use super::checks::{Refusal, bad};
use crate::domain::id::{ChatId, UserId};

/// The commands of each scope, by the scope's JSON.
#[derive(Default)]
pub(super) struct Menus(BTreeMap<String, Vec<String>>);

impl Menus {
    pub(super) fn set(
        &mut self,
        arguments: &Value,
        is_known: impl Fn(ChatId) -> bool,
    ) -> Result<Value, Refusal> {
        let scope = checked_scope(&arguments["scope"], is_known)?;
        let commands = checked_commands(&arguments["commands"])?;
        self.0.insert(scope, commands);
        Ok(Value::Bool(true))
    }

    pub(super) fn delete(
        &mut self,
        arguments: &Value,
        is_known: impl Fn(ChatId) -> bool,
    ) -> Result<Value, Refusal> {
        self.0
            .remove(&checked_scope(&arguments["scope"], is_known)?);
        Ok(Value::Bool(true))
    }

    /// The narrowest list that is set.
    pub(super) fn of(&self, chat: ChatId, user: UserId) -> Vec<String> {
        let (chat_id, user) = (chat.0, user.0);
        let scopes = match chat.is_group() {
            true => vec![
                serde_json::json!({"type": "chat_member", "chat_id": chat_id, "user_id": user}),
                serde_json::json!({"type": "chat", "chat_id": chat_id}),
                serde_json::json!({"type": "all_group_chats"}),
                serde_json::json!({"type": "default"}),
            ],
            false => vec![
                serde_json::json!({"type": "chat", "chat_id": chat_id}),
                serde_json::json!({"type": "all_private_chats"}),
                serde_json::json!({"type": "default"}),
            ],
        };
        let lists = scopes.iter().map(|scope| self.0.get(&scope.to_string()));
        let mut set = lists.flatten().filter(|list| !list.is_empty());
        set.next().cloned().unwrap_or_default()
    }
}

fn checked_scope(scope: &Value, is_known: impl Fn(ChatId) -> bool) -> Result<String, Refusal> {
    let fields: &[&str] = match scope["type"].as_str() {
        _ if scope.is_null() => return Ok(serde_json::json!({"type": "default"}).to_string()),
        Some("default" | "all_private_chats" | "all_group_chats" | "all_chat_administrators") => {
            &[]
        }
        Some("chat" | "chat_administrators") => &["chat_id"],
        Some("chat_member") => &["chat_id", "user_id"],
        _ => {
            return Err(bad(
                "can't parse BotCommandScope: unsupported type specified",
            ));
        }
    };
    if fields.iter().any(|field| scope[*field].as_i64().is_none()) {
        return Err(bad("can't parse BotCommandScope: can't find field"));
    }
    match scope["chat_id"].as_i64().map(ChatId) {
        Some(chat) if !is_known(chat) => Err(bad("chat not found")),
        _ => Ok(scope.to_string()),
    }
}

fn checked_commands(commands: &Value) -> Result<Vec<String>, Refusal> {
    let is_letter =
        |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'_';
    let Some(commands) = commands.as_array().filter(|commands| commands.len() <= 100) else {
        return Err(bad("BOT_COMMANDS_TOO_MUCH"));
    };
    let name = |command: &Value| {
        let name = command["command"].as_str().unwrap_or_default();
        let description = command["description"].as_str().unwrap_or_default();
        if !(1..=32).contains(&name.len()) || !name.bytes().all(is_letter) {
            return Err(bad("BOT_COMMAND_INVALID"));
        }
        if !(1..=256).contains(&description.chars().count()) {
            return Err(bad("BOT_COMMAND_DESCRIPTION_INVALID"));
        }
        Ok(name.to_owned())
    };
    commands.iter().map(name).collect()
}
