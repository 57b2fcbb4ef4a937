//! `GET /runs/ID/diff`: what a run changed, or several in a row, as git says it.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use uuid::Uuid;

use super::super::Web;
use super::super::changes::{self, Patched};
use super::Caller;
use super::problem::Problem;
use super::runs::find;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    with: Option<Uuid>,
}

pub(super) async fn of_run(
    State(web): State<Arc<Web>>,
    caller: Caller,
    Path(run): Path<String>,
    Query(Wanted { with }): Query<Wanted>,
) -> Result<Response, Problem> {
    let found = find(&web, &caller, &run).await?;
    let Some(stretch) = changes::stretch(&web, &found, with).await? else {
        return Err(Problem::conflict(
            "The run has not begun, so it has changed nothing.",
        ));
    };
    match changes::patch(&web, &found.session, &stretch).await? {
        Patched::Whole(text) => Ok(([(header::CONTENT_TYPE, "text/x-diff")], text).into_response()),
        Patched::TooLong => Err(Problem::conflict(
            "The diff has more than 4 MiB, and its beginning alone says too little. /diff in the chat sends more, as a \
             file.",
        )),
        Patched::Nothing(why) => Err(Problem::conflict(format!("There is no diff: {why}."))),
    }
}
