//! Who may use the bot, by name where Telegram tells it, and whether the bot is in its groups.

use futures::future::join_all;
use serde::Deserialize;
use serde_json::json;

use super::Ground;
use super::report::{Check, Finding, counted};
use super::telegram::{CALL, Me};
use crate::id::ChatId;
use crate::telegram::api::{Api, ApiError};

/// So many are asked for by name; the others are shown by their ids.
const ASKED_FOR: usize = 20;

/// Bot API: `ChatFullInfo`.
#[derive(Deserialize)]
struct Chat {
    first_name: Option<String>,
    username: Option<String>,
    title: Option<String>,
}

/// Bot API: `ChatMember`.
#[derive(Deserialize)]
struct Membership {
    status: String,
}

/// `me` is none where the token is not taken.
pub(super) async fn look(api: &Api, ground: &Ground, me: Option<&Me>) -> Vec<Finding> {
    let Some(me) = me else {
        return without_telegram(ground);
    };
    let known = &ground.known;
    let names = known.users.iter().enumerate().map(async |(place, user)| {
        let id = user.0;
        match place < ASKED_FOR {
            true => match chat(api, json!(id)).await {
                Ok(chat) => format!("{} ({id})", name_of(chat)),
                Err(error) if error.says("chat not found") => {
                    format!("{id} (has not written to the bot yet)")
                }
                Err(_) => id.to_string(),
            },
            false => id.to_string(),
        }
    });
    let groups = known.chats.iter().map(|group| membership(api, *group, me));
    let (names, groups) = tokio::join!(join_all(names), join_all(groups));
    let mut findings = vec![allowed(&names)];
    findings.extend(groups);
    if !known.chats.is_empty() {
        findings.push(privacy(me));
    }
    findings
}

/// What can be said without Telegram.
pub(super) fn without_telegram(ground: &Ground) -> Vec<Finding> {
    let users = ground.known.users.iter();
    let names: Vec<String> = users.map(|user| user.0.to_string()).collect();
    vec![allowed(&names)]
}

fn allowed(names: &[String]) -> Finding {
    if names.is_empty() {
        return Check::People.broken(
            "nobody may use the bot: TELECODER_TG_ALLOWED_USERS is empty",
            "telecoder init makes you the owner; /invite in the chat lets others in",
        );
    }
    let count = counted(names.len(), "person", "people");
    Check::People.good(format!("{count} may use the bot: {}", names.join(", ")))
}

async fn chat(api: &Api, id: serde_json::Value) -> Result<Chat, ApiError> {
    api.call_within(CALL, "getChat", &json!({"chat_id": id}))
        .await
}

fn name_of(chat: Chat) -> String {
    let username = chat.username.map(|name| format!("@{name}"));
    chat.title
        .or(chat.first_name)
        .or(username)
        .unwrap_or_else(|| "without a name".to_owned())
}

async fn membership(api: &Api, group: ChatId, me: &Me) -> Finding {
    let arguments = json!({"chat_id": group.0, "user_id": me.id});
    let membership = api.call_within::<Membership>(CALL, "getChatMember", &arguments);
    let (chat, membership) = tokio::join!(chat(api, json!(group.0)), membership);
    let name = match chat {
        Ok(chat) => format!("{} ({})", name_of(chat), group.0),
        Err(_) => group.0.to_string(),
    };
    const REMEDY: &str =
        "Add the bot to the group, or take the group out of TELECODER_TG_ALLOWED_CHATS";
    match membership {
        Ok(Membership { status }) if matches!(status.as_str(), "left" | "kicked") => {
            Check::Groups.warning(format!("{name}: the bot is not in it any more"), REMEDY)
        }
        Ok(_) => Check::Groups.good(format!("{name}: the bot is in it")),
        Err(ApiError::Migrated(new)) => Check::Groups.warning(
            format!("{name}: it has become a supergroup with another id"),
            format!("Put {} into TELECODER_TG_ALLOWED_CHATS instead", new.0),
        ),
        Err(ApiError::Refused { description, .. }) => Check::Groups.warning(
            format!("{name}: the bot is not in it ({description})"),
            REMEDY,
        ),
        Err(error) => Check::Groups.remark(format!("{name}: not known ({error})")),
    }
}

/// Bot API: `can_read_all_group_messages`.
fn privacy(me: &Me) -> Finding {
    Check::Groups.remark(match me.can_read_all_group_messages {
        true => {
            "privacy mode is off: the bot sees every message in its groups (@BotFather: /setprivacy)"
        }
        false => {
            "privacy mode is on: in groups the bot sees commands, messages that mention it and replies to it \
             (@BotFather: /setprivacy)"
        }
    })
}
