//! Downloads a person's file from the Bot API server to the disk, in pieces.
//!
//! `getFile` says where it is: below `/file/bot<token>/`, or, with a local server (`--local`), at a path of this
//! machine. One try; the caller decides what follows a failure.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use tokio::io::AsyncWriteExt;

use super::api::{Api, ApiError};
use super::error::About;
use crate::domain::update::File;

/// Bot API: the largest file of Telegram's own server, in bytes.
const LARGEST_OF_TELEGRAM: u64 = 20 * 1024 * 1024;
/// Bot API: the largest file of a local server.
const LARGEST: u64 = 2_000 * 1024 * 1024;
/// A download is given up after so long without data.
const SILENCE: Duration = Duration::from_secs(60);

/// Why a try brought no file.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error("{0}")]
    Telegram(#[from] ApiError),
    #[error("the connection was cut")]
    Cut,
    #[error("it is larger than Telegram gives to bots")]
    TooLarge,
    #[error("it is larger than 2,000 MB")]
    MuchTooLarge,
    /// A local server's file that this process cannot read.
    #[error("{} cannot be read", .0.display())]
    OutOfReach(PathBuf),
    /// Writing it failed.
    #[error("{0}")]
    Disk(io::Error),
}

/// Bot API: `File`.
#[derive(Deserialize)]
struct Located {
    file_path: Option<String>,
    file_size: Option<u64>,
}

/// Writes the file to `to`, replacing what was there, and returns its path at the server. `heard` gets the bytes
/// received so far.
pub async fn fetch(
    api: &Api,
    file: &File,
    to: &Path,
    heard: &(dyn Fn(u64) + Sync),
) -> Result<String, FetchError> {
    if api.is_telegrams_own() && file.bytes.is_some_and(|bytes| bytes > LARGEST_OF_TELEGRAM) {
        return Err(FetchError::TooLarge);
    }
    let located: Located = match api.call("getFile", &json!({"file_id": file.id})).await {
        Err(error) if error.is_about(About::Size) => return Err(FetchError::TooLarge),
        answer => answer?,
    };
    let size = located.file_size.or(file.bytes);
    if size.is_some_and(|size| size > LARGEST) {
        return Err(FetchError::MuchTooLarge);
    }
    let path = located.file_path.ok_or(FetchError::Cut)?;
    let here = Path::new(&path);
    // Telegram's own server is on another machine: it cannot know a path of this one.
    if here.is_absolute() && !api.is_telegrams_own() {
        copy(here, to).await?;
    } else {
        download(api, &path, located.file_size, to, heard).await?;
    }
    Ok(path)
}

async fn download(
    api: &Api,
    path: &str,
    size: Option<u64>,
    to: &Path,
    heard: &(dyn Fn(u64) + Sync),
) -> Result<(), FetchError> {
    let mut download = tokio::time::timeout(SILENCE, api.download(path))
        .await
        .map_err(|_| FetchError::Cut)??;
    let size = size.or(download.bytes());
    let mut file = tokio::fs::OpenOptions::from(written())
        .open(to)
        .await
        .map_err(FetchError::Disk)?;
    let mut come: u64 = 0;
    loop {
        let piece = tokio::time::timeout(SILENCE, download.next())
            .await
            .map_err(|_| FetchError::Cut)??;
        let Some(piece) = piece else {
            break;
        };
        come += piece.len() as u64;
        if come > LARGEST {
            return Err(FetchError::MuchTooLarge);
        }
        file.write_all(&piece).await.map_err(FetchError::Disk)?;
        heard(come);
    }
    if size.is_some_and(|size| size != come) {
        return Err(FetchError::Cut);
    }
    file.sync_all().await.map_err(FetchError::Disk)
}

async fn copy(from: &Path, to: &Path) -> Result<(), FetchError> {
    let (from, to) = (from.to_owned(), to.to_owned());
    let copying = tokio::task::spawn_blocking(move || {
        let out_of_reach = |_| FetchError::OutOfReach(from.clone());
        if !std::fs::metadata(&from).map_err(out_of_reach)?.is_file() {
            return Err(FetchError::OutOfReach(from));
        }
        let mut source = std::fs::File::open(&from).map_err(out_of_reach)?;
        let mut file = written().open(&to).map_err(FetchError::Disk)?;
        io::copy(&mut source, &mut file).map_err(FetchError::Disk)?;
        file.sync_all().map_err(FetchError::Disk)
    });
    copying
        .await
        .unwrap_or_else(|error| Err(FetchError::Disk(io::Error::other(error))))
}

/// Readable by this user alone.
fn written() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options
}
