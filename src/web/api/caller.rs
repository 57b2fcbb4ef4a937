//! Whose program it is: it shows its token at every request (RFC 6750). A cookie is not looked at.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::info;

use super::super::Web;
use super::super::reader::Reader;
use super::problem::Problem;
use crate::domain::id::PageKey;

/// So many wrong tokens in so long, from everybody together: nobody can guess one, and the log stays readable. Valid
/// ones are taken all the same.
const TRIES: usize = 30;
const TRIES_WITHIN: Duration = Duration::from_secs(60);

/// When wrong tokens were tried.
static TRIED: Mutex<VecDeque<Instant>> = Mutex::new(VecDeque::new());

pub(super) async fn authenticate(
    State(web): State<Arc<Web>>,
    mut request: Request,
    next: Next,
) -> Response {
    match caller(&web, request.headers()).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

async fn caller(web: &Web, headers: &HeaderMap) -> Result<Reader, Problem> {
    let Some(token) = bearer(headers) else {
        return Err(Problem::unauthorized(
            "Send a token, as “Authorization: Bearer TOKEN”. “telecoder web token NAME”, on the bot's machine, makes one.",
        ));
    };
    let Some(token) = PageKey::parse(token) else {
        return Err(wrong("it cannot be a token"));
    };
    let found = Reader::of_program(web, token).await?;
    found.ok_or_else(|| wrong("it is no token, or was withdrawn, or its owner may not use the bot"))
}

/// The scheme's name may be written in any case; two tokens are none.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(only), None) = (all.next(), all.next()) else {
        return None;
    };
    let (scheme, token) = only.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The caller learns nothing; the log has the reason.
fn wrong(reason: &'static str) -> Problem {
    let mut tried = TRIED.lock().unwrap_or_else(PoisonError::into_inner);
    let now = Instant::now();
    tried.retain(|at| now.duration_since(*at) < TRIES_WITHIN);
    if tried.len() >= TRIES {
        return Problem::of(StatusCode::TOO_MANY_REQUESTS);
    }
    tried.push_back(now);
    info!(reason, "a program was not let in to the API");
    Problem::of(StatusCode::UNAUTHORIZED)
}
