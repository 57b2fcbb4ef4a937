//! `GET /healthz` and `GET /metrics`, for monitors. They need no login, and tell nothing of what is worked on.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Web;
use super::readings::{Readings, resident_memory};
use super::report;
use crate::health::Vitals;
use crate::metrics::CONTENT_TYPE;
use crate::store::counts::{self, Counts};

/// How long the store may take to answer. A monitor waits for ten seconds.
const STORE_LIMIT: Duration = Duration::from_secs(3);

pub(super) async fn look(web: &Web) -> (Vitals, Option<Counts>) {
    let at_store = async {
        let _alone = web.looking.lock().await;
        web.store.transaction(counts::read).await
    };
    let (vitals, counts) = web.health.look(STORE_LIMIT, at_store).await;
    let waits_for = counts.map_or(Duration::ZERO, |counts| counts.updates_oldest_waiting);
    let vitals = vitals.with_oldest_update(waits_for, web.store.takes_changes());
    (vitals, counts)
}

pub(super) async fn healthz(State(web): State<Arc<Web>>) -> Response {
    let (vitals, counts) = look(&web).await;
    let status = match vitals.is_alive() {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    let report = report::of(&vitals, counts.as_ref(), web.started.elapsed());
    let headers = [(header::CACHE_CONTROL, "no-store")];
    (status, headers, axum::Json(report)).into_response()
}

/// Answers even if the store does not: the counts are in memory.
pub(super) async fn metrics(State(web): State<Arc<Web>>) -> Response {
    let (vitals, counts) = look(&web).await;
    let readings = Readings {
        vitals,
        counts,
        uptime: web.started.elapsed(),
        resident_memory: resident_memory(),
    };
    let headers = [(header::CONTENT_TYPE, CONTENT_TYPE)];
    (headers, web.metrics.text(&readings.registry())).into_response()
}
