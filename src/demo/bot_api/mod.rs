//! A stand-in for the Bot API on loopback: the methods that telecoder calls, with the server's own checks.
//!
//! It accepts what Telegram accepts and refuses what Telegram refuses, for the texts, entities, offsets and edits that
//! telecoder uses. It makes no faults; tests put those in front of it ([`BotApi::router`]).

mod checks;
mod files;
mod menus;
mod request;
mod seen;
mod server;

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;

use checks::Refusal;
use files::Place;
use server::{Server, chat_json};

pub use seen::{Call, Does, Key, Posted, Shown, Version};

use crate::domain::id::{ChatId, UserId};

/// The largest file a bot may send, in bytes. Bot API: 50 MB.
const LARGEST_FILE: usize = 50 * 1024 * 1024;
const FORM_AROUND_FILE: usize = 64 * 1024;

/// A server with one bot. Cheap to clone.
#[derive(Clone)]
pub struct BotApi {
    state: Arc<Mutex<Server>>,
    changed: watch::Sender<u64>,
    port: u16,
}

impl BotApi {
    /// Listens on a free port of loopback.
    pub async fn start(token: &str, username: &str) -> std::io::Result<BotApi> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let api = BotApi::detached(token, username, listener.local_addr()?.port());
        let router = api.router();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(api)
    }

    /// The state without a listener: the caller serves [`BotApi::router`] on this port.
    pub fn detached(token: &str, username: &str, port: u16) -> BotApi {
        BotApi {
            state: Arc::new(Mutex::new(Server {
                token: token.to_owned(),
                username: username.to_owned(),
                next_update: 1,
                ..Server::default()
            })),
            changed: watch::Sender::new(0),
            port,
        }
    }

    /// For `TELEGRAM_API_URL`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// `POST /bot<token>/<method>` and `GET /file/bot<token>/<path>`, as the Bot API has them.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/{bot}/{method}", axum::routing::post(answer).get(answer))
            .route("/file/{bot}/{*path}", axum::routing::get(files::download))
            .layer(DefaultBodyLimit::max(LARGEST_FILE + FORM_AROUND_FILE))
            .with_state(self.clone())
    }

    /// A person writes a text in a private chat; returns the message's id.
    pub fn say(&self, chat: ChatId, user: UserId, text: &str) -> i32 {
        let entities = command_entities(text);
        self.deliver_message(chat, user, json!({"text": text, "entities": entities}))
    }

    /// A person sends a message; `fields` of the Bot API's `Message` are added to id, date, chat and sender, and win
    /// over them. Returns the message's id.
    pub fn deliver_message(&self, chat: ChatId, user: UserId, fields: Value) -> i32 {
        let id = self.lock().next_message_id(chat.0);
        let mut message = json!({
            "message_id": id,
            "date": Timestamp::now().as_second(),
            "chat": chat_json(chat),
            "from": {"id": user.0, "is_bot": false, "first_name": "Person"},
        });
        merge(&mut message, fields);
        let posted = Posted {
            chat: chat.0,
            id,
            thread: message["message_thread_id"].as_i64(),
            by_bot: false,
            text: message["text"].as_str().unwrap_or_default().to_owned(),
            entities: Vec::new(),
            buttons: Vec::new(),
            keys: Vec::new(),
            silent: false,
            forces_reply: false,
            reply_to: None,
            file: None,
            reaction: None,
            edits: 0,
        };
        self.lock().messages.push(posted);
        self.deliver(json!({"message": message}));
        id
    }

    /// A person edits a message of theirs.
    pub fn edit(&self, chat: ChatId, user: UserId, message: i32, text: &str) {
        let now = Timestamp::now().as_second();
        self.deliver(json!({"edited_message": {
            "message_id": message,
            "date": now,
            "edit_date": now,
            "chat": chat_json(chat),
            "from": {"id": user.0, "is_bot": false, "first_name": "Person"},
            "text": text,
        }}));
    }

    /// Puts a file that somebody has sent on the server; returns its `file_id`. `path` is its path on the server, as in
    /// `photos/file_1.jpg`.
    pub fn put_file(&self, path: &str, content: impl Into<Bytes>) -> String {
        self.lock().files.put(Place::Remote {
            path: path.to_owned(),
            content: content.into(),
        })
    }

    /// As [`BotApi::put_file`], for a message that names the file by this `file_id`.
    pub fn put_file_as(&self, id: &str, path: &str, content: impl Into<Bytes>) {
        let place = Place::Remote {
            path: path.to_owned(),
            content: content.into(),
        };
        self.lock().files.put_as(id, place);
    }

    /// As [`BotApi::put_file`], on a local server (`--local`): the file is on this machine.
    pub fn put_local_file(&self, path: PathBuf) -> String {
        self.lock().files.put(Place::Local(path))
    }

    /// A person presses a button below a message, which comes along as it is now.
    pub fn press(&self, user: UserId, message: &Posted, data: &str) {
        let below = self.lock().message_of_press(message);
        self.deliver(json!({"callback_query": {
            "id": format!("query-{}", uuid::Uuid::new_v4()),
            "from": {"id": user.0, "is_bot": false, "first_name": "Person"},
            "chat_instance": "1",
            "data": data,
            "message": below,
        }}));
    }

    /// Queues an update of any kind; gives it an id if it has none. Returns the id.
    pub fn deliver(&self, mut update: Value) -> i64 {
        let id = {
            let mut server = self.lock();
            let id = update["update_id"].as_i64().unwrap_or(server.next_update);
            server.next_update = id + 1;
            update["update_id"] = json!(id);
            server.updates.insert(id, update);
            id
        };
        self.announce();
        id
    }

    /// Sets a webhook: from now on getUpdates is refused.
    pub fn set_webhook(&self, url: &str) {
        url.clone_into(&mut self.lock().webhook);
    }

    /// From now on the server is of this version.
    pub fn set_version(&self, version: Version) {
        self.lock().version = version;
    }

    /// Removes the bot from a group, without an update.
    pub fn leave(&self, group: ChatId) {
        self.lock().left.insert(group.0);
    }

    /// The admins of a group write as the group from now on. Bot API: `is_anonymous`
    pub fn hide_admins(&self, group: ChatId) {
        self.lock().anonymous.insert(group.0);
    }

    /// How many updates the bot has not confirmed.
    pub fn unconfirmed(&self) -> usize {
        self.lock().updates.len()
    }

    /// How often the bot has asked for updates.
    pub fn polls(&self) -> u64 {
        self.lock().polls
    }

    /// The commands in a person's menu.
    pub fn menu(&self, chat: ChatId, user: UserId) -> Vec<String> {
        self.lock().menus.of(chat, user)
    }

    /// All messages as they are now, in the order in which they were posted.
    pub fn messages(&self) -> Vec<Posted> {
        self.lock().messages.clone()
    }

    /// What a phone would have shown since `from`, an index.
    pub fn shown(&self, from: usize) -> Vec<Shown> {
        self.lock().shown[from..].to_vec()
    }

    /// All calls so far.
    pub fn calls(&self) -> Vec<Call> {
        self.lock().calls.clone()
    }

    /// Changes whenever something happens.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    fn announce(&self) {
        self.changed.send_modify(|count| *count += 1);
    }

    fn lock(&self) -> MutexGuard<'_, Server> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn call(
        &self,
        method: &str,
        arguments: &Value,
        file: Option<(String, Vec<u8>)>,
    ) -> Response {
        let outcome = match method {
            "getUpdates" => self.get_updates(arguments).await,
            _ => self.lock().call(method, arguments, file),
        };
        // Polls would drown everything else in the list.
        let is_empty_poll =
            method == "getUpdates" && matches!(&outcome, Ok(Value::Array(a)) if a.is_empty());
        if !is_empty_poll {
            self.lock().calls.push(Call {
                at: Instant::now(),
                method: method.to_owned(),
                arguments: arguments.clone(),
                accepted: outcome.is_ok(),
            });
            self.announce();
        }
        match outcome {
            Ok(result) => axum::Json(json!({"ok": true, "result": result})).into_response(),
            Err(refusal) => refused(&refusal),
        }
    }

    async fn get_updates(&self, arguments: &Value) -> Result<Value, Refusal> {
        let offset = arguments["offset"].as_i64().unwrap_or(0);
        let timeout = Duration::from_secs(arguments["timeout"].as_u64().unwrap_or(0).min(50));
        let deadline = tokio::time::Instant::now() + timeout;
        let mut changes = self.changes();
        let mine = {
            let mut server = self.lock();
            if !server.webhook.is_empty() {
                return Err(Refusal(
                    409,
                    "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete \
                     the webhook first"
                        .into(),
                ));
            }
            server.polls += 1;
            server.updates.retain(|id, _| *id >= offset);
            server.polls
        };
        self.announce();
        loop {
            changes.mark_unchanged();
            {
                let server = self.lock();
                if server.polls != mine {
                    return Err(Refusal(
                        409,
                        "Conflict: terminated by other getUpdates request; make sure that only one bot \
                         instance is running"
                            .into(),
                    ));
                }
                if !server.updates.is_empty() {
                    let batch: Vec<Value> = server.updates.values().take(100).cloned().collect();
                    return Ok(Value::Array(batch));
                }
            }
            tokio::select! {
                _ = changes.changed() => {}
                () = tokio::time::sleep_until(deadline) => return Ok(json!([])),
            }
        }
    }
}

async fn answer(
    State(api): State<BotApi>,
    Path((bot, method)): Path<(String, String)>,
    request: Request,
) -> Response {
    if bot != format!("bot{}", api.lock().token) {
        let body = json!({"ok": false, "error_code": 401, "description": "Unauthorized"});
        return (StatusCode::UNAUTHORIZED, axum::Json(body)).into_response();
    }
    let (arguments, file) = match request::arguments_of(request).await {
        Ok(read) => read,
        Err(refusal) => return refused(&refusal),
    };
    // Method names are not case-sensitive.
    let method = canonical(&method);
    api.call(method, &arguments, file).await
}

fn refused(Refusal(code, description): &Refusal) -> Response {
    let status = StatusCode::from_u16(*code).unwrap_or(StatusCode::BAD_REQUEST);
    let body = json!({"ok": false, "error_code": code, "description": description});
    (status, axum::Json(body)).into_response()
}

fn canonical(method: &str) -> &str {
    const METHODS: [&str; 18] = [
        "getMe",
        "getWebhookInfo",
        "getChat",
        "getChatMember",
        "getUpdates",
        "getFile",
        "deleteWebhook",
        "sendMessage",
        "editMessageText",
        "editMessageReplyMarkup",
        "sendDocument",
        "sendPhoto",
        "sendChatAction",
        "answerCallbackQuery",
        "setMyCommands",
        "deleteMyCommands",
        "setMessageReaction",
        "deleteMessage",
    ];
    METHODS
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(method))
        .unwrap_or(method)
}

fn command_entities(text: &str) -> Value {
    let Some(rest) = text.strip_prefix('/') else {
        return json!([]);
    };
    let length = rest
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '@'))
        .unwrap_or(rest.len());
    if length == 0 {
        return json!([]);
    }
    json!([{"type": "bot_command", "offset": 0, "length": length + 1}])
}

fn merge(into: &mut Value, fields: Value) {
    if let (Value::Object(into), Value::Object(fields)) = (into, fields) {
        into.extend(fields);
    }
}
