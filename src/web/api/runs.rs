//! `GET /runs/ID`: how a run stands, and what came of it.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use uuid::Uuid;

use super::super::Web;
use super::super::found::{Found, get, on_disk};
use super::body::json;
use super::problem::Problem;
use super::{Caller, Reader, answers};
use crate::claude::folder::RunFolder;
use crate::domain::id::RunId;
use crate::public::{Evidence, LastRun, time};
use crate::store::{page, verifications};

#[derive(Serialize)]
struct Run {
    session: String,
    #[serde(flatten)]
    run: LastRun,
    queued_at: String,
    was_undone: bool,
    /// It has ended, and nothing follows it any more: what is measured is there.
    is_over: bool,
    /// `None` while it has not ended, and if its record is not kept any more.
    answers: Option<Vec<String>>,
    /// `None` if nothing was measured yet.
    evidence: Option<Evidence>,
}

/// The run, if the caller may see it.
pub(super) async fn find(web: &Web, caller: &Reader, run: &str) -> Result<Found, Problem> {
    let run = Uuid::parse_str(run).map_err(|_| Problem::not_found())?;
    Ok(get(web, caller, RunId(run)).await?)
}

pub(super) async fn one(
    State(web): State<Arc<Web>>,
    caller: Caller,
    Path(run): Path<String>,
) -> Result<Response, Problem> {
    let Found { session, line, .. } = find(&web, &caller, &run).await?;
    let id = line.id;
    let (run, record, measured, standing) = web
        .store
        .transaction(move |db| {
            // Whether it is over is read first: what is measured is stored before that.
            let standing = page::standing(db, id)?;
            let record = crate::store::records::of_run(db, id)?;
            let measured = verifications::of_run(db, id)?;
            Ok((LastRun::read(db, id)?, record, measured, standing))
        })
        .await?;
    let run = run.ok_or_else(Problem::not_found)?;
    let folder = RunFolder::new(web.runs.join(record.process.to_string()));
    let has_ended = run.state == LastRun::ENDED;
    let answers = match has_ended {
        true => on_disk(move || answers::read(folder, &record)).await?.ok(),
        false => None,
    };
    let answer = Run {
        session: session.id.0,
        run,
        queued_at: time(line.queued_at),
        was_undone: line.was_undone,
        is_over: standing.is_over,
        answers,
        evidence: measured.as_ref().map(Evidence::from),
    };
    Ok(json(StatusCode::OK, &answer))
}

/// The word for a state, from the store's.
pub(super) fn state_named(stored: &str) -> &'static str {
    match stored {
        "queued" => "waiting",
        "running" => "running",
        _ => LastRun::ENDED,
    }
}
