//! Files that people have sent: `getFile`, and their download.

use std::path::PathBuf;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::{Value, json};

use super::BotApi;
use super::checks::{Refusal, bad};

/// The largest file a bot gets from Telegram's own server, in bytes. Bot API: 20 MB.
const LARGEST: usize = 20 * 1024 * 1024;

/// All files of the server.
#[derive(Default)]
pub(super) struct Files(Vec<(String, Place)>);

/// Where a file is.
pub(super) enum Place {
    /// On the server, at this path below its address.
    Remote { path: String, content: Bytes },
    /// On this machine: a local server.
    Local(PathBuf),
}

impl Files {
    /// Returns its `file_id`.
    pub(super) fn put(&mut self, place: Place) -> String {
        let id = format!("file-{}", self.0.len() + 1);
        self.put_as(&id, place);
        id
    }

    pub(super) fn put_as(&mut self, id: &str, place: Place) {
        self.0.push((id.to_owned(), place));
    }

    /// Bot API: `getFile`.
    pub(super) fn get_file(&self, arguments: &Value) -> Result<Value, Refusal> {
        let id = arguments["file_id"].as_str().unwrap_or_default();
        let found = self.0.iter().find(|(known, _)| known == id);
        let (_, place) =
            found.ok_or_else(|| bad("wrong file_id or the file is temporarily unavailable"))?;
        let (path, size) = match place {
            Place::Remote { content, .. } if content.len() > LARGEST => {
                return Err(bad("file is too big"));
            }
            Place::Remote { path, content } => (path.clone(), content.len() as u64),
            Place::Local(path) => {
                let size = std::fs::metadata(path).map_or(0, |file| file.len());
                (path.display().to_string(), size)
            }
        };
        Ok(json!({
            "file_id": id, "file_unique_id": format!("unique-{id}"), "file_size": size, "file_path": path,
        }))
    }

    fn content(&self, path: &str) -> Option<Bytes> {
        self.0.iter().find_map(|(_, place)| match place {
            Place::Remote { path: at, content } if at == path => Some(content.clone()),
            _ => None,
        })
    }
}

/// `GET /file/bot<token>/<path>`
pub(super) async fn download(
    State(api): State<BotApi>,
    Path((bot, path)): Path<(String, String)>,
) -> Response {
    let server = api.lock();
    if bot != format!("bot{}", server.token) {
        return refusal(StatusCode::UNAUTHORIZED, "Unauthorized");
    }
    match server.files.content(&path) {
        Some(content) => content.into_response(),
        None => refusal(StatusCode::NOT_FOUND, "Not Found"),
    }
}

fn refusal(code: StatusCode, description: &str) -> Response {
    let body = json!({"ok": false, "error_code": code.as_u16(), "description": description});
    (code, axum::Json(body)).into_response()
}
