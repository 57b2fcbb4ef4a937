//! The stylesheet and the scripts; they come with the program.

use axum::http::header;
use axum::response::{IntoResponse, Response};

const STYLE: &str = concat!(
    include_str!("page.css"),
    include_str!("show.css"),
    include_str!("diff.css")
);
const SCRIPT: &str = include_str!("page.js");
const SCRIPT_OF_DIFFS: &str = include_str!("diff.js");
/// A dot of the page's color: a browser asks for an icon anyway.
const ICON: &str = concat!(
    r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">"#,
    r##"<circle cx="8" cy="8" r="6" fill="#0b62c4"/></svg>"##
);
/// A browser asks again after an upgrade: the addresses have the version in them.
const KEPT: &str = "private, max-age=86400";

pub(super) async fn style() -> Response {
    served("text/css; charset=utf-8", STYLE)
}

pub(super) async fn script() -> Response {
    served("text/javascript; charset=utf-8", SCRIPT)
}

pub(super) async fn script_of_diffs() -> Response {
    served("text/javascript; charset=utf-8", SCRIPT_OF_DIFFS)
}

pub(super) async fn icon() -> Response {
    served("image/svg+xml", ICON)
}

fn served(kind: &'static str, content: &'static str) -> Response {
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, KEPT)];
    (headers, content).into_response()
}
