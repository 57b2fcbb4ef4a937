//! JSON on its way in, within limits, and on its way out, without secrets.

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::StreamExt;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::problem::Problem;
use crate::domain::shown::size;
use crate::redact::Redactor;

/// The most bytes of a body.
const MOST: usize = 256 * 1024;
/// So many times of that is still read of a body that is too large: whoever sends it reads the answer only then.
const READ_MORE: usize = 4;

/// A body, read.
pub(super) struct Given<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Given<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Given<T>, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::of(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        }
        let length = length_of(request.headers());
        let bytes = read_up_to(request.into_body(), length, MOST).await?;
        serde_json::from_slice(&bytes).map(Given).map_err(|error| {
            Problem::invalid(format!("The body does not fit: {error}. Nothing was done."))
        })
    }
}

pub(in super::super) fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json")
}

pub(in super::super) fn length_of(headers: &HeaderMap) -> usize {
    let length = headers.get(header::CONTENT_LENGTH);
    length
        .and_then(|length| length.to_str().ok()?.parse().ok())
        .unwrap_or(0)
}

/// The whole body, if it has no more than so many bytes. `length`: as its sender says.
pub(in super::super) async fn read_up_to(
    body: Body,
    length: usize,
    most: usize,
) -> Result<Bytes, Problem> {
    let too_large = || {
        let told = format!(
            "The body has more than {}. Nothing was done.",
            size(most as u64)
        );
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, told)
    };
    if length > most * READ_MORE {
        return Err(too_large());
    }
    let (mut bytes, mut read) = (Vec::new(), 0);
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece
            .map_err(|_| Problem::invalid("The body did not come whole. Nothing was done."))?;
        read += piece.len();
        if read > most * READ_MORE {
            break;
        }
        if read <= most {
            bytes.extend_from_slice(&piece);
        }
    }
    match read > most {
        true => Err(too_large()),
        false => Ok(bytes.into()),
    }
}

/// An answer. What others wrote in it has no secrets.
pub(super) fn json(status: StatusCode, answer: &impl Serialize) -> Response {
    (status, axum::Json(without_secrets(answer))).into_response()
}

/// An object without secrets.
pub(super) fn without_secrets(object: &impl Serialize) -> Value {
    let redactor = Redactor::of_this_process();
    in_all_texts(object, &|text| redactor.clean(text))
}

/// An object that is to be judged: everything stays that an answer sets going.
pub(super) fn to_judge(object: &impl Serialize) -> Value {
    let redactor = Redactor::of_this_process();
    in_all_texts(object, &|text| {
        *text = redactor.text_to_judge(text).into_owned()
    })
}

fn in_all_texts(object: &impl Serialize, change: &impl Fn(&mut String)) -> Value {
    let mut value = serde_json::to_value(object).expect("texts and numbers can be written");
    walk(&mut value, change);
    value
}

fn walk(value: &mut Value, change: &impl Fn(&mut String)) {
    match value {
        Value::String(text) => change(text),
        Value::Array(values) => values.iter_mut().for_each(|value| walk(value, change)),
        Value::Object(fields) => fields.values_mut().for_each(|value| walk(value, change)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
