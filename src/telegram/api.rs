//! Calls to the Bot API, and what can be known when one fails.
//!
//! telecoder makes its own calls: it must know whether a message can have arrived, while teloxide sleeps ten seconds
//! inside any 5xx and has one timeout for all methods.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use jiff::Timestamp;
use reqwest::multipart::Part;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::watch;

use super::client::Way;
use super::error::About;
pub use super::error::ApiError;
use super::form::{form_of, name_in_form, time_for};
use super::largest_file::LargestFile;
use crate::domain::id::ChatId;
use crate::metrics::Metrics;
use crate::telegram::upload::Reading;

/// How long a call may take by default, long polls aside.
pub const TIMEOUT: Duration = Duration::from_secs(30);
/// How long a whole file may take; a reader gives up sooner if no data comes.
const DOWNLOAD_TIMEOUT: Duration = Duration::from_secs(2 * 60 * 60);
/// The server of Telegram itself.
const TELEGRAMS_OWN: &str = "api.telegram.org";

/// A bot at a Bot API server. Cheap to clone; the connections are shared.
#[derive(Clone)]
pub struct Api {
    client: reqwest::Client,
    server: reqwest::Url,
    way: Way,
    largest_file: LargestFile,
    token: SecretString,
    clock: ServerClock,
    metrics: Metrics,
    /// When Telegram last answered a call.
    heard: watch::Sender<Instant>,
}

/// Telegram's clock, as its answers tell it (HTTP: `Date`). This machine's own may be wrong, or jump.
#[derive(Clone, Debug, Default)]
pub struct ServerClock {
    /// What has to be added to this machine's time, in milliseconds.
    ahead: Arc<AtomicI64>,
}

impl ServerClock {
    /// Unix milliseconds, to a second or so; this machine's time until Telegram has answered once.
    pub fn now(&self) -> i64 {
        Timestamp::now().as_millisecond() + self.ahead.load(Ordering::Relaxed)
    }

    /// How far Telegram's clock is ahead of this machine's, in milliseconds, to a second or so.
    pub fn ahead(&self) -> i64 {
        self.ahead.load(Ordering::Relaxed)
    }

    fn hear(&self, response: &reqwest::Response) {
        let told = response
            .headers()
            .get(reqwest::header::DATE)
            .and_then(|date| date.to_str().ok())
            .and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
        if let Some(told) = told {
            let ahead = told.timestamp().as_millisecond() - Timestamp::now().as_millisecond();
            self.ahead.store(ahead, Ordering::Relaxed);
        }
    }
}

/// Bot API: every answer has this form.
#[derive(Deserialize)]
struct Answer<T> {
    ok: bool,
    result: Option<T>,
    error_code: Option<u16>,
    #[serde(default)]
    description: String,
    #[serde(default)]
    parameters: Parameters,
}

/// Bot API: `ResponseParameters`.
#[derive(Default, Deserialize)]
struct Parameters {
    retry_after: Option<u64>,
    migrate_to_chat_id: Option<i64>,
}

impl Api {
    /// The way leads to `https://api.telegram.org`, a gateway to it, or a local Bot API server.
    pub fn new(way: Way, token: SecretString, metrics: Metrics) -> reqwest::Result<Api> {
        Ok(Api {
            client: way.client()?,
            server: way.server.clone(),
            largest_file: LargestFile::of(way.host() == TELEGRAMS_OWN),
            way,
            token,
            clock: ServerClock::default(),
            metrics,
            heard: watch::Sender::new(Instant::now()),
        })
    }

    pub fn way(&self) -> &Way {
        &self.way
    }

    /// The largest file that the server takes, in bytes, as far as it is known.
    pub fn largest_file(&self) -> u64 {
        self.largest_file.bytes()
    }

    pub fn clock(&self) -> ServerClock {
        self.clock.clone()
    }

    /// The bot's own id: the part of its token before the colon, which is no secret. 0 for a token of another form.
    pub fn bot_id(&self) -> i64 {
        let token = self.token.expose_secret();
        let id = token.split_once(':').map_or("", |(id, _)| id);
        id.parse().unwrap_or(0)
    }

    /// When Telegram last answered any call, with yes or no; it changes with each answer.
    pub fn heard(&self) -> watch::Receiver<Instant> {
        self.heard.subscribe()
    }

    /// The same bot for teloxide's dispatcher, on the same connections.
    pub fn teloxide(&self) -> teloxide::Bot {
        teloxide::Bot::with_client(self.token.expose_secret(), self.client.clone())
            .set_api_url(self.server.clone())
    }

    /// Calls a method with its arguments as a JSON object.
    pub async fn call<T: DeserializeOwned>(
        &self,
        method: &'static str,
        arguments: &Value,
    ) -> Result<T, ApiError> {
        self.call_within(TIMEOUT, method, arguments).await
    }

    /// As [`Api::call`], given up after `limit`.
    pub async fn call_within<T: DeserializeOwned>(
        &self,
        limit: Duration,
        method: &'static str,
        arguments: &Value,
    ) -> Result<T, ApiError> {
        self.send(method, |post| post.timeout(limit).json(arguments))
            .await
    }

    /// As [`Api::call`], for a method that answers when something happens, within `wait`.
    pub async fn long_poll<T: DeserializeOwned>(
        &self,
        method: &'static str,
        arguments: &Value,
        wait: Duration,
    ) -> Result<T, ApiError> {
        self.call_within(wait + TIMEOUT, method, arguments).await
    }

    /// As [`Api::call`], with a file in the field `field`.
    pub async fn upload<T: DeserializeOwned>(
        &self,
        method: &'static str,
        arguments: &Value,
        field: &'static str,
        name: &str,
        content: Bytes,
    ) -> Result<T, ApiError> {
        let length = content.len() as u64;
        let file = Part::stream_with_length(content, length).file_name(name_in_form(name));
        let form = form_of(arguments).part(field, file);
        self.send(method, |post| {
            post.timeout(time_for(length)).multipart(form)
        })
        .await
    }

    /// As [`Api::upload`], with a file of this machine, which is not taken into memory. A link is not followed.
    pub async fn upload_from_disk<T: DeserializeOwned>(
        &self,
        method: &'static str,
        arguments: &Value,
        field: &'static str,
        name: &str,
        path: &Path,
    ) -> Result<T, ApiError> {
        let reading = Reading::open(path).await?;
        let (length, failure) = (reading.length, reading.failure.clone());
        self.largest_file.check(length)?;
        let body = reqwest::Body::wrap_stream(reading.stream());
        let file = Part::stream_with_length(body, length).file_name(name_in_form(name));
        let form = form_of(arguments).part(field, file);
        let answer = self
            .send(method, |post| {
                post.timeout(time_for(length)).multipart(form)
            })
            .await;
        self.largest_file.learn(length, &answer);
        match (answer, failure.get()) {
            // Only a part went out, which Telegram has discarded.
            (Err(_), Some(failure)) => Err(ApiError::Unreadable(failure.clone())),
            (answer, _) => answer,
        }
    }

    /// Whether the server is Telegram's own, on another machine and with its own limits.
    pub fn is_telegrams_own(&self) -> bool {
        self.way.host() == TELEGRAMS_OWN
    }

    /// Begins to get a file: `GET /file/bot<token>/<path>`, with a path of `getFile`.
    pub async fn download(&self, path: &str) -> Result<Download, ApiError> {
        let mut url = self.server.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments
                .pop_if_empty()
                .push("file")
                .push(&format!("bot{}", self.token.expose_secret()))
                .extend(path.split('/').filter(|part| !part.is_empty()));
        }
        let request = self.client.get(url).timeout(DOWNLOAD_TIMEOUT);
        let response = request.send().await.map_err(not_answered)?;
        match response.status().as_u16() {
            200 => Ok(Download(response)),
            429 => {
                let answer = response.json::<Answer<Value>>().await;
                let asked_for = answer.ok().and_then(|answer| answer.parameters.retry_after);
                Err(ApiError::Flood(pause_of(asked_for.unwrap_or(30))))
            }
            code @ 500.. => Err(ApiError::Server(code)),
            code => Err(ApiError::Refused {
                code,
                about: About::File,
                description: "there is no such file".to_owned(),
            }),
        }
    }

    fn post(&self, method: &str) -> reqwest::RequestBuilder {
        let base = self.server.as_str().trim_end_matches('/');
        self.client
            .post(format!("{base}/bot{}/{method}", self.token.expose_secret()))
    }

    async fn send<T: DeserializeOwned>(
        &self,
        method: &'static str,
        fill: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder,
    ) -> Result<T, ApiError> {
        let begun = Instant::now();
        let answer = self.answer(fill(self.post(method))).await;
        if !answer.as_ref().is_err_and(ApiError::is_passing) {
            self.heard.send_replace(Instant::now());
        }
        let result = answer.as_ref().map_or_else(ApiError::name, |_| "ok");
        self.metrics.called(method, result, begun.elapsed());
        if let Err(ApiError::Flood(pause)) = &answer {
            self.metrics.asked_to_pause(*pause);
        }
        answer
    }

    async fn answer<T: DeserializeOwned>(
        &self,
        request: reqwest::RequestBuilder,
    ) -> Result<T, ApiError> {
        let response = request.send().await.map_err(not_answered)?;
        let status = response.status().as_u16();
        if status < 500 {
            // A gateway's clock is not Telegram's.
            self.clock.hear(&response);
        }
        let body = response
            .bytes()
            .await
            .map_err(|error| ApiError::Unanswered(describe(&error.without_url())))?;
        let answer: Answer<T> = match serde_json::from_slice(&body) {
            Ok(answer) => answer,
            // A gateway's words: it may have handed the call on, and have given up waiting.
            Err(_) if status >= 500 => {
                return Err(ApiError::Unanswered(format!("a gateway says {status}")));
            }
            // A proxy on the way says this, in its own words.
            Err(_) if status == 413 => {
                return Err(ApiError::Refused {
                    code: status,
                    about: About::Size,
                    description: "the request is too large".to_owned(),
                });
            }
            Err(error) => return Err(ApiError::Unanswered(error.to_string())),
        };
        match answer {
            Answer {
                ok: true,
                result: Some(result),
                ..
            } => Ok(result),
            Answer { parameters, .. } if let Some(seconds) = parameters.retry_after => {
                Err(ApiError::Flood(pause_of(seconds)))
            }
            Answer { parameters, .. } if let Some(chat) = parameters.migrate_to_chat_id => {
                Err(ApiError::Migrated(ChatId(chat)))
            }
            Answer {
                error_code,
                description,
                ..
            } => match error_code.unwrap_or(status) {
                429 => Err(ApiError::Flood(pause_of(30))),
                code @ 500.. => Err(ApiError::Server(code)),
                code => Err(ApiError::refused(code, description)),
            },
        }
    }
}

/// A file on its way here.
pub struct Download(reqwest::Response);

impl Download {
    /// Its length, if the server says so.
    pub fn bytes(&self) -> Option<u64> {
        self.0.content_length()
    }

    /// The next piece of it; `None` at its end. A file that ends too early is an error.
    pub async fn next(&mut self) -> Result<Option<Bytes>, ApiError> {
        self.0
            .chunk()
            .await
            .map_err(|error| ApiError::Unanswered(describe(&error.without_url())))
    }
}

/// The URL has the token in it, so it never becomes part of an error's text.
fn not_answered(error: reqwest::Error) -> ApiError {
    let not_sent = error.is_connect() || error.is_builder();
    let text = describe(&error.without_url());
    if not_sent {
        ApiError::NotSent(text)
    } else {
        ApiError::Unanswered(text)
    }
}

/// The pause that Telegram asks for, between a second and a day.
fn pause_of(seconds: u64) -> Duration {
    Duration::from_secs(seconds.clamp(1, 24 * 60 * 60))
}

/// An error with its causes; reqwest's own text leaves them out.
fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
