//! `GET /runs/ID/steps/END`: all that came with one line of a run's record.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use maud::html;
use uuid::Uuid;

use super::super::Web;
use super::super::found::{get, on_disk};
use super::super::reader::Reader;
use super::super::refusal::Refusal;
use super::layout::{self, Place, Told};
use super::steps::{self, Extent};
use crate::claude::transcript;
use crate::domain::id::RunId;
use crate::domain::transcript::{Step, What};

pub(in super::super) async fn show(
    State(web): State<Arc<Web>>,
    reader: Reader,
    told: Told,
    Path((run, end)): Path<(Uuid, u64)>,
) -> Result<Response, Refusal> {
    let found = get(&web, &reader, RunId(run)).await?;
    if !found.record.has(end) {
        return Err(Refusal::NotFound);
    }
    let (path, from) = (web.events_of(&found.record), found.record.begins_at());
    let read = on_disk(move || transcript::before(&path, from, Some(end), 1)).await?;
    let steps = read.map(|(steps, _)| steps).unwrap_or_default();
    let of_line: Vec<&Step> = steps
        .iter()
        .filter(|step| step.end == end && !matches!(step.what, What::Words(_)))
        .collect();
    if of_line.is_empty() {
        return Err(Refusal::NotFound);
    }
    let id = found.line.id;
    let body = html! {
        nav.path aria-label="Where this is" { a href={ "/runs/" (id) } { "The run" } }
        h1 { "One step" }
        ol.steps {
            @for step in of_line { @if let Some(item) = steps::item(id, step, Extent::Whole) { (item) } }
        }
    };
    Ok(layout::page(
        "One step",
        Place::Sessions,
        &reader,
        told,
        &body,
    ))
}
