//! The demo's stand-in for the Bot API, with faults in front of it.

use std::net::Ipv4Addr;
use std::ops::Deref;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use futures::stream;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use telecoder::demo::bot_api::BotApi;
use tokio::net::TcpListener;

/// A fake Bot API that can misbehave.
pub struct FakeApi {
    api: BotApi,
    faults: Arc<Mutex<Faults>>,
}

#[derive(Default)]
struct Faults {
    planned: Vec<Planned>,
    requests: Vec<Requested>,
    /// How far Telegram's clock is ahead of this machine's.
    clock_ahead: SignedDuration,
}

struct Planned {
    method: String,
    chat: Option<i64>,
    after: u32,
    times: u32,
    fault: Fault,
}

/// A request that came in, whatever became of it.
#[derive(Clone, Debug)]
pub struct Requested {
    pub at: Instant,
    pub method: String,
    pub chat: Option<i64>,
}

/// What goes wrong.
#[derive(Clone, Debug)]
pub enum Fault {
    /// 429 with this many seconds.
    Flood(u64),
    /// An answer of the Bot API's own form.
    Refuse(u16, &'static str),
    /// 400: the group has become this one.
    Migrated(i64),
    /// A proxy's or server's error page.
    Status(u16),
    /// No answer for this long, and no effect.
    Hang(Duration),
    /// The connection is closed before the call has its effect.
    CloseBefore,
    /// The call has its effect, and the connection is closed before the answer.
    CloseAfter,
    /// The call has its effect, and its answer comes this much later.
    Late(Duration),
    /// The call has its effect, and half of the answer arrives.
    Truncated,
    /// Half of the answer arrives, and the connection is closed in the middle of the rest.
    CutShort,
}

impl FakeApi {
    pub async fn start(token: &str, username: &str) -> FakeApi {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("a free port");
        let port = listener.local_addr().expect("its number").port();
        let api = BotApi::detached(token, username, port);
        let faults = Arc::new(Mutex::new(Faults::default()));
        let router = api.router().layer(middleware::from_fn_with_state(
            Arc::clone(&faults),
            misbehave,
        ));
        tokio::spawn(async move { axum::serve(listener, router).await });
        FakeApi { api, faults }
    }

    /// The next `times` calls of this method (in this chat, if one is given) go wrong.
    pub fn plan(&self, method: &str, chat: Option<i64>, times: u32, fault: Fault) {
        self.plan_after(method, chat, 0, times, fault);
    }

    /// As [`FakeApi::plan`], after so many of them have gone well.
    pub fn plan_after(
        &self,
        method: &str,
        chat: Option<i64>,
        after: u32,
        times: u32,
        fault: Fault,
    ) {
        self.faults.lock().expect("whole").planned.push(Planned {
            method: method.to_owned(),
            chat,
            after,
            times,
            fault,
        });
    }

    /// Sets how far Telegram's clock is ahead of this machine's.
    pub fn set_clock_ahead(&self, ahead: SignedDuration) {
        self.faults.lock().expect("whole").clock_ahead = ahead;
    }

    /// How many planned faults have not come.
    pub fn still_planned(&self) -> u32 {
        let faults = self.faults.lock().expect("whole");
        faults.planned.iter().map(|planned| planned.times).sum()
    }

    /// Forgets all planned faults.
    pub fn heal(&self) {
        self.faults.lock().expect("whole").planned.clear();
    }

    pub fn requests(&self, method: &str) -> Vec<Requested> {
        self.faults
            .lock()
            .expect("whole")
            .requests
            .iter()
            .filter(|request| request.method == method)
            .cloned()
            .collect()
    }
}

impl Deref for FakeApi {
    type Target = BotApi;

    fn deref(&self) -> &BotApi {
        &self.api
    }
}

async fn misbehave(
    State(faults): State<Arc<Mutex<Faults>>>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path();
    let method = match path.starts_with("/file/") {
        // Files whose path `getFile` has given.
        true => "file",
        false => path.rsplit('/').next().unwrap_or_default(),
    };
    let method = method.to_owned();
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let chat = chat_of(&parts.headers, &body);
    let fault = {
        let mut faults = faults.lock().expect("whole");
        // teloxide spells method names with a capital.
        let method = method[..1].to_lowercase() + &method[1..];
        faults.requests.push(Requested {
            at: Instant::now(),
            method: method.clone(),
            chat,
        });
        faults
            .planned
            .iter_mut()
            .find(|planned| {
                planned.method == method
                    && planned.times > 0
                    && (planned.chat.is_none() || planned.chat == chat)
            })
            .and_then(|planned| {
                if planned.after > 0 {
                    planned.after -= 1;
                    return None;
                }
                planned.times -= 1;
                Some(planned.fault.clone())
            })
    };
    let request = Request::from_parts(parts, Body::from(body));
    match fault {
        None => {
            let mut response = next.run(request).await;
            let ahead = faults.lock().expect("whole").clock_ahead;
            let date = (Timestamp::now() + ahead).strftime("%a, %d %b %Y %H:%M:%S GMT");
            let date = date.to_string().parse().expect("a header");
            response.headers_mut().insert(header::DATE, date);
            response
        }
        Some(Fault::Flood(seconds)) => {
            let body = json!({"ok": false, "error_code": 429,
                "description": format!("Too Many Requests: retry after {seconds}"),
                "parameters": {"retry_after": seconds}});
            (StatusCode::TOO_MANY_REQUESTS, axum::Json(body)).into_response()
        }
        Some(Fault::Migrated(chat)) => {
            let body = json!({"ok": false, "error_code": 400,
                "description": "Bad Request: group chat was upgraded to a supergroup chat",
                "parameters": {"migrate_to_chat_id": chat}});
            (StatusCode::BAD_REQUEST, axum::Json(body)).into_response()
        }
        Some(Fault::Refuse(code, description)) => {
            let body = json!({"ok": false, "error_code": code, "description": description});
            (
                StatusCode::from_u16(code).expect("a status"),
                axum::Json(body),
            )
                .into_response()
        }
        Some(Fault::Status(code)) => (
            StatusCode::from_u16(code).expect("a status"),
            "<html>Bad Gateway</html>",
        )
            .into_response(),
        Some(Fault::Hang(length)) => {
            tokio::time::sleep(length).await;
            close()
        }
        Some(Fault::CloseBefore) => close(),
        Some(Fault::CloseAfter) => {
            next.run(request).await;
            close()
        }
        Some(Fault::Late(length)) => {
            let response = next.run(request).await;
            tokio::time::sleep(length).await;
            response
        }
        Some(Fault::CutShort) => {
            let response = next.run(request).await;
            let length = response.headers().get(header::CONTENT_LENGTH).cloned();
            let bytes = to_bytes(response.into_body(), usize::MAX)
                .await
                .unwrap_or_default();
            let half = bytes.slice(..bytes.len() / 2);
            let cut = stream::iter([Ok(half), Err(std::io::Error::other("it is cut"))]);
            let mut response = Body::from_stream(cut).into_response();
            let length = length.unwrap_or_else(|| bytes.len().into());
            response
                .headers_mut()
                .insert(header::CONTENT_LENGTH, length);
            response
        }
        Some(Fault::Truncated) => {
            let response = next.run(request).await;
            let bytes = to_bytes(response.into_body(), usize::MAX)
                .await
                .unwrap_or_default();
            let half = bytes.slice(..bytes.len() / 2);
            ([(header::CONTENT_TYPE, "application/json")], half).into_response()
        }
    }
}

/// Ends the connection's task, and with it the connection, without an answer.
fn close() -> Response {
    std::panic::resume_unwind(Box::new("the connection is closed"))
}

fn chat_of(headers: &axum::http::HeaderMap, body: &[u8]) -> Option<i64> {
    let kind = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    if kind.starts_with("application/json") {
        return serde_json::from_slice::<Value>(body).ok()?["chat_id"].as_i64();
    }
    let text = String::from_utf8_lossy(body);
    let after = text.split("name=\"chat_id\"").nth(1)?;
    after.trim_start().lines().next()?.trim().parse().ok()
}
