//! `GET /sessions/ID/files?path=`: a file of the workspace, by the rules of `/get`: nothing outside, and no file whose
//! name says that it has a secret in it.

use std::path::Path as FilePath;
use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::super::download::{self, NotFound};
use super::super::found::on_disk;
use super::super::{Longer, Web, pages};
use super::Caller;
use super::problem::Problem;
use crate::domain::id::SessionId;
use crate::domain::session::SessionState;
use crate::job::secret;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    path: String,
}

pub(super) async fn one(
    State(web): State<Arc<Web>>,
    Extension(longer): Extension<Longer>,
    caller: Caller,
    Path(session): Path<String>,
    Query(Wanted { path }): Query<Wanted>,
) -> Result<Response, Problem> {
    let session = pages::session::get(&web, &caller, SessionId(session)).await?;
    if session.state != SessionState::Ready {
        return Err(Problem::conflict(
            "The session's workspace is not made yet.",
        ));
    }
    let (workspace, largest) = (session.workspace, web.api.largest_file());
    let wanted = path.clone();
    let found =
        on_disk(move || download::open(&workspace, FilePath::new(&wanted), largest)).await?;
    let found = found.map_err(problem)?;
    // A link may lead to it.
    if [&path, &found.name]
        .into_iter()
        .any(|path| secret::is_named_so(FilePath::new(path)))
    {
        return Err(Problem::forbidden(
            "The name of this file says that it has a secret in it. A person can get it with /get in the chat.",
        ));
    }
    Ok(found.into_answer(&longer))
}

fn problem(why: NotFound) -> Problem {
    match why {
        NotFound::Missing => Problem::not_found(),
        NotFound::Outside => {
            Problem::forbidden("This path leads out of the workspace; only files in it can be got.")
        }
        NotFound::Folder => Problem::invalid("This is a folder. Name a file in it."),
        NotFound::Unreadable => Problem::forbidden("This file cannot be read."),
        NotFound::TooLarge => {
            Problem::forbidden("This file is larger than what can be got, here and in the chat.")
        }
    }
}
