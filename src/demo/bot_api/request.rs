//! A call's arguments, as JSON or as a form with a file in it.

use axum::extract::{FromRequest, Multipart, Request};
use axum::http::header;
use serde_json::{Map, Value, json};

/// The arguments of a call, from JSON or from a form with a file in it.
pub(super) async fn arguments_of(request: Request) -> (Value, Option<(String, Vec<u8>)>) {
    let is_form = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|kind| kind.starts_with("multipart/"));
    if !is_form {
        let body = axum::body::to_bytes(request.into_body(), usize::MAX)
            .await
            .unwrap_or_default();
        return (serde_json::from_slice(&body).unwrap_or(json!({})), None);
    }
    let mut arguments = Map::new();
    let mut file = None;
    if let Ok(mut form) = Multipart::from_request(request, &()).await {
        while let Ok(Some(field)) = form.next_field().await {
            let name = field.name().unwrap_or_default().to_owned();
            let file_name = field.file_name().map(str::to_owned);
            let bytes = field.bytes().await.unwrap_or_default();
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
    (Value::Object(arguments), file)
}
