//! A plain gateway in front of a Bot API, as nginx is one: it passes on what comes, and refuses what is too large as
//! soon as it is told the length.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

const MOST: u64 = 50 * 1024 * 1024;

/// Ends with its runtime.
#[derive(Clone)]
pub struct Gateway {
    pub port: u16,
    to: String,
    refused: Arc<AtomicUsize>,
}

impl Gateway {
    /// `to` is the address of the Bot API.
    pub fn start(runtime: &Runtime, to: String) -> Gateway {
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
        let listener = listener.expect("a free port");
        let gateway = Gateway {
            port: listener.local_addr().expect("its number").port(),
            to,
            refused: Arc::default(),
        };
        let router = Router::new().fallback(pass).with_state(gateway.clone());
        runtime.spawn(async move { axum::serve(listener, router).await });
        gateway
    }

    /// How many requests were too large.
    pub fn refused(&self) -> usize {
        self.refused.load(Ordering::Relaxed)
    }
}

async fn pass(State(gateway): State<Gateway>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let length = head.headers.get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > MOST) {
        gateway.refused.fetch_add(1, Ordering::Relaxed);
        // nginx (`lingering_close`) hears the rest and throws it away.
        let mut rest = body.into_data_stream();
        tokio::spawn(async move { while rest.next().await.is_some_and(|piece| piece.is_ok()) {} });
        let page = "<html><h1>413 Request Entity Too Large</h1></html>";
        return (StatusCode::PAYLOAD_TOO_LARGE, page).into_response();
    }
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let passed = reqwest::Client::new()
        .request(head.method, format!("{}{}", gateway.to, head.uri))
        .headers(head.headers)
        .body(body)
        .send()
        .await;
    match passed {
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
        Ok(answer) => {
            let status = answer.status();
            let body = Body::from(answer.bytes().await.unwrap_or_default());
            (status, body).into_response()
        }
    }
}
