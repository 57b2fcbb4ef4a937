//! The way in: a link that is good for one use, or Telegram's own proof of who opened the Mini App, becomes a cookie.
//!
//! Programs that look at links before a person does (previews, scanners) only read: so the link shows a button, and
//! what the button sends uses it up.

pub mod init_data;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Form, Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use maud::html;
use secrecy::ExposeSecret;
use serde::Deserialize;
use tokio::sync::Mutex;
use tracing::info;

use super::Web;
use super::pages::layout;
use super::reader::{Reader, cookie_name};
use super::refusal::Refusal;
use crate::domain::id::PageKey;
use crate::inbox::page;
use crate::store::page_keys::{self, Holder, LOGIN_MS};
use init_data::Unproven;

/// So many wrong keys in so long, from everybody together: nobody can guess one, and the log stays readable.
const TRIES: u32 = 30;
const TRIES_WITHIN: Duration = Duration::from_secs(60);

/// Wrong keys that were tried.
static TRIED: Mutex<Vec<tokio::time::Instant>> = Mutex::const_new(Vec::new());

/// `GET /in/KEY`: whose link it is, and a button.
pub(super) async fn offer(
    State(web): State<Arc<Web>>,
    Path(key): Path<String>,
) -> Result<Response, Refusal> {
    let link = PageKey::parse(&key);
    let of = match link {
        Some(link) => {
            web.store
                .transaction(move |db| page_keys::of_link(db, &link))
                .await?
        }
        None => None,
    };
    let Some(holder) = of else {
        return Err(not_valid("a link is not valid").await);
    };
    let body = html! {
        h1 { "telecoder" }
        p {
            "This link logs this browser in"
            @if !holder.name.is_empty() { " as " strong { (holder.name) } }
            " for twelve hours. It works once."
        }
        form method="post" { button.primary { "Open" } }
    };
    Ok(layout::bare("Open the page", &body))
}

/// `POST /in/KEY`: uses the link up.
pub(super) async fn enter(
    State(web): State<Arc<Web>>,
    Path(key): Path<String>,
) -> Result<Response, Refusal> {
    let used = match PageKey::parse(&key) {
        Some(link) => {
            let access = web.inbox.access.clone();
            web.store
                .transaction(move |db| {
                    let Some((login, holder)) = page_keys::use_link(db, &link)? else {
                        return Ok(None);
                    };
                    let visitor = page::visitor(db, &access, holder)?;
                    Ok(visitor.map(|_| login))
                })
                .await?
        }
        None => None,
    };
    match used {
        Some(login) => Ok(logged_in(&web, &login, false, "/")),
        None => Err(not_valid("a link was used before, is too old, or never was one").await),
    }
}

/// `GET /app`: what Telegram opens. Telegram hands its proof to the script in the address, behind `#`.
pub(super) async fn app() -> Response {
    let body = html! {
        h1 { "telecoder" }
        p #app role="status" {
            "Logging in with Telegram … If nothing happens, write /web to the bot and open its link in a browser."
        }
    };
    layout::bare("telecoder", &body)
}

#[derive(Deserialize)]
pub(super) struct Proof {
    data: String,
}

/// `POST /app`: Telegram's proof.
pub(super) async fn enter_from_telegram(
    State(web): State<Arc<Web>>,
    Form(proof): Form<Proof>,
) -> Result<Response, Refusal> {
    let now = web.inbox.clock.now() / 1000;
    let proven = match init_data::check(&proof.data, web.token.expose_secret(), now) {
        Ok(proven) => proven,
        Err(unproven) => {
            return Err(not_valid(match unproven {
                Unproven::Malformed => "what Telegram should have sent could not be read",
                Unproven::Forged => "the signature of what Telegram should have sent is wrong",
                Unproven::Old => "what Telegram sent is older than five minutes",
            })
            .await);
        }
    };
    let access = web.inbox.access.clone();
    let entered = web
        .store
        .transaction(move |db| {
            let until = (proven.signed_at + init_data::VALID_S + 60) * 1000;
            if !page_keys::use_once(db, &proven.hash, proven.user, until)? {
                return Ok(Err("what Telegram sent was used before"));
            }
            let holder = Holder {
                user: proven.user,
                name: proven.name,
            };
            if page::visitor(db, &access, holder.clone())?.is_none() {
                return Ok(Err("Telegram says who it is, and they may not use the bot"));
            }
            page_keys::log_in(db, &holder).map(Ok)
        })
        .await?;
    match entered {
        Ok(login) => Ok(logged_in(&web, &login, true, "/")),
        Err(reason) => Err(not_valid(reason).await),
    }
}

/// `POST /out`
pub(super) async fn leave(
    State(web): State<Arc<Web>>,
    reader: Reader,
    Form(form): Form<Leaving>,
) -> Result<Response, Refusal> {
    reader.check_form(&form.key)?;
    let login = reader.login().clone();
    web.store
        .transaction(move |db| page_keys::log_out(db, &login))
        .await?;
    let body = html! {
        h1 { "This browser is logged out" }
        p { "/web in your private chat with the bot gives you a new link." }
    };
    Ok(layout::bare("Logged out", &body))
}

#[derive(Deserialize)]
pub(super) struct Leaving {
    key: String,
}

/// The cookie. Inside Telegram's web client the page is in a frame of another site, where only a partitioned cookie
/// comes along.
fn logged_in(web: &Web, login: &PageKey, in_frame: bool, to: &str) -> Response {
    let is_https = web.page.is_https();
    let manner = match (is_https, in_frame) {
        (true, true) => "; Secure; SameSite=None; Partitioned",
        (true, false) => "; Secure; SameSite=Lax",
        (false, _) => "; SameSite=Lax",
    };
    let cookie = format!(
        "{}={}; Path=/; HttpOnly; Max-Age={}{manner}",
        cookie_name(is_https),
        login.as_str(),
        LOGIN_MS / 1000
    );
    ([(header::SET_COOKIE, cookie)], Redirect::to(to)).into_response()
}

/// The caller learns nothing; the log has the reason.
async fn not_valid(reason: &'static str) -> Refusal {
    let mut tried = TRIED.lock().await;
    let now = tokio::time::Instant::now();
    tried.retain(|at| now.duration_since(*at) < TRIES_WITHIN);
    if tried.len() >= TRIES as usize {
        return Refusal::Busy;
    }
    tried.push(now);
    info!(reason, "somebody was not let in to the page");
    Refusal::NotLoggedIn
}
