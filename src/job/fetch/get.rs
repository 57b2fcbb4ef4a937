//! Gets one file to its place in the session's inbox, in several tries if needed.

use std::path::{Path, PathBuf};
use std::time::Duration;

use fail::fail_point;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use tracing::debug;

use super::{AtHand, coming, disk, make_folder};
use crate::domain::fetched::MissedCause;
use crate::domain::update::{File, FileKind};
use crate::files::{self, numbered, safe_name};
use crate::job::AtWork;
use crate::store::StoreError;
use crate::store::attachments::{self, Attachment};
use crate::telegram::api::ApiError;
use crate::telegram::files::{FetchError, fetch};

/// How many tries there are. One does not count if Telegram cannot be reached or puts it off.
const TRIES: u32 = 10;
/// How often to ask for a file that Telegram does not know: it says so too if it cannot get at one for a moment.
const TRIES_OF_UNKNOWN: u32 = 4;
/// Between two tries; twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Returns the file's path. Errors of the store are the outer ones.
pub(super) async fn get(
    work: &AtWork<'_>,
    attachment: &Attachment,
    at_hand: &AtHand,
) -> Result<Result<PathBuf, MissedCause>, StoreError> {
    if let Some(path) = attachment.path.as_ref().filter(|path| path.exists()) {
        // An interrupted try had come this far.
        return Ok(Ok(path.clone()));
    }
    let inbox = files::inbox(&work.handles.data, &work.session.id);
    for folder in [coming(work), inbox.clone()] {
        if let Err(why) = make_folder(folder).await {
            return Ok(Err(why));
        }
    }
    let part = coming(work).join(attachment.id.0.to_string());
    let name = match try_to_get(work, attachment, &part, at_hand).await {
        Ok(remote) => name_of(&attachment.file, &remote, attachment.sent_at),
        Err(why) => return Ok(Err(why)),
    };
    fail_point!("file-fetched", |_| std::process::abort());
    place(work, attachment, &part, &inbox, &name).await
}

/// Returns the server's name for it.
async fn try_to_get(
    work: &AtWork<'_>,
    attachment: &Attachment,
    part: &Path,
    at_hand: &AtHand,
) -> Result<String, MissedCause> {
    let heard = |bytes| at_hand.come(bytes);
    let mut pause = FIRST_PAUSE;
    let mut tries = 0;
    let mut unknown = 0;
    loop {
        let api = &work.handles.fetching.api;
        let error = match fetch(api, &attachment.file, part, &heard).await {
            Ok(remote) => return Ok(remote),
            Err(error) => error,
        };
        debug!(chat = %work.job.at, %error, "a file did not come");
        if let FetchError::Telegram(ApiError::Flood(asked_for)) = &error {
            tokio::time::sleep(*asked_for).await;
            continue;
        }
        if !matches!(error, FetchError::Telegram(ApiError::NotSent(_))) {
            tries += 1;
        }
        let why = match error {
            FetchError::TooLarge => return Err(MissedCause::TooLarge),
            FetchError::MuchTooLarge => return Err(MissedCause::MuchTooLarge),
            FetchError::OutOfReach(path) => {
                return Err(MissedCause::OutOfReach(path.display().to_string()));
            }
            FetchError::Telegram(ApiError::Refused {
                code: 400 | 404, ..
            }) => {
                unknown += 1;
                if unknown == TRIES_OF_UNKNOWN {
                    return Err(MissedCause::Gone);
                }
                MissedCause::Gone
            }
            FetchError::Disk(error) => disk(&error),
            FetchError::Telegram(error) => MissedCause::CutOff(in_words(&error)),
            FetchError::Cut => MissedCause::CutOff("the connection to Telegram was cut".to_owned()),
        };
        if tries == TRIES {
            return Err(why);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Stores the path before the file is there: so whatever is at that path is the whole file.
async fn place(
    work: &AtWork<'_>,
    attachment: &Attachment,
    part: &Path,
    inbox: &Path,
    name: &str,
) -> Result<Result<PathBuf, MissedCause>, StoreError> {
    let id = attachment.id;
    let mut number = 0;
    loop {
        number += 1;
        let path = inbox.join(numbered(name, number));
        if path.symlink_metadata().is_ok() {
            continue;
        }
        let planned = path.clone();
        let is_free = work
            .store()
            .transaction(move |db| attachments::set_path(db, id, &planned))
            .await?;
        if !is_free {
            continue;
        }
        match rename(part, &path) {
            Ok(()) => return Ok(Ok(path)),
            Err(Errno::EXIST) => {}
            Err(error) => return Ok(Err(disk(&error.into()))),
        }
    }
}

/// Never onto something that is there.
fn rename(from: &Path, to: &Path) -> rustix::io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // The file system cannot do this; nobody else writes there but claude.
        Err(Errno::INVAL | Errno::NOSYS) => rustix::fs::rename(from, to),
        renamed => renamed,
    }
}

/// For a person who sent a file; the log has the rest.
fn in_words(error: &ApiError) -> String {
    match error {
        ApiError::NotSent(_) => "Telegram cannot be reached".to_owned(),
        ApiError::Unanswered(_) => "the connection to Telegram was cut".to_owned(),
        said => said.to_string(),
    }
}

/// Its name in the inbox: the sender's, or its kind and when it was sent.
fn name_of(file: &File, remote: &str, sent_at: i64) -> String {
    if let Some(name) = &file.name {
        return safe_name(name);
    }
    let (kind, ending) = match file.kind {
        FileKind::Photo => ("photo", "jpg"),
        FileKind::Document => ("file", "bin"),
        FileKind::Audio => ("audio", "mp3"),
        FileKind::Video => ("video", "mp4"),
        FileKind::Animation => ("animation", "mp4"),
        FileKind::VideoNote => ("video-message", "mp4"),
        FileKind::Voice => ("voice", "oga"),
        FileKind::Sticker => ("sticker", "webp"),
    };
    let told = Path::new(remote)
        .extension()
        .and_then(|ending| ending.to_str())
        .filter(|ending| ending.len() <= 5 && ending.bytes().all(|b| b.is_ascii_alphanumeric()));
    let moment = Timestamp::from_millisecond(sent_at)
        .unwrap_or_else(|_| Timestamp::now())
        .to_zoned(TimeZone::system())
        .strftime("%Y-%m-%d-%H%M%S");
    format!("{kind}-{moment}.{}", told.unwrap_or(ending))
}
