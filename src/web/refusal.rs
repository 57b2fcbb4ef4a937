//! What is said when a page cannot be shown, or something cannot be done.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::html;
use tracing::warn;

use super::pages::layout;
use crate::store::StoreError;

/// Why there is no page.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The browser is not logged in, or not any more.
    NotLoggedIn,
    /// There is no such thing, or nothing of it is for this person: which of both is not said.
    NotFound,
    /// The form was not made by this page.
    Foreign,
    /// What was sent makes no sense; what is to be sent.
    Invalid(&'static str),
    /// Too many follow runs.
    Busy,
    /// The disk with the runs does not answer.
    DiskIsSilent,
    /// git has not said in time what differs.
    GitIsSilent,
    Store(StoreError),
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Refusal {
        Refusal::Store(error)
    }
}

impl Refusal {
    pub(super) fn said(&self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Refusal::NotLoggedIn => (
                StatusCode::UNAUTHORIZED,
                "This browser is not logged in",
                "Write /web to the bot in your private chat, or run “telecoder web” on its machine, and open the link \
                 that you get.",
            ),
            Refusal::NotFound => (
                StatusCode::NOT_FOUND,
                "There is nothing here",
                "It was removed, or it is not yours to see.",
            ),
            Refusal::Foreign => (
                StatusCode::FORBIDDEN,
                "Nothing was done",
                "This did not come from a page of this browser. Open the page again, and repeat it there.",
            ),
            Refusal::Invalid(what) => (StatusCode::BAD_REQUEST, "Nothing was done", what),
            Refusal::Busy => (
                StatusCode::TOO_MANY_REQUESTS,
                "Too much at once",
                "Too many pages are open, or too many links were tried. Try again in a minute.",
            ),
            Refusal::DiskIsSilent => (
                StatusCode::SERVICE_UNAVAILABLE,
                "The disk does not answer",
                "The record of the run cannot be read at the moment. Nothing is lost; try again.",
            ),
            Refusal::GitIsSilent => (
                StatusCode::SERVICE_UNAVAILABLE,
                "git does not answer",
                "It was asked what differs, took longer than 5 s, and was ended. Nothing was changed. Try again, or write \
                 /diff in the chat, which waits longer.",
            ),
            Refusal::Store(_) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "The database does not answer",
                "Nothing was done. Try again in a moment.",
            ),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        if let Refusal::Store(error) = &self {
            warn!(%error, "a page could not be shown");
        }
        let (status, title, what_now) = self.said();
        let body = html! {
            h1 { (title) }
            p { (what_now) }
            @if !matches!(self, Refusal::NotLoggedIn) { p { a href="/" { "To the sessions" } } }
        };
        (status, layout::bare(title, &body)).into_response()
    }
}

pub(super) async fn nothing_here() -> Refusal {
    Refusal::NotFound
}
