//! `POST /hook/NAME`: a call from another program, which begins a routine's work.
//!
//! A call is stored before it is answered, once for each delivery; what it then does is the inbox's. `signature` says
//! whether it is genuine.

mod rate;
pub mod signature;

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Serialize;
use tracing::{info, warn};

use super::api::body;
use super::api::problem::{self, Problem};
use super::{Web, guard};
use crate::domain::routine::filter::Filter;
use crate::domain::routine::{Routine, State as Standing};
use crate::redact::short::one_line;
use crate::store::{StoreError, calls, now, routines};
pub use rate::Rates;
use signature::{Delivery, Refused, Scheme};

/// The most bytes of a call's body.
const MOST: usize = 1024 * 1024;
/// How much of a name that a stranger has chosen the log has, in characters.
const NAME_LOGGED: usize = 60;
/// So many of a routine's prompts may wait for claude.
const WAITING_MOST: u32 = 20;
/// Without an id of its sender's, the same body within this time is the same delivery.
const SAME_BODY_MS: i64 = 10 * 60 * 1000;
/// GitHub, Forgejo and Gitea try a new address with this event.
const PING: &str = "ping";

#[derive(Serialize)]
struct Taken {
    /// Whether a prompt begins, or has begun, because of this delivery.
    taken: bool,
    /// Why none does, or that the delivery was there already.
    #[serde(skip_serializing_if = "Option::is_none")]
    remark: Option<&'static str>,
}

pub(super) async fn call(
    State(web): State<Arc<Web>>,
    name: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    // A name that is no UTF-8 is nobody's.
    let name = name.map_or_else(|_| String::new(), |Path(name)| name);
    let mut response = match taken(&web, &name, request).await {
        Ok(taken) => (StatusCode::ACCEPTED, axum::Json(taken)).into_response(),
        Err((problem, reason)) => {
            info!(
                reason,
                hook = one_line(&name, NAME_LOGGED),
                "a call was refused"
            );
            problem.into_response()
        }
    };
    guard::restrict(&mut response);
    response
}

/// It is no `POST`.
pub(super) async fn no_such_method() -> Response {
    let mut response = problem::no_such_method().await.into_response();
    guard::restrict(&mut response);
    response
}

/// What the caller is told, and what the log says.
type NotTaken = (Problem, &'static str);

fn store_failed(error: StoreError) -> NotTaken {
    (Problem::from(error), "the store did not take it")
}

async fn taken(web: &Arc<Web>, name: &str, request: Request) -> Result<Taken, NotTaken> {
    if !guard::is_known_host(request.headers(), &web.page) {
        let told = "The bot does not know the name in “Host”. TELECODER_WEB_URL is to say it.";
        return Err((Problem::forbidden(told), "it was asked under another name"));
    }
    let headers = request.headers().clone();
    let body = body::read_up_to(request.into_body(), body::length_of(&headers), MOST)
        .await
        .map_err(|problem| (problem, "its body is too large, or did not come whole"))?;
    let wanted = name.to_owned();
    let found = web
        .store
        .transaction(move |db| {
            let Some(routine) = routines::named(db, &wanted)? else {
                return Ok(None);
            };
            let secret = routines::secret(db, &routine.id)?;
            Ok(secret.map(|secret| (routine, secret)))
        })
        .await
        .map_err(store_failed)?;
    let Some((routine, secret)) = found else {
        let told = "There is no hook of this name, or not any more.";
        return Err((
            Problem::new(StatusCode::NOT_FOUND, told),
            "no hook has its name",
        ));
    };
    let now_s = Timestamp::now().as_second();
    let delivery = signature::check(&headers, &body, &secret, now_s).map_err(refused)?;
    // Whoever does not know the secret cannot use the limit up.
    if !web.rates.may_call(&routine.id) {
        let too_many = Problem::of(StatusCode::TOO_MANY_REQUESTS);
        return Err((too_many, "too many calls within a minute"));
    }
    if !body::is_json(&headers) {
        let told = "Send JSON, with “Content-Type: application/json”. Nothing was begun.";
        let problem = Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, told);
        return Err((problem, "its body is no JSON"));
    }
    if let Standing::Paused(_) | Standing::Offered | Standing::Over = routine.state {
        let told = "The routine of this hook is paused. Nothing was begun; /routines in its chat lets it go on.";
        return Err((Problem::conflict(told), "its routine is paused"));
    }
    if let Some(remark) = left_out(&routine, &delivery, &body)? {
        return Ok(Taken {
            taken: false,
            remark: Some(remark),
        });
    }
    let remark = match stored(web, routine, delivery, body).await? {
        true => None,
        false => Some("This delivery was there already."),
    };
    let inbox = Arc::clone(&web.inbox);
    tokio::spawn(async move {
        // It is stored: what fails here is tried again by itself.
        if let Err(error) = inbox.begin_routines().await {
            warn!(%error, "a call's prompt is not queued yet");
        }
    });
    Ok(Taken {
        taken: true,
        remark,
    })
}

fn refused(why: Refused) -> NotTaken {
    let told = match why {
        Refused::Unsigned => "The call is not signed. Enter the hook's secret where it comes from.",
        Refused::Malformed | Refused::Forged => "The signature is not that of the hook's secret.",
        Refused::Stale => "The call was signed more than five minutes ago, or a clock is wrong.",
    };
    let reason = match why {
        Refused::Unsigned => "it is not signed",
        Refused::Malformed => "its signature has no known form",
        Refused::Forged => "its signature is wrong",
        Refused::Stale => "it was signed more than five minutes ago, or in the future",
    };
    (Problem::unauthorized(told), reason)
}

/// Why a genuine call begins nothing.
fn left_out(
    routine: &Routine,
    delivery: &Delivery,
    body: &[u8],
) -> Result<Option<&'static str>, NotTaken> {
    if delivery.scheme == Scheme::Hmac && delivery.event.as_deref() == Some(PING) {
        return Ok(Some("It is a ping: the hook works."));
    }
    let invalid = |_| {
        let problem = Problem::invalid("The body is no JSON. Nothing was begun.");
        (problem, "its body is no JSON")
    };
    let said: serde_json::Value = serde_json::from_slice(body).map_err(invalid)?;
    let matches = routine.filter.is_empty()
        || Filter::parse(&routine.filter).is_ok_and(|filter| filter.matches(&said));
    Ok((!matches).then_some("The hook's filter leaves it out."))
}

/// Returns false if the delivery was there already.
async fn stored(
    web: &Web,
    routine: Routine,
    delivery: Delivery,
    body: Bytes,
) -> Result<bool, NotTaken> {
    let known_since = match delivery.has_own_id {
        true => i64::MIN,
        false => now() - SAME_BODY_MS,
    };
    let stored = web
        .store
        .transaction(move |db| {
            if calls::waiting(db, &routine.id)? >= WAITING_MOST {
                return Ok(None);
            }
            let event = delivery.event.as_deref();
            calls::insert(db, &routine.id, &delivery.id, event, &body, known_since).map(Some)
        })
        .await
        .map_err(store_failed)?;
    stored.ok_or_else(|| {
        let problem = Problem::of(StatusCode::TOO_MANY_REQUESTS);
        (problem, "too many calls wait for their prompts")
    })
}
