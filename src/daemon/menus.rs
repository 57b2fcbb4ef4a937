//! The command menus at Telegram: each person sees the commands that work for them there.
//!
//! The private chats of those who may use the bot have menus of their own, and the groups have one; strangers see none.
//! Telegram is called only about what has changed since the last call, as the store remembers it. The bot has one
//! language, so no menu has a `language_code`: a client shows the one without it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::chat::menu;
use crate::domain::access::Access;
use crate::domain::id::UserId;
use crate::store::{Store, StoreError, menus, people};
use crate::telegram::api::{Api, ApiError};
use crate::telegram::error::About;

/// Between tries of a call that Telegram did not answer.
const PAUSE: Duration = Duration::from_secs(10);

pub(super) struct Menus {
    pub api: Api,
    pub store: Store,
    pub access: Access,
    pub bot: UserId,
    /// Somebody was let in, was removed, or has begun to write to the bot.
    pub changed: Arc<Notify>,
}

impl Menus {
    pub async fn keep(self, quit: CancellationToken) {
        let keep = async {
            loop {
                match self.bring_up_to_date().await {
                    Ok(true) => self.changed.notified().await,
                    Ok(false) => tokio::time::sleep(PAUSE).await,
                    Err(error) => {
                        warn!(%error, "the command menus are not set; the commands work all the same");
                        self.changed.notified().await;
                    }
                }
            }
        };
        tokio::select! {
            () = keep => {}
            () = quit.cancelled() => {}
        }
    }

    /// Returns whether Telegram has answered about all of them.
    async fn bring_up_to_date(&self) -> Result<bool, StoreError> {
        let bot = self.bot;
        let (has, invited) = self
            .store
            .transaction(move |db| Ok((menus::all(db, bot)?, people::all(db)?)))
            .await?;
        let invited = invited.into_iter().map(|person| person.user);
        let wanted = self.wanted(invited);
        for (scope, commands) in &wanted {
            if has.get(scope) != Some(commands) && !self.set(scope, commands).await? {
                return Ok(false);
            }
        }
        for scope in has.keys().filter(|scope| !wanted.contains_key(*scope)) {
            if !self.remove(scope).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Bot API: the list of `BotCommand` for each `BotCommandScope`.
    fn wanted(&self, invited: impl Iterator<Item = UserId>) -> BTreeMap<String, String> {
        let mut wanted = BTreeMap::from([
            // An earlier version, or another bot with this token, may have set it.
            (
                json!({"type": "default"}).to_string(),
                json!([]).to_string(),
            ),
            (
                json!({"type": "all_group_chats"}).to_string(),
                listed(false),
            ),
        ]);
        for user in self.access.users().chain(invited) {
            let scope = json!({"type": "chat", "chat_id": user.0});
            wanted.insert(scope.to_string(), listed(self.access.is_owner(user)));
        }
        wanted
    }

    async fn set(&self, scope: &str, commands: &str) -> Result<bool, StoreError> {
        let (of, list) = (read(scope), read(commands));
        let answer = match list.as_array().is_some_and(Vec::is_empty) {
            true => self.call("deleteMyCommands", &json!({"scope": of})).await,
            false => {
                let arguments = json!({"scope": of, "commands": list});
                self.call("setMyCommands", &arguments).await
            }
        };
        let (bot, scope, commands) = (self.bot, scope.to_owned(), commands.to_owned());
        match answer {
            Answer::Done => {
                let set = move |db: &rusqlite::Connection| menus::set(db, bot, &scope, &commands);
                self.store.transaction(set).await?;
                Ok(true)
            }
            answer => Ok(answer != Answer::Later),
        }
    }

    async fn remove(&self, scope: &str) -> Result<bool, StoreError> {
        let answer = self
            .call("deleteMyCommands", &json!({"scope": read(scope)}))
            .await;
        if answer == Answer::Later {
            return Ok(false);
        }
        let (bot, scope) = (self.bot, scope.to_owned());
        self.store
            .transaction(move |db| menus::remove(db, bot, &scope))
            .await?;
        Ok(true)
    }

    async fn call(&self, method: &'static str, arguments: &Value) -> Answer {
        match self.api.call::<bool>(method, arguments).await {
            Ok(_) => Answer::Done,
            Err(ApiError::Flood(_)) => Answer::Later,
            Err(error) if error.is_passing() => Answer::Later,
            Err(error) if error.is_about(About::Chat) => {
                info!(scope = %arguments["scope"], "this person gets a menu when they have started the bot");
                Answer::Refused
            }
            Err(error) => {
                warn!(%error, scope = %arguments["scope"], "a command menu could not be set; the commands work all the same");
                Answer::Refused
            }
        }
    }
}

#[derive(PartialEq)]
enum Answer {
    Done,
    /// Telegram did not answer.
    Later,
    Refused,
}

fn listed(is_owners: bool) -> String {
    let commands: Vec<Value> = menu::commands(is_owners)
        .map(|verb| json!({"command": verb.name(), "description": menu::meaning(verb)}))
        .collect();
    Value::Array(commands).to_string()
}

/// What this file has written.
fn read(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_default()
}
