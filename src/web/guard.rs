//! Refuses requests that do not come from a page of this bot, and says what a browser may do with the answer.
//!
//! A page of somebody else's can make a browser ask here, under a name of its own that leads to this machine (DNS
//! rebinding) or from its own place (cross-site request forgery). The name that was asked for (`Host`) and where a
//! change comes from (`Origin`, `Sec-Fetch-Site`) say so; a form also has to bring what only a page of the same browser
//! knows ([`super::reader::Reader::form_key`]).

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::info;

use super::Web;
use super::refusal::Refusal;
use crate::config::PageAddress;

/// Nothing but what this bot serves, nothing written into the page, and no frame but Telegram's own clients.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; \
    form-action 'self'; base-uri 'none'; frame-ancestors https://web.telegram.org https://*.telegram.org";

pub(super) async fn check(State(web): State<Arc<Web>>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let refused = match () {
        () if !is_known_host(headers, &web.page) => Some("it was asked under another name"),
        () if changes(request.method()) && !is_from_here(headers) => {
            Some("it came from another page")
        }
        () => None,
    };
    let mut response = match refused {
        Some(reason) => {
            info!(
                reason,
                path = request.uri().path(),
                "a request to the page was refused"
            );
            Refusal::Foreign.into_response()
        }
        None => next.run(request).await,
    };
    restrict(&mut response);
    response
}

/// Says what a browser may do with an answer.
pub(super) fn restrict(response: &mut Response) {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        // Without any, a form would not say where it comes from.
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

fn changes(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD)
}

/// Names of this machine, an address, or the name in `TELECODER_WEB_URL`: none that somebody else can have a page
/// under.
pub(super) fn is_known_host(headers: &HeaderMap, page: &PageAddress) -> bool {
    let Some(host) = text(headers, header::HOST) else {
        return false;
    };
    let name = name_of(host);
    let is_address = name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
    is_address || name.eq_ignore_ascii_case("localhost") || page.is_at(host)
}

/// A host without its port.
fn name_of(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

/// A browser says where a change comes from; a program that is none says nothing.
fn is_from_here(headers: &HeaderMap) -> bool {
    let site = text(headers, HeaderName::from_static("sec-fetch-site"));
    if site.is_some_and(|site| !matches!(site, "same-origin" | "none")) {
        return false;
    }
    let Some(origin) = text(headers, header::ORIGIN) else {
        return true;
    };
    let of_origin = origin.split_once("://").map(|(_, host)| host);
    of_origin.is_some() && of_origin == text(headers, header::HOST)
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}
