//! The files of a run: what came with its prompts, and what claude gave.
//!
//! `GET /runs/ID/in/NUMBER` and `GET /runs/ID/out?path=` are the files themselves. One whose name says that it has a
//! secret in it is the chat's alone, where a person is asked first.

use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use maud::{Markup, html};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rusqlite::Connection;
use serde::Deserialize;
use uuid::Uuid;
use walkdir::WalkDir;

use super::super::download::{self, Found};
use super::super::found::{get, on_disk};
use super::super::reader::Reader;
use super::super::refusal::Refusal;
use super::super::{Longer, Web};
use super::said;
use crate::chat::fetched::called;
use crate::domain::id::{AttachmentId, JobId, RunId};
use crate::domain::session::Session;
use crate::domain::shown::size;
use crate::files;
use crate::job::secret;
use crate::store::attachments::{self, Came};
use crate::store::records;

/// The most files of claude's that are listed.
const LISTED: usize = 200;

/// What the store says of a run's files.
pub(super) struct Kept {
    came: Vec<Came>,
    given_by: Option<JobId>,
}

/// A file that claude gave.
pub(super) struct Given {
    name: String,
    bytes: u64,
}

impl Kept {
    pub(super) fn of(db: &Connection, run: RunId) -> rusqlite::Result<Kept> {
        Ok(Kept {
            came: attachments::of_run(db, run)?,
            given_by: records::files_job(db, run)?,
        })
    }

    /// What claude gave, as far as the disk has it still.
    pub(super) async fn given(&self, web: &Web, session: &Session) -> Vec<Given> {
        let Some(job) = self.given_by else {
            return Vec::new();
        };
        let folder = files::taken(&web.data, &session.id, job);
        on_disk(move || given_in(&folder)).await.unwrap_or_default()
    }
}

fn given_in(folder: &FilePath) -> Vec<Given> {
    let walk = WalkDir::new(folder).min_depth(1).sort_by_file_name();
    let files = walk.into_iter().filter_map(Result::ok).filter_map(|entry| {
        let name = entry.path().strip_prefix(folder).ok()?.to_str()?.to_owned();
        let is_shown = entry.file_type().is_file() && !secret::is_named_so(FilePath::new(&name));
        let bytes = entry.metadata().ok()?.len();
        is_shown.then_some(Given { name, bytes })
    });
    files.take(LISTED).collect()
}

pub(super) fn list(run: RunId, kept: &Kept, given: &[Given]) -> Markup {
    html! {
        @if !kept.came.is_empty() {
            section.files aria-label="Files that came" {
                h2 { "Files that came" }
                ul { @for came in &kept.came { li { (came_in(run, came)) } } }
            }
        }
        @if !given.is_empty() {
            section.files aria-label="Files from claude" {
                h2 { "Files from claude" }
                ul { @for given in given { li {
                    a href=(address(run, &given.name)) download { (said::clean(&given.name)) }
                    " " span.quiet { (size(given.bytes)) }
                } } }
            }
        }
    }
}

fn came_in(run: RunId, came: &Came) -> Markup {
    let name = said::clean(&called(&came.file));
    html! {
        @match (&came.path, came.is_awaited) {
            (Some(_), _) => a href={ "/runs/" (run) "/in/" (came.id.0) } download { (name) },
            (None, true) => { (name) " " span.quiet { "is being fetched" } },
            (None, false) => { (name) " " span.quiet { "could not be had" } },
        }
        @if let Some(bytes) = came.file.bytes { " " span.quiet { (size(bytes)) } }
    }
}

fn address(run: RunId, name: &str) -> String {
    let path = utf8_percent_encode(name, NON_ALPHANUMERIC);
    format!("/runs/{run}/out?path={path}")
}

pub(in super::super) async fn came(
    State(web): State<Arc<Web>>,
    Extension(longer): Extension<Longer>,
    reader: Reader,
    Path((run, id)): Path<(Uuid, i64)>,
) -> Result<Response, Refusal> {
    let run = RunId(run);
    let found = get(&web, &reader, run).await?;
    let came = web
        .store
        .transaction(move |db| attachments::of_run(db, run))
        .await?;
    let path = came
        .into_iter()
        .find(|came| came.id == AttachmentId(id))
        .and_then(|came| came.path)
        .ok_or(Refusal::NotFound)?;
    let folder = files::inbox(&web.data, &found.session.id);
    Ok(opened(&web, folder, path).await?.into_answer(&longer))
}

#[derive(Deserialize)]
pub(in super::super) struct Wanted {
    path: PathBuf,
}

pub(in super::super) async fn gave(
    State(web): State<Arc<Web>>,
    Extension(longer): Extension<Longer>,
    reader: Reader,
    Path(run): Path<Uuid>,
    Query(Wanted { path }): Query<Wanted>,
) -> Result<Response, Refusal> {
    let run = RunId(run);
    let found = get(&web, &reader, run).await?;
    let job = web
        .store
        .transaction(move |db| records::files_job(db, run))
        .await?
        .ok_or(Refusal::NotFound)?;
    let is_secret = secret::is_named_so(&path);
    let folder = files::taken(&web.data, &found.session.id, job);
    let file = opened(&web, folder, path).await?;
    match is_secret || secret::is_named_so(FilePath::new(&file.name)) {
        true => Err(Refusal::NotFound),
        false => Ok(file.into_answer(&longer)),
    }
}

async fn opened(web: &Web, folder: PathBuf, path: PathBuf) -> Result<Found, Refusal> {
    let largest = web.api.largest_file();
    on_disk(move || download::open(&folder, &path, largest))
        .await?
        .map_err(|_| Refusal::NotFound)
}
