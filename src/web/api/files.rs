//! `GET /sessions/ID/files?path=`: a file of the workspace, by the rules of `/get`: nothing outside, and no file whose
//! name says that it has a secret in it.

use std::fs::File;
use std::path::Path as FilePath;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream::{self, Stream};
use serde::Deserialize;
use tokio::io::AsyncReadExt;

use super::super::pages::run::on_disk;
use super::super::{Longer, Web, pages};
use super::Caller;
use super::problem::Problem;
use crate::domain::id::SessionId;
use crate::domain::session::SessionState;
use crate::job::beneath::{Place, Root};
use crate::job::secret;

/// How much is read at once.
const PIECE: usize = 64 * 1024;

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
    let (file, length) = on_disk(move || open(&workspace, &path, largest)).await??;
    longer.0.store(true, Ordering::Relaxed);
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_DISPOSITION, "attachment".to_owned()),
        (header::CONTENT_LENGTH, length.to_string()),
    ];
    Ok((headers, Body::from_stream(pieces(file, length))).into_response())
}

fn open(workspace: &FilePath, wanted: &str, largest: u64) -> Result<(File, u64), Problem> {
    let root = Root::new(workspace).map_err(|_| Problem::not_found())?;
    let path = match root.place(FilePath::new(wanted)) {
        Ok(Place::At(path)) => path,
        Ok(Place::Outside) => {
            return Err(Problem::forbidden(
                "This path leads out of the workspace; only files in it can be got.",
            ));
        }
        Ok(Place::Missing) | Err(_) => return Err(Problem::not_found()),
    };
    if path.is_dir() {
        return Err(Problem::invalid("This is a folder. Name a file in it."));
    }
    let is_secret = |path: &FilePath| secret::is_named_so(path);
    if is_secret(FilePath::new(wanted)) || is_secret(FilePath::new(&root.name(&path))) {
        return Err(Problem::forbidden(
            "The name of this file says that it has a secret in it. A person can get it with /get in the chat.",
        ));
    }
    let file = root
        .open(&path)
        .map_err(|_| Problem::forbidden("This file cannot be read."))?;
    let length = file.metadata().map_err(|_| Problem::not_found())?.len();
    match length > largest {
        true => Err(Problem::forbidden(
            "This file is larger than what can be got, here and in the chat.",
        )),
        false => Ok((file, length)),
    }
}

/// As many bytes as were promised: the file may grow meanwhile. One that shrinks breaks the answer off.
fn pieces(file: File, length: u64) -> impl Stream<Item = std::io::Result<Bytes>> {
    let file = tokio::fs::File::from_std(file).take(length);
    stream::unfold(Some(file), |file| async {
        let mut file = file?;
        let mut piece = vec![0; PIECE];
        match file.read(&mut piece).await {
            Ok(0) => None,
            Ok(read) => {
                piece.truncate(read);
                Some((Ok(piece.into()), Some(file)))
            }
            Err(error) => Some((Err(error), None)),
        }
    })
}
