//! Further questions to Telegram: whose token it is, where a bot's messages go, who somebody is, what waits.
//!
//! For commands that inspect or set up a bot, and for a group's line; they interpret the answers. Only [`waiting_from`]
//! confirms updates.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::api::{Api, ApiError};
use super::poll::ALLOWED_UPDATES;
use crate::domain::id::{ChatId, UserId};

/// Bot API: `User`, as `getMe` gives it.
#[derive(Clone, Debug, Deserialize)]
pub struct Me {
    pub id: i64,
    /// Without the @.
    #[serde(default)]
    pub username: String,
    #[serde(default)]
    pub can_read_all_group_messages: bool,
}

/// Bot API: `WebhookInfo`.
#[derive(Clone, Debug, Deserialize)]
pub struct Webhook {
    #[serde(default)]
    url: String,
    #[serde(default)]
    pub pending_update_count: u64,
}

/// Bot API: `ChatFullInfo`.
#[derive(Clone, Debug, Deserialize)]
pub struct Chat {
    first_name: Option<String>,
    username: Option<String>,
    title: Option<String>,
    /// In seconds, of a supergroup.
    #[serde(default)]
    slow_mode_delay: u32,
}

/// Somebody's `/start` with one word behind it, in a private chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    pub user: UserId,
    /// The person's name in Telegram; it may be anything.
    pub name: String,
    pub code: String,
}

impl Webhook {
    pub fn is_set(&self) -> bool {
        !self.url.is_empty()
    }

    /// The host alone: the rest of the address may contain a secret.
    pub fn host(&self) -> Option<String> {
        let url = reqwest::Url::parse(&self.url).ok()?;
        url.host_str().map(str::to_owned)
    }
}

/// What a webhook at this host does.
pub fn webhook_takes(host: Option<&str>) -> String {
    format!(
        "Telegram sends the messages to a webhook at {}, so telecoder gets none",
        host.unwrap_or("an unknown place")
    )
}

/// The command that removes it.
pub const END_WEBHOOK: &str = "telecoder init --delete-webhook";

impl Chat {
    /// What people call it.
    pub fn name(self) -> String {
        let username = self.username.map(|name| format!("@{name}"));
        self.title
            .or(self.first_name)
            .or(username)
            .unwrap_or_else(|| "without a name".to_owned())
    }
}

/// Bot API: `getMe`.
pub async fn me(api: &Api, limit: Duration) -> Result<Me, ApiError> {
    api.call_within(limit, "getMe", &json!({})).await
}

/// Bot API: `getWebhookInfo`. While a webhook is set, nobody who asks for updates gets any.
pub async fn webhook(api: &Api, limit: Duration) -> Result<Webhook, ApiError> {
    api.call_within(limit, "getWebhookInfo", &json!({})).await
}

/// Bot API: `deleteWebhook`. Pending updates are kept.
pub async fn delete_webhook(api: &Api, limit: Duration) -> Result<(), ApiError> {
    let arguments = json!({"drop_pending_updates": false});
    let _: Value = api.call_within(limit, "deleteWebhook", &arguments).await?;
    Ok(())
}

/// Bot API: `getChat`, for a group.
pub async fn group(api: &Api, group: ChatId, limit: Duration) -> Result<Chat, ApiError> {
    api.call_within(limit, "getChat", &json!({"chat_id": group.0}))
        .await
}

/// Bot API: `getChat`, for somebody who has written to the bot.
pub async fn person(api: &Api, user: UserId, limit: Duration) -> Result<Chat, ApiError> {
    api.call_within(limit, "getChat", &json!({"chat_id": user.0}))
        .await
}

/// Bot API: `getChatMember`: whether the bot is in a group.
pub async fn is_member(
    api: &Api,
    group: ChatId,
    me: &Me,
    limit: Duration,
) -> Result<bool, ApiError> {
    let member = member(api, group, me.id, limit).await?;
    Ok(!matches!(member.status.as_str(), "left" | "kicked"))
}

/// Bot API: `getChatMember`: whether a person writes in a group as the group. `is_anonymous`
pub async fn is_anonymous(
    api: &Api,
    group: ChatId,
    user: UserId,
    limit: Duration,
) -> Result<bool, ApiError> {
    Ok(member(api, group, user.0, limit).await?.is_anonymous)
}

/// Whether a group's slow mode lets the bot send only one message in some time. An administrator is not held back.
pub async fn is_held_back(api: &Api, chat: ChatId, limit: Duration) -> Result<bool, ApiError> {
    if group(api, chat, limit).await?.slow_mode_delay == 0 {
        return Ok(false);
    }
    let member = member(api, chat, api.bot_id(), limit).await?;
    Ok(!matches!(
        member.status.as_str(),
        "administrator" | "creator"
    ))
}

/// Bot API: `ChatMember`.
#[derive(Deserialize)]
struct Member {
    status: String,
    #[serde(default)]
    is_anonymous: bool,
}

async fn member(
    api: &Api,
    group: ChatId,
    user: impl Into<Value>,
    limit: Duration,
) -> Result<Member, ApiError> {
    let arguments = json!({"chat_id": group.0, "user_id": user.into()});
    api.call_within(limit, "getChatMember", &arguments).await
}

/// Bot API: `getUpdates`: at most `most` waiting updates, oldest first, or those that come within `wait`. Nothing is
/// confirmed.
pub async fn waiting(
    api: &Api,
    most: usize,
    wait: Duration,
    limit: Duration,
) -> Result<Vec<Value>, ApiError> {
    updates(api, None, most, wait, limit).await
}

/// As [`waiting`], from `offset` on; Telegram forgets earlier ones.
pub async fn waiting_from(
    api: &Api,
    offset: i64,
    most: usize,
    wait: Duration,
    limit: Duration,
) -> Result<Vec<Value>, ApiError> {
    updates(api, Some(offset), most, wait, limit).await
}

async fn updates(
    api: &Api,
    offset: Option<i64>,
    most: usize,
    wait: Duration,
    limit: Duration,
) -> Result<Vec<Value>, ApiError> {
    let mut arguments = json!({
        "timeout": wait.as_secs(),
        "limit": most,
        "allowed_updates": ALLOWED_UPDATES,
    });
    if let Some(offset) = offset {
        arguments["offset"] = json!(offset);
    }
    api.call_within(wait + limit, "getUpdates", &arguments)
        .await
}

/// Bot API: `sendMessage`, without a retry: for a text that may be lost.
pub async fn say(api: &Api, user: UserId, text: &str, limit: Duration) -> Result<(), ApiError> {
    let arguments = json!({"chat_id": user.0, "text": text});
    let _: Value = api.call_within(limit, "sendMessage", &arguments).await?;
    Ok(())
}

/// Bot API: `Update`, its number.
pub fn number_of(update: &Value) -> Option<i64> {
    update.get("update_id")?.as_i64()
}

/// Bot API: `Message`, if it is somebody's `/start`.
pub fn start_in(update: &Value) -> Option<Start> {
    #[derive(Deserialize)]
    struct Message {
        chat: Kind,
        from: Sender,
        text: String,
    }
    #[derive(Deserialize)]
    struct Kind {
        #[serde(rename = "type")]
        kind: String,
    }
    #[derive(Deserialize)]
    struct Sender {
        id: u64,
        is_bot: bool,
        #[serde(default)]
        first_name: String,
    }
    let message = Message::deserialize(update.get("message")?).ok()?;
    if message.chat.kind != "private" || message.from.is_bot {
        return None;
    }
    let mut words = message.text.split_whitespace();
    let (Some("/start"), Some(code), None) = (words.next(), words.next(), words.next()) else {
        return None;
    };
    Some(Start {
        user: UserId(message.from.id),
        name: message.from.first_name,
        code: code.to_owned(),
    })
}
