//! A call's arguments, as JSON or as a form with a file in it.

use axum::extract::multipart::MultipartError;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value, json};

use super::LARGEST_FILE;
use super::checks::{Refusal, bad};

/// The arguments of a call, from JSON or from a form with a file in it. Refused if it is larger than the server takes.
pub(super) async fn arguments_of(
    request: Request,
) -> Result<(Value, Option<(String, Vec<u8>)>), Refusal> {
    let is_form = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|kind| kind.starts_with("multipart/"));
    if !is_form {
        let body = axum::body::to_bytes(request.into_body(), usize::MAX)
            .await
            .unwrap_or_default();
        return Ok((serde_json::from_slice(&body).unwrap_or(json!({})), None));
    }
    let mut arguments = Map::new();
    let mut file = None;
    if let Ok(mut form) = Multipart::from_request(request, &()).await {
        while let Some(field) = form.next_field().await.map_err(unread)? {
            let name = field.name().unwrap_or_default().to_owned();
            let file_name = file_name_in(field.headers());
            let bytes = field.bytes().await.map_err(unread)?;
            if bytes.len() > LARGEST_FILE {
                return Err(too_large());
            }
            match file_name {
                Some(file_name) => file = Some((file_name, bytes.to_vec())),
                None => {
                    let text = String::from_utf8_lossy(&bytes).into_owned();
                    let value = serde_json::from_str(&text).unwrap_or(Value::String(text));
                    arguments.insert(name, value);
                }
            }
        }
    }
    Ok((Value::Object(arguments), file))
}

fn unread(error: MultipartError) -> Refusal {
    match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => too_large(),
        _ => bad("can't parse form data"),
    }
}

fn too_large() -> Refusal {
    Refusal(413, "Request Entity Too Large".into())
}

/// As the Bot API's server reads it (tdlib: `HttpReader`): up to the next semicolon, nothing unescaped, and only
/// `filename`; a part with a `filename*` alone is no file to it.
fn file_name_in(headers: &HeaderMap) -> Option<String> {
    let disposition = headers.get(header::CONTENT_DISPOSITION)?.as_bytes();
    let disposition = String::from_utf8_lossy(disposition);
    disposition.split(';').find_map(|part| {
        let (key, value) = part.split_once('=')?;
        (key.trim() == "filename").then(|| value.trim().trim_matches('"').to_owned())
    })
}
