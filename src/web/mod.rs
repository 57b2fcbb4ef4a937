//! The page for monitors on `TELECODER_WEB_ADDR`: `GET /healthz` and `GET /metrics`. Only reads.
//!
//! # What it must not do
//! Delay the bot. It has few connections, each with its own limit, and queries the store one at a time and briefly. If
//! its address is taken, the bot runs without it, says so once and tries again: a monitor notices that nothing answers,
//! while a bot that did not start would leave the chat with nothing. (An invalid address is a fault in the settings,
//! found earlier.)
//!
//! `report` is the text of `/healthz`; [`metrics`](crate::metrics) counts.

mod readings;
mod report;
pub mod show;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, Semaphore};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::health::{Health, Vitals};
use crate::metrics::{CONTENT_TYPE, Metrics};
use crate::store::Store;
use crate::store::counts::{self, Counts};
use readings::{Readings, resident_memory};

/// The most connections at the same time; the next one waits.
const CONNECTIONS: usize = 16;
/// How long one connection may take; a slower client is cut off.
const CONNECTION_LIMIT: Duration = Duration::from_secs(10);
/// The most bytes of a request's line and headers; hyper takes no less.
const REQUEST_BYTES: usize = 8 * 1024;
/// How long the store may take to answer. A monitor waits for ten seconds.
const STORE_LIMIT: Duration = Duration::from_secs(3);
/// The pause before a taken address is tried again.
const PAUSE: Duration = Duration::from_secs(5);

/// The page for monitors.
pub struct Web {
    pub address: SocketAddr,
    pub store: Store,
    pub health: Health,
    pub metrics: Metrics,
    /// When the bot was started.
    pub started: Instant,
    /// Locked during a query to the store.
    pub looking: Mutex<()>,
}

impl Web {
    /// Serves until `quit`.
    pub async fn serve(self, quit: CancellationToken) {
        let listener = tokio::select! {
            listener = listen(self.address) => listener,
            () = quit.cancelled() => return,
        };
        let router = Router::new()
            .route("/healthz", get(healthz))
            .route("/metrics", get(metrics))
            .with_state(Arc::new(self));
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            let place = Arc::clone(&places)
                .acquire_owned()
                .await
                .expect("nobody closes it");
            let stream = tokio::select! {
                stream = accept(&listener) => stream,
                () = quit.cancelled() => return,
            };
            let (router, quit) = (router.clone(), quit.clone());
            tokio::spawn(async move {
                tokio::select! {
                    () = converse(stream, router) => {}
                    () = quit.cancelled() => {}
                }
                drop(place);
            });
        }
    }

    async fn look(&self) -> (Vitals, Option<Counts>) {
        let at_store = async {
            let _alone = self.looking.lock().await;
            self.store.transaction(counts::read).await
        };
        let (vitals, counts) = self.health.look(STORE_LIMIT, at_store).await;
        let waits_for = counts.map_or(Duration::ZERO, |counts| counts.updates_oldest_waiting);
        let vitals = vitals.with_oldest_update(waits_for, self.store.takes_changes());
        (vitals, counts)
    }
}

async fn listen(address: SocketAddr) -> TcpListener {
    let mut told = false;
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => {
                // With port 0 it is another one than was asked for.
                let address = listener.local_addr().unwrap_or(address);
                info!(%address, "health and metrics can be read here: /healthz, /metrics");
                return listener;
            }
            Err(error) if !told => warn!(
                %address,
                %error,
                "health and metrics cannot be shown; the bot works without them and tries again. Is another program \
                 there? TELECODER_WEB_ADDR says where"
            ),
            Err(error) => debug!(%address, %error, "health and metrics still cannot be shown"),
        }
        told = true;
        tokio::time::sleep(PAUSE).await;
    }
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) => {
                debug!(%error, "a connection could not be taken");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}

/// One request and its answer.
async fn converse(stream: TcpStream, router: Router) {
    let conversation = http1::Builder::new()
        .keep_alive(false)
        .max_buf_size(REQUEST_BYTES)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    match tokio::time::timeout(CONNECTION_LIMIT, conversation).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => debug!(%error, "a monitor's request was not understood"),
        Err(_) => debug!("a monitor was too slow and was cut off"),
    }
}

async fn healthz(State(web): State<Arc<Web>>) -> Response {
    let (vitals, counts) = web.look().await;
    let status = match vitals.is_alive() {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    let report = report::of(&vitals, counts.as_ref(), web.started.elapsed());
    let headers = [(header::CACHE_CONTROL, "no-store")];
    (status, headers, axum::Json(report)).into_response()
}

/// Answers even if the store does not: the counts are in memory.
async fn metrics(State(web): State<Arc<Web>>) -> Response {
    let (vitals, counts) = web.look().await;
    let readings = Readings {
        vitals,
        counts,
        uptime: web.started.elapsed(),
        resident_memory: resident_memory(),
    };
    let headers = [(header::CONTENT_TYPE, CONTENT_TYPE)];
    (headers, web.metrics.text(&readings.registry())).into_response()
}
