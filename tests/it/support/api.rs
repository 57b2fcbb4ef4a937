//! The demo's stand-in for the Bot API, with faults in front of it.

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use telecoder::demo::bot_api::BotApi;
use telecoder::domain::id::ChatId;
use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::limits::{Asked, Flooded, Gate, Limits, Verdict, is_new_message};

/// A fake Bot API that can misbehave.
pub struct FakeApi {
    api: BotApi,
    faults: Shared,
    router: Router,
    address: SocketAddr,
    runtime: Handle,
    /// Serves while the server is up.
    line: Mutex<Option<JoinHandle<()>>>,
    /// Keeps the port while nobody listens.
    _kept: TcpSocket,
}

#[derive(Clone)]
struct Shared {
    api: BotApi,
    faults: Arc<Mutex<Faults>>,
    is_down: watch::Sender<bool>,
}

#[derive(Default)]
struct Faults {
    planned: Vec<Planned>,
    requests: Vec<Requested>,
    gate: Gate,
    /// How far Telegram's clock is ahead of this machine's.
    clock_ahead: SignedDuration,
}

struct Planned {
    method: String,
    /// None: any.
    chats: Vec<i64>,
    /// Words that the call has in it.
    words: &'static str,
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
    /// The call has its effect this much later, and is answered then.
    Slow(Duration),
    /// The call has its effect, and a proxy answers with its error page.
    StatusAfter(u16),
    /// From now on the group takes one new message in so many seconds; it has just had one.
    SlowMode(u64),
    /// From now on the group is this one, and both say so.
    MovesTo(i64),
    /// The call has its effect, and half of the answer arrives.
    Truncated,
    /// Half of the answer arrives, and the connection is closed in the middle of the rest.
    CutShort,
}

impl FakeApi {
    pub async fn start(token: &str, username: &str) -> FakeApi {
        let kept = bound((Ipv4Addr::LOCALHOST, 0).into());
        let address = kept.local_addr().expect("its number");
        let listener = bound(address).listen(1024).expect("its own port");
        let api = BotApi::detached(token, username, address.port());
        let faults = Shared {
            api: api.clone(),
            faults: Arc::default(),
            is_down: watch::Sender::new(false),
        };
        let in_front = middleware::from_fn_with_state(faults.clone(), misbehave);
        let router = api.router().layer(in_front);
        let line = Mutex::new(Some(serve(listener, router.clone())));
        FakeApi {
            api,
            faults,
            router,
            address,
            runtime: Handle::current(),
            line,
            _kept: kept,
        }
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
        self.faults.lock().planned.push(Planned {
            method: method.to_owned(),
            chats: chat.into_iter().collect(),
            words: "",
            after,
            times,
            fault,
        });
    }

    /// The next `times` calls of this method that have these words in them go wrong.
    pub fn plan_for_words(
        &self,
        method: &str,
        chat: Option<i64>,
        words: &'static str,
        times: u32,
        fault: Fault,
    ) {
        self.faults.lock().planned.push(Planned {
            method: method.to_owned(),
            chats: chat.into_iter().collect(),
            words,
            after: 0,
            times,
            fault,
        });
    }

    /// The call with these words goes wrong once, after so many with them have gone well.
    pub fn plan_once_for_words(
        &self,
        method: &str,
        chat: i64,
        words: &'static str,
        after: u32,
        fault: Fault,
    ) {
        self.faults.lock().planned.push(Planned {
            method: method.to_owned(),
            chats: vec![chat],
            words,
            after,
            times: 1,
            fault,
        });
    }

    /// After so many calls of this method in one of these chats, the next ones go wrong in this order.
    pub fn plan_in_turn(&self, method: &str, chats: &[i64], after: u32, faults: &[Fault]) {
        let after = std::iter::once(after).chain(std::iter::repeat(0));
        for (after, fault) in after.zip(faults) {
            self.faults.lock().planned.push(Planned {
                method: method.to_owned(),
                chats: chats.to_vec(),
                words: "",
                after,
                times: 1,
                fault: fault.clone(),
            });
        }
    }

    /// Sets how far Telegram's clock is ahead of this machine's.
    pub fn set_clock_ahead(&self, ahead: SignedDuration) {
        self.faults.lock().clock_ahead = ahead;
    }

    /// How many planned faults have not come.
    pub fn still_planned(&self) -> u32 {
        let faults = self.faults.lock();
        faults.planned.iter().map(|planned| planned.times).sum()
    }

    /// Forgets all planned faults.
    pub fn heal(&self) {
        self.faults.lock().planned.clear();
    }

    pub fn requests(&self, method: &str) -> Vec<Requested> {
        let faults = self.faults.lock();
        let of_method = faults
            .requests
            .iter()
            .filter(|request| request.method == method);
        of_method.cloned().collect()
    }

    /// From now on more than this is answered with 429.
    pub fn set_limits(&self, limits: Limits) {
        self.faults.lock().gate.limits = Some(limits);
    }

    /// The calls that were answered with 429 because of a limit.
    pub fn flooded(&self) -> Vec<Flooded> {
        self.faults.lock().gate.flooded.clone()
    }

    /// The group takes one new message in so many seconds, and says so (`slow_mode_delay`).
    pub fn set_slow_mode(&self, chat: ChatId, seconds: u64) {
        self.faults.lock().gate.set_slow_mode(chat.0, seconds, None);
    }

    /// Where the group is now, if it has moved.
    pub fn place_of(&self, chat: ChatId) -> ChatId {
        ChatId(self.faults.lock().gate.place_of(chat.0))
    }

    pub fn close_general(&self, chat: ChatId) {
        self.faults.lock().gate.set_general(chat.0, true);
    }

    pub fn open_general(&self, chat: ChatId) {
        self.faults.lock().gate.set_general(chat.0, false);
    }

    pub fn close_topic(&self, chat: ChatId, thread: i64) {
        self.faults.lock().gate.set_topic(chat.0, thread, true);
    }

    pub fn open_topic(&self, chat: ChatId, thread: i64) {
        self.faults.lock().gate.set_topic(chat.0, thread, false);
    }

    pub fn delete_topic(&self, chat: ChatId, thread: i64) {
        self.faults.lock().gate.delete_topic(chat.0, thread);
    }

    /// Open calls are cut off without an effect, and connections are refused.
    pub fn go_down(&self) {
        self.faults.is_down.send_replace(true);
        if let Some(serving) = self.line.lock().expect("whole").take() {
            serving.abort();
            let _ = self.runtime.block_on(serving);
        }
    }

    pub fn come_back(&self) {
        let _in_runtime = self.runtime.enter();
        let listener = bound(self.address).listen(1024).expect("its own port");
        *self.line.lock().expect("whole") = Some(serve(listener, self.router.clone()));
        self.faults.is_down.send_replace(false);
    }
}

/// A socket that shares its address, so that another test cannot take the port while nobody listens.
fn bound(address: SocketAddr) -> TcpSocket {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_reuseaddr(true).expect("a socket's option");
    socket.set_reuseport(true).expect("a socket's option");
    socket.bind(address).expect("a free port, or its own");
    socket
}

fn serve(listener: TcpListener, router: Router) -> JoinHandle<()> {
    tokio::spawn(async move {
        let _ = axum::serve(listener, router).await;
    })
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().expect("whole")
    }

    /// Telegram says so in both groups.
    fn tell_of_move(&self, from: i64, to: i64) {
        let said = [
            (from, json!({"migrate_to_chat_id": to})),
            (to, json!({"migrate_from_chat_id": from})),
        ];
        for (group, fields) in said {
            let _ = self.api.deliver_message(ChatId(group), super::ADA, fields);
        }
    }
}

impl Deref for FakeApi {
    type Target = BotApi;

    fn deref(&self) -> &BotApi {
        &self.api
    }
}

impl Faults {
    /// The fault that was planned for this call.
    fn planned_for(&mut self, asked: &Asked, body: &str) -> Option<Fault> {
        let is_meant = |planned: &&mut Planned| {
            planned.method == asked.method
                && planned.times > 0
                && body.contains(planned.words)
                && (planned.chats.is_empty()
                    || asked.chat.is_some_and(|chat| planned.chats.contains(&chat)))
        };
        let planned = self.planned.iter_mut().find(is_meant)?;
        if planned.after > 0 {
            planned.after -= 1;
            return None;
        }
        planned.times -= 1;
        Some(planned.fault.clone())
    }

    /// What is answered at once.
    fn judge(&mut self, asked: &Asked, body: &[u8]) -> Option<Fault> {
        let now = Instant::now();
        match self.gate.judge(asked, now) {
            Verdict::Flood(seconds) => return Some(Fault::Flood(seconds)),
            Verdict::Refuse(words) => return Some(Fault::Refuse(400, words)),
            Verdict::Moved(to) => return Some(Fault::Migrated(to)),
            Verdict::Pass => {}
        }
        let fault = self.planned_for(asked, &String::from_utf8_lossy(body))?;
        match (fault, asked.chat) {
            (Fault::SlowMode(seconds), Some(chat)) => {
                self.gate.set_slow_mode(chat, seconds, Some(now));
                is_new_message(&asked.method).then_some(Fault::Flood(seconds))
            }
            (Fault::MovesTo(to), Some(chat)) => {
                self.gate.move_group(chat, to);
                Some(Fault::MovesTo(to))
            }
            (fault, _) => Some(fault),
        }
    }
}

async fn misbehave(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let field = |name| number_in(&parts.headers, &body, name);
    let asked = Asked {
        method: method_of(parts.uri.path()),
        chat: field("chat_id"),
        thread: field("message_thread_id"),
    };
    let mut is_down = shared.is_down.subscribe();
    if *is_down.borrow_and_update() {
        return close();
    }
    let fault = {
        let mut faults = shared.lock();
        faults.requests.push(Requested {
            at: Instant::now(),
            method: asked.method.clone(),
            chat: asked.chat,
        });
        faults.judge(&asked, &body)
    };
    let request = Request::from_parts(parts, Body::from(body));
    let answered = async {
        match fault {
            None => answer(&shared, &asked, request, next).await,
            Some(fault) => act(fault, &shared, &asked, request, next).await,
        }
    };
    tokio::select! {
        response = answered => response,
        _ = is_down.changed() => close(),
    }
}

/// The stand-in's own answer.
async fn answer(shared: &Shared, asked: &Asked, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if response.status().is_success() {
        shared.lock().gate.took(asked, Instant::now());
    }
    let slow_mode = asked
        .chat
        .filter(|_| asked.method == "getChat")
        .and_then(|chat| shared.lock().gate.slow_mode_of(chat));
    if let Some(seconds) = slow_mode {
        response = with_slow_mode(response, seconds).await;
    }
    let ahead = shared.lock().clock_ahead;
    let date = (Timestamp::now() + ahead).strftime("%a, %d %b %Y %H:%M:%S GMT");
    let date = date.to_string().parse().expect("a header");
    response.headers_mut().insert(header::DATE, date);
    response
}

async fn with_slow_mode(response: Response, seconds: u64) -> Response {
    let mut answer: Value = serde_json::from_slice(&bytes_of(response).await).expect("JSON");
    if answer["ok"] == true {
        answer["result"]["slow_mode_delay"] = json!(seconds);
    }
    axum::Json(answer).into_response()
}

async fn act(
    fault: Fault,
    shared: &Shared,
    asked: &Asked,
    request: Request,
    next: Next,
) -> Response {
    match fault {
        Fault::Flood(seconds) | Fault::SlowMode(seconds) => refusal(
            429,
            &format!("Too Many Requests: retry after {seconds}"),
            json!({"retry_after": seconds}),
        ),
        Fault::Migrated(chat) => moved(chat),
        Fault::MovesTo(chat) => {
            shared.tell_of_move(asked.chat.unwrap_or_default(), chat);
            moved(chat)
        }
        Fault::Refuse(code, description) => refusal(code, description, Value::Null),
        Fault::Status(code) => error_page(code),
        Fault::StatusAfter(code) => {
            answer(shared, asked, request, next).await;
            error_page(code)
        }
        Fault::Hang(length) => {
            tokio::time::sleep(length).await;
            close()
        }
        Fault::CloseBefore => close(),
        Fault::CloseAfter => {
            answer(shared, asked, request, next).await;
            close()
        }
        Fault::Late(length) => {
            let response = answer(shared, asked, request, next).await;
            tokio::time::sleep(length).await;
            response
        }
        Fault::Slow(length) => {
            tokio::time::sleep(length).await;
            answer(shared, asked, request, next).await
        }
        Fault::CutShort => {
            let bytes = bytes_of(answer(shared, asked, request, next).await).await;
            let half = bytes.slice(..bytes.len() / 2);
            let cut = stream::iter([Ok(half), Err(std::io::Error::other("it is cut"))]);
            let mut response = Body::from_stream(cut).into_response();
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_LENGTH, bytes.len().into());
            response
        }
        Fault::Truncated => {
            let bytes = bytes_of(answer(shared, asked, request, next).await).await;
            let half = bytes.slice(..bytes.len() / 2);
            ([(header::CONTENT_TYPE, "application/json")], half).into_response()
        }
    }
}

fn moved(to: i64) -> Response {
    refusal(
        400,
        "Bad Request: group chat was upgraded to a supergroup chat",
        json!({"migrate_to_chat_id": to}),
    )
}

fn refusal(code: u16, description: &str, parameters: Value) -> Response {
    let mut body = json!({"ok": false, "error_code": code, "description": description});
    if !parameters.is_null() {
        body["parameters"] = parameters;
    }
    (status(code), axum::Json(body)).into_response()
}

fn error_page(code: u16) -> Response {
    (status(code), "<html>Bad Gateway</html>").into_response()
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).expect("a status")
}

async fn bytes_of(response: Response) -> Bytes {
    to_bytes(response.into_body(), usize::MAX)
        .await
        .unwrap_or_default()
}

/// Ends the connection's task, and with it the connection, without an answer.
fn close() -> Response {
    std::panic::resume_unwind(Box::new("the connection is closed"))
}

fn method_of(path: &str) -> String {
    // Files whose path `getFile` has given.
    if path.starts_with("/file/") {
        return "file".to_owned();
    }
    // teloxide spells method names with a capital.
    let method = path.rsplit('/').next().unwrap_or_default();
    let first = method.get(..1).unwrap_or_default().to_lowercase();
    first + method.get(1..).unwrap_or_default()
}

/// A field of a call, from JSON or from a form.
fn number_in(headers: &HeaderMap, body: &[u8], name: &str) -> Option<i64> {
    let kind = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    if kind.starts_with("application/json") {
        return serde_json::from_slice::<Value>(body).ok()?[name].as_i64();
    }
    let text = String::from_utf8_lossy(body);
    let after = text.split(&format!("name=\"{name}\"")).nth(1)?;
    after.trim_start().lines().next()?.trim().parse().ok()
}
