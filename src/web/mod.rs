//! What is served on `TELECODER_WEB_ADDR`: the page for people (`pages`), what programs ask (`api`), and health and
//! numbers for monitors (`monitor`).
//!
//! A request passes `guard`, which refuses what comes from elsewhere, and `reader`, which says who asks. Rights are
//! asked for at every request, from where the chat's are ([`crate::inbox::page`]). The pages only read; what a button
//! on them does, `act` hands to the inbox. `live` follows a run while somebody looks. Whether a call that begins a
//! routine's work is genuine and meant, `hook` says.
//!
//! # What it must not do
//! Delay the bot. It has few connections, each with its own limit, and queries the store briefly. If its address is
//! taken, the bot runs without it, says so once and tries again: a monitor notices that nothing answers, while a bot
//! that did not start would leave the chat with nothing. (An invalid address is a fault in the settings, found
//! earlier.)

mod act;
pub mod api;
mod assets;
mod changes;
mod download;
mod found;
mod guard;
pub mod hook;
mod live;
mod monitor;
mod pages;
mod reader;
mod readings;
mod refusal;
mod remarks;
mod report;
pub mod show;
mod way_in;

pub use way_in::init_data;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use axum::http::Request;
use axum::routing::{get, post};
use axum::{Router, middleware};
use fail::fail_point;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use secrecy::SecretString;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, Semaphore};
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::config::PageAddress;
use crate::git::Git;
use crate::health::Health;
use crate::inbox::Inbox;
use crate::metrics::Metrics;
use crate::store::Store;
use crate::telegram::api::Api;
pub use hook::Rates;
pub use live::Hub;
pub use reader::Memberships;

/// The most connections at the same time; the next one waits.
const CONNECTIONS: usize = 192;
/// The most that follow a run; monitors and pages always find a place.
const LIVE_CONNECTIONS: usize = 128;
/// How many may ask git at the same time.
pub const PLACES_AT_GIT: usize = 2;
/// How long one connection may take; a slower client is cut off.
const CONNECTION_LIMIT: Duration = Duration::from_secs(30);
/// The same for one that follows a run; its browser comes again, and misses nothing.
const LIVE_LIMIT: Duration = Duration::from_secs(15 * 60);
/// How long a client may take nothing while something waits for it.
const WRITE_LIMIT: Duration = Duration::from_secs(20);
/// How long a client may take for the line and the headers of its request.
const HEADER_LIMIT: Duration = Duration::from_secs(10);
/// The most bytes of a request's line and headers; hyper takes no less.
const REQUEST_BYTES: usize = 8 * 1024;
/// The pause before a taken address is tried again.
const PAUSE: Duration = Duration::from_secs(5);

/// Everything that the page needs.
pub struct Web {
    pub address: SocketAddr,
    /// Where people find it.
    pub page: PageAddress,
    pub inbox: Arc<Inbox>,
    pub store: Store,
    pub health: Health,
    pub metrics: Metrics,
    /// For what only Telegram knows: who is in a group.
    pub api: Api,
    pub token: SecretString,
    /// The settings of the start, without their secrets, for the owner to see.
    pub settings: Vec<(&'static str, String)>,
    /// The data folder, and `runs/` in it.
    pub data: PathBuf,
    pub runs: PathBuf,
    /// When the bot was started.
    pub started: Instant,
    /// Locked while a monitor's query is at the store.
    pub looking: Mutex<()>,
    pub memberships: Memberships,
    pub hub: Hub,
    pub rates: Rates,
    /// Empty until the bot has asked the login shell where git is.
    pub git: Arc<OnceLock<Git>>,
    /// Who asks git takes one of these places.
    pub places_at_git: Arc<Semaphore>,
}

/// Whether a connection may take longer than a request does.
#[derive(Clone, Default)]
struct Longer(Arc<AtomicBool>);

impl Longer {
    fn allow(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_allowed(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Web {
    /// Serves until `quit`.
    pub async fn serve(self, quit: CancellationToken) {
        let listener = tokio::select! {
            listener = listen(self.address, &self.page, &self.data) => listener,
            () = quit.cancelled() => return,
        };
        let router = router(Arc::new(self));
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
}

fn router(web: Arc<Web>) -> Router {
    let for_people = Router::new()
        .route("/", get(pages::sessions::show))
        .route("/now", get(pages::now::show))
        .route("/routines", get(pages::routines::show))
        .route("/routines/{routine}/press", post(act::press_routine))
        .route("/people", get(pages::about::people))
        .route("/settings", get(pages::about::settings))
        .route("/health", get(pages::about::health))
        .route("/sessions/{session}", get(pages::session::show))
        .route("/sessions/{session}/prompt", post(act::prompt))
        .route("/sessions/{session}/do", post(act::work))
        .route("/sessions/{session}/press", post(act::press))
        .route("/runs/{run}", get(pages::run::show))
        .route("/runs/{run}/live", get(live::follow))
        .route("/runs/{run}/steps/{end}", get(pages::step::show))
        .route("/runs/{run}/checks/{kind}", get(pages::output::show))
        .route("/runs/{run}/in/{file}", get(pages::files::came))
        .route("/runs/{run}/out", get(pages::files::gave))
        .route("/runs/{run}/answer", post(act::answer))
        .route("/runs/{run}/diff", get(pages::diff::show))
        .route("/runs/{run}/remarks", post(remarks::send))
        .route("/in/{key}", get(way_in::offer).post(way_in::enter))
        .route("/app", get(way_in::app).post(way_in::enter_from_telegram))
        .route("/out", post(way_in::leave))
        .route("/page.css", get(assets::style))
        .route("/page.js", get(assets::script))
        .route("/page.svg", get(assets::icon))
        .route("/diff.js", get(assets::script_of_diffs))
        .fallback(refusal::nothing_here)
        .layer(middleware::from_fn_with_state(
            Arc::clone(&web),
            guard::check,
        ));
    Router::new()
        .route(
            "/hook/{name}",
            post(hook::call).fallback(hook::no_such_method),
        )
        .route("/healthz", get(monitor::healthz))
        .route("/metrics", get(monitor::metrics))
        .merge(for_people)
        .nest(api::PLACE, api::router(&web))
        .with_state(web)
}

async fn listen(address: SocketAddr, page: &PageAddress, data: &Path) -> TcpListener {
    let mut told = false;
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => {
                // With port 0 it is another one than was asked for.
                let address = listener.local_addr().unwrap_or(address);
                page.set(address);
                if let Err(error) = page.write_down(data) {
                    warn!(%error, "“telecoder web” will not know where the page is");
                }
                info!(%address, "the page, health and metrics can be read here: /, /healthz, /metrics");
                return listener;
            }
            Err(error) if !told => warn!(
                %address,
                %error,
                "the page, health and metrics cannot be shown; the bot works without them and tries again. Is \
                 another program there? TELECODER_WEB_ADDR says where"
            ),
            Err(error) => debug!(%address, %error, "the page still cannot be shown"),
        }
        told = true;
        tokio::time::sleep(PAUSE).await;
    }
}

/// As it is; no test waits that long.
fn patience(limit: Duration) -> Duration {
    fail_point!("page-limits", |_| Duration::from_secs(3));
    limit
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
    let longer = Longer::default();
    let router = TowerToHyperService::new(router);
    // As a layer of its own it would copy the whole router for each connection.
    let service = service_fn(|mut request: Request<Incoming>| {
        request.extensions_mut().insert(longer.clone());
        router.call(request)
    });
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(patience(WRITE_LIMIT)));
    let conversation = http1::Builder::new()
        .keep_alive(false)
        .timer(TokioTimer::new())
        .header_read_timeout(patience(HEADER_LIMIT))
        .max_buf_size(REQUEST_BYTES)
        .serve_connection(TokioIo::new(Box::pin(stream)), service);
    tokio::pin!(conversation);
    let ended = match tokio::time::timeout(CONNECTION_LIMIT, &mut conversation).await {
        Err(_) if longer.is_allowed() => tokio::time::timeout(LIVE_LIMIT, conversation).await,
        ended => ended,
    };
    match ended {
        Ok(Ok(())) => {}
        Ok(Err(error)) => debug!(%error, "a request was not understood, or its client is gone"),
        Err(_) => debug!("a client was too slow and was cut off"),
    }
}
