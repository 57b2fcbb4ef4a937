//! The frame of every page.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};
use percent_encoding::percent_decode_str;

use super::super::act::TOLD;
use super::super::reader::{Reader, cookie};

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The words of a press are short.
const TOLD_MOST: usize = 200;

/// Words that the last press has left for this page.
pub(in super::super) struct Told(Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for Told {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Told, Self::Rejection> {
        let words = cookie(parts, TOLD)
            .and_then(|words| percent_decode_str(words).decode_utf8().ok())
            .filter(|words| !words.is_empty() && words.len() <= TOLD_MOST);
        Ok(Told(words.map(String::from)))
    }
}

/// Where somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Place {
    Sessions,
    Now,
    Routines,
    People,
    Settings,
    Health,
}

/// A page for somebody who is logged in.
pub(in super::super) fn page(
    title: &str,
    place: Place,
    reader: &Reader,
    told: Told,
    body: &Markup,
) -> Response {
    let of_owner = reader.is_owner;
    let places = [
        (Place::Sessions, "/", "Sessions", true),
        (Place::Now, "/now", "Now", true),
        (Place::Routines, "/routines", "Routines", true),
        (Place::People, "/people", "People", of_owner),
        (Place::Settings, "/settings", "Settings", of_owner),
        (Place::Health, "/health", "Health", of_owner),
    ];
    let header = html! {
        header.top {
            a.skip href="#main" { "To the content" }
            nav aria-label="Pages" {
                @for (other, address, name, _) in places.iter().filter(|(.., is_shown)| *is_shown) {
                    a href=(address) aria-current=[(*other == place).then_some("page")] { (name) }
                }
            }
            form method="post" action="/out" {
                (form_key(reader))
                button.quiet title="Log this browser out" { "Log out" }
            }
        }
        @if let Some(words) = &told.0 {
            p.told role="status" { (words) }
        }
    };
    let mut response = whole(title, &header, body);
    if told.0.is_some() {
        let over = format!("{TOLD}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
        if let Ok(over) = HeaderValue::from_str(&over) {
            response.headers_mut().append(header::SET_COOKIE, over);
        }
    }
    response
}

/// A page for anybody.
pub(in super::super) fn bare(title: &str, body: &Markup) -> Response {
    whole(title, &html! {}, body)
}

/// The field that every form needs.
pub(in super::super) fn form_key(reader: &Reader) -> Markup {
    html! { input type="hidden" name="key" value=(reader.form_key()); }
}

fn whole(title: &str, header: &Markup, body: &Markup) -> Response {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · telecoder" }
                link rel="icon" href="/page.svg";
                link rel="stylesheet" href={ "/page.css?" (VERSION) };
                script src={ "/page.js?" (VERSION) } defer {}
            }
            body {
                (header)
                main #main tabindex="-1" { (body) }
            }
        }
    };
    Html(page.into_string()).into_response()
}
