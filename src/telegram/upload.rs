//! A file of this machine on its way to Telegram: read piece by piece while it is sent.
//!
//! Its length is fixed when it is opened: Telegram is told it beforehand.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use futures::stream::{self, Stream};
use rustix::fs::{Mode, OFlags};
use tokio::fs::File;
use tokio::io::AsyncReadExt;

use super::api::ApiError;
use crate::chat::files::in_words;

const PIECE: u64 = 64 * 1024;

pub(super) struct Reading {
    file: File,
    /// In bytes.
    pub length: u64,
    /// Why it could not be read to its end.
    pub failure: Arc<OnceLock<String>>,
}

impl Reading {
    /// Opens a regular file, never a link, without ever blocking.
    pub async fn open(path: &Path) -> Result<Reading, ApiError> {
        let unreadable = |error: std::io::Error| ApiError::Unreadable(in_words(&error));
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let opened = rustix::fs::open(path, flags, Mode::empty());
        let file = File::from_std(opened.map_err(|error| unreadable(error.into()))?.into());
        let found = file.metadata().await.map_err(unreadable)?;
        if !found.is_file() {
            return Err(ApiError::Unreadable("it is not a file any more".to_owned()));
        }
        Ok(Reading {
            file,
            length: found.len(),
            failure: Arc::default(),
        })
    }

    pub fn stream(self) -> impl Stream<Item = std::io::Result<Bytes>> + Send + 'static {
        let Reading {
            file,
            length,
            failure,
        } = self;
        stream::try_unfold((file, length), move |(mut file, left)| {
            let failure = Arc::clone(&failure);
            async move {
                if left == 0 {
                    return Ok(None);
                }
                let piece = next_piece(&mut file, left)
                    .await
                    .inspect_err(|error| drop(failure.set(in_words(error))))?;
                let left = left - piece.len() as u64;
                Ok(Some((piece, (file, left))))
            }
        })
    }
}

async fn next_piece(file: &mut File, left: u64) -> std::io::Result<Bytes> {
    let mut piece = Vec::with_capacity(usize::try_from(left.min(PIECE)).unwrap_or(0));
    file.take(left.min(PIECE)).read_to_end(&mut piece).await?;
    if piece.is_empty() {
        return Err(std::io::Error::other("it became shorter meanwhile"));
    }
    Ok(piece.into())
}
