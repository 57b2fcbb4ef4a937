//! A file as an answer, read while it is sent.
//!
//! Who may have it, and that its name says nothing of a secret, is the caller's to know.

use std::fs::File;
use std::io;
use std::path::Path;

use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream::{self, Stream};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::io::AsyncReadExt;

use super::Longer;
use crate::job::beneath::{Place, Root};

/// How much is read at once.
const PIECE: usize = 64 * 1024;
/// RFC 8187: what stands for itself in a parameter.
const PARAMETER: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');

/// A file that can be sent.
pub(super) struct Found {
    file: File,
    /// Its path below the folder, as it really is.
    pub name: String,
    length: u64,
}

/// Why a file cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotFound {
    Missing,
    Outside,
    Folder,
    Unreadable,
    TooLarge,
}

/// Opens a file below a folder.
pub(super) fn open(folder: &Path, wanted: &Path, largest: u64) -> Result<Found, NotFound> {
    let root = Root::new(folder).map_err(|_| NotFound::Missing)?;
    let path = match root.place(wanted) {
        Ok(Place::At(path)) => path,
        Ok(Place::Outside) => return Err(NotFound::Outside),
        Ok(Place::Missing) | Err(_) => return Err(NotFound::Missing),
    };
    if path.is_dir() {
        return Err(NotFound::Folder);
    }
    let name = root.name(&path);
    let file = root.open(&path).map_err(|_| NotFound::Unreadable)?;
    let length = file.metadata().map_err(|_| NotFound::Unreadable)?.len();
    match length > largest {
        true => Err(NotFound::TooLarge),
        false => Ok(Found { file, name, length }),
    }
}

impl Found {
    /// As something to keep, never as a page: what is in it is nobody's to run here.
    pub(super) fn into_answer(self, longer: &Longer) -> Response {
        longer.allow();
        let last = Path::new(&self.name).file_name().unwrap_or_default();
        let last = last.to_string_lossy();
        let name = utf8_percent_encode(&last, PARAMETER);
        let disposition = format!("attachment; filename*=UTF-8''{name}");
        let headers = [
            (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
            (header::CONTENT_LENGTH, self.length.to_string()),
            (header::CONTENT_DISPOSITION, disposition),
        ];
        (headers, Body::from_stream(pieces(self.file, self.length))).into_response()
    }
}

/// As many bytes as were promised: the file may grow meanwhile. One that shrinks breaks the answer off.
fn pieces(file: File, length: u64) -> impl Stream<Item = io::Result<Bytes>> {
    let file = tokio::fs::File::from_std(file).take(length);
    stream::unfold(Some(file), |file| async {
        let mut file = file?;
        let mut piece = vec![0; PIECE];
        match file.read(&mut piece).await {
            Ok(0) => None,
            Ok(read) => {
                piece.truncate(read);
                Some((Ok(piece.into()), Some(file)))
            }
            Err(error) => Some((Err(error), None)),
        }
    })
}
