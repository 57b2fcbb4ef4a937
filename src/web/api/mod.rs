//! `/api/v1`: what a program sees and does, with the rights of the person who let it in (`telecoder web token`).
//!
//! `caller` says whose program it is, at every request; `act` hands what it does to the inbox, as the page does. The
//! objects are those of `--json` ([`crate::public`]). Whatever goes wrong is a `problem`. `docs/openapi.json` describes
//! all of it, and a test holds it against [`routes`].

mod act;
mod answers;
pub(super) mod body;
mod caller;
mod diff;
mod events;
mod files;
pub(super) mod problem;
mod questions;
mod runs;
mod sessions;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{Extension, Router};
use tracing::info;

use super::reader::Reader;
use super::{Web, guard};
use problem::Problem;

/// Where it is served.
pub const PLACE: &str = "/api/v1";
/// Where its description is, which nobody has to log in for.
pub const DESCRIPTION: &str = "/openapi.json";
const DESCRIBED: &str = include_str!("../../../docs/openapi.json");

/// Whose program it is.
type Caller = Extension<Reader>;

/// A method and a path below [`PLACE`].
type Route = (&'static str, &'static str);

/// All routes but that of the description.
pub fn routes() -> Vec<Route> {
    handled().into_iter().map(|(route, _)| route).collect()
}

fn handled() -> Vec<(Route, MethodRouter<Arc<Web>>)> {
    vec![
        (("get", "/sessions"), get(sessions::list)),
        (("get", "/sessions/{session}"), get(sessions::one)),
        (("get", "/sessions/{session}/runs"), get(sessions::runs)),
        (("get", "/sessions/{session}/files"), get(files::one)),
        (("post", "/sessions/{session}/prompts"), post(act::prompt)),
        (("post", "/sessions/{session}/stop"), post(act::stop)),
        (("post", "/sessions/{session}/verify"), post(act::verify)),
        (("get", "/runs/{run}"), get(runs::one)),
        (("get", "/runs/{run}/diff"), get(diff::of_run)),
        (("get", "/runs/{run}/events"), get(events::of_run)),
        (("get", "/runs/{run}/questions"), get(questions::of_run)),
        (("post", "/questions/{question}/answer"), post(act::answer)),
    ]
}

pub(super) fn router(web: &Arc<Web>) -> Router<Arc<Web>> {
    let all = handled().into_iter();
    all.fold(Router::new(), |router, ((_, path), does)| {
        router.route(path, does)
    })
    .fallback(problem::nothing_here)
    .method_not_allowed_fallback(problem::no_such_method)
    .layer(middleware::from_fn_with_state(
        Arc::clone(web),
        caller::authenticate,
    ))
    .route(DESCRIPTION, get(description))
    .layer(middleware::from_fn_with_state(Arc::clone(web), check))
}

async fn description() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], DESCRIBED).into_response()
}

/// A cookie is worth nothing here, so it does not matter which page a request comes from; only under which name.
async fn check(State(web): State<Arc<Web>>, request: Request, next: Next) -> Response {
    let mut response = match guard::is_known_host(request.headers(), &web.page) {
        true => problem::in_one_form(next.run(request).await).await,
        false => {
            let reason = "it was asked under another name";
            info!(
                reason,
                path = request.uri().path(),
                "a request to the API was refused"
            );
            Problem::forbidden(
                "The bot does not know the name in “Host”. Ask under this machine's address, localhost, or the name in \
                 TELECODER_WEB_URL.",
            )
            .into_response()
        }
    };
    guard::restrict(&mut response);
    response
}
