//! What went wrong, as RFC 9457 has it: `application/problem+json`, with the status that says the same.

use std::borrow::Cow;

use axum::body::to_bytes;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tracing::warn;

use super::super::refusal::Refusal;
use crate::store::StoreError;

const CONTENT_TYPE: &str = "application/problem+json";
/// The most of another answer's words that is kept.
const WORDS_MOST: usize = 4 * 1024;
/// After so many seconds something that was too much or did not answer is tried again.
const AFTER_TOO_MUCH: HeaderValue = HeaderValue::from_static("60");
const AFTER_SILENCE: HeaderValue = HeaderValue::from_static("5");

#[derive(Debug)]
pub(in super::super) struct Problem {
    status: StatusCode,
    detail: Cow<'static, str>,
}

/// RFC 9457. With `about:blank` the status says what kind of problem it is, and the title is its name.
#[derive(Serialize)]
struct Form<'a> {
    r#type: &'static str,
    title: &'a str,
    status: u16,
    detail: &'a str,
}

impl Problem {
    pub(in super::super) fn new(
        status: StatusCode,
        detail: impl Into<Cow<'static, str>>,
    ) -> Problem {
        Problem {
            status,
            detail: detail.into(),
        }
    }

    pub(in super::super) fn invalid(detail: impl Into<Cow<'static, str>>) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, detail)
    }

    pub(in super::super) fn forbidden(detail: &'static str) -> Problem {
        Problem::new(StatusCode::FORBIDDEN, detail)
    }

    pub(in super::super) fn conflict(detail: impl Into<Cow<'static, str>>) -> Problem {
        Problem::new(StatusCode::CONFLICT, detail)
    }

    pub(in super::super) fn unauthorized(detail: &'static str) -> Problem {
        Problem::new(StatusCode::UNAUTHORIZED, detail)
    }

    pub(in super::super) fn not_found() -> Problem {
        Problem::of(StatusCode::NOT_FOUND)
    }

    pub(in super::super) fn of(status: StatusCode) -> Problem {
        Problem::new(status, usual(status))
    }
}

/// What is said where nothing says more.
fn usual(status: StatusCode) -> &'static str {
    match status {
        StatusCode::BAD_REQUEST => "The request cannot be understood. Nothing was done.",
        StatusCode::UNAUTHORIZED => "The token is not valid.",
        StatusCode::FORBIDDEN => "This is not allowed. Nothing was done.",
        StatusCode::NOT_FOUND => "There is no such thing, or it is not yours to see.",
        StatusCode::METHOD_NOT_ALLOWED => "This cannot be done here; “Allow” says what can.",
        StatusCode::PAYLOAD_TOO_LARGE => "The body has more than 256 KiB. Nothing was done.",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            "The body has to be JSON, with “Content-Type: application/json”. Nothing was done."
        }
        StatusCode::TOO_MANY_REQUESTS => {
            "Too much is asked at once, or too many wrong tokens were tried. Try again in a minute."
        }
        StatusCode::SERVICE_UNAVAILABLE => {
            "The disk, the database or git does not answer at the moment. Nothing is lost; try again."
        }
        _ => "The request could not be answered.",
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Problem {
        warn!(%error, "a program could not be answered");
        Problem::of(StatusCode::SERVICE_UNAVAILABLE)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Problem {
        match refusal {
            Refusal::Store(error) => Problem::from(error),
            refusal => Problem::of(refusal.said().0),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let form = Form {
            r#type: "about:blank",
            title: self.status.canonical_reason().unwrap_or_default(),
            status: self.status.as_u16(),
            detail: &self.detail,
        };
        let mut response = (self.status, axum::Json(form)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
        match self.status {
            StatusCode::UNAUTHORIZED => {
                let scheme = HeaderValue::from_static("Bearer realm=\"telecoder\"");
                headers.insert(header::WWW_AUTHENTICATE, scheme);
            }
            StatusCode::TOO_MANY_REQUESTS => {
                headers.insert(header::RETRY_AFTER, AFTER_TOO_MUCH);
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(header::RETRY_AFTER, AFTER_SILENCE);
            }
            _ => {}
        }
        response
    }
}

pub(super) async fn nothing_here() -> Problem {
    Problem::not_found()
}

pub(in super::super) async fn no_such_method() -> Problem {
    Problem::of(StatusCode::METHOD_NOT_ALLOWED)
}

/// What axum refuses by itself, a query or a path that cannot be read, becomes a problem with axum's words.
pub(super) async fn in_one_form(response: Response) -> Response {
    let status = response.status();
    let is_ours = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind == CONTENT_TYPE);
    if is_ours || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let (parts, body) = response.into_parts();
    let words = to_bytes(body, WORDS_MOST).await.unwrap_or_default();
    let words = String::from_utf8_lossy(&words).trim().to_owned();
    let mut problem = match words.is_empty() {
        true => Problem::of(status),
        false => Problem::new(status, words),
    }
    .into_response();
    let allowed = parts.headers.get(header::ALLOW).cloned();
    if let Some(allowed) = allowed {
        problem.headers_mut().insert(header::ALLOW, allowed);
    }
    problem
}
