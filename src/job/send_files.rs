//! Sends what claude put into its outbox.
//!
//! The whole folder is moved away first, apart from what the next run hands over; then the messages are stored with the
//! job's end. After a crash, the job finds the moved folder and continues with it. No run is running in the session
//! meanwhile (the job's lane is the workspace's).

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use fail::fail_point;
use tokio_util::sync::CancellationToken;
use walkdir::WalkDir;

use super::at_work::{AtWork, Finished};
use super::beneath::Root;
use super::packing::{self, Member, NotPacked};
use super::secret;
use crate::chat::files::{self as words, NotSent, Why};
use crate::domain::id::{JobId, SessionId};
use crate::domain::outgoing::{Body, Outgoing, Stored};
use crate::files;
use crate::store::outbox;

/// More files than this come as one zip.
const MOST_FILES: usize = 10;
/// The longest new name for one that is no text, in bytes; a file system takes 255.
const READABLE_NAME: usize = 200;
/// A file that claude has put in place of its outbox.
const IN_ITS_PLACE: &str = "outbox";
/// Bot API: `sendPhoto`.
const LARGEST_PICTURE: u64 = 10 * 1024 * 1024;

/// Whether there is anything for the chat.
pub fn is_anything_there(data: &Path, session: &SessionId) -> bool {
    let outbox = files::outbox(data, session);
    match fs::read_dir(&outbox) {
        Ok(mut files) => files.next().is_some(),
        // Something else is in its place, or it cannot be read: the next run needs a new one.
        Err(_) => fs::symlink_metadata(&outbox).is_ok(),
    }
}

/// Which of the files are meant.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    /// A person is asked about those named like secrets.
    All,
    /// Somebody has been asked about these.
    Secrets,
}

/// Sends everything that is there after a run.
pub(super) async fn send(work: &AtWork<'_>) -> anyhow::Result<Finished> {
    hand_over(work, work.job.id, Which::All).await
}

/// Sends the files that an earlier job asked about.
pub(super) async fn send_secrets(work: &AtWork<'_>, of: JobId) -> anyhow::Result<Finished> {
    hand_over(work, of, Which::Secrets).await
}

async fn hand_over(work: &AtWork<'_>, of: JobId, which: Which) -> anyhow::Result<Finished> {
    let cancelled = CancellationToken::new();
    let taking = Taking {
        from: files::outbox(&work.handles.data, &work.session.id),
        to: files::sent(&work.handles.data, &work.session.id, of),
        folder: files::taken(&work.handles.data, &work.session.id, of),
        packed: files::sent(&work.handles.data, &work.session.id, work.job.id),
        of,
        which,
        largest: work.handles.fetching.api.largest_file(),
        cancelled: cancelled.clone(),
    };
    let kept = taking.folder.clone();
    let _cancels = cancelled.drop_guard();
    let mut taken = tokio::task::spawn_blocking(move || taking.messages());
    let messages = tokio::select! {
        messages = &mut taken => messages??,
        () = work.stopped() => return Ok(work.say(words::stopped(&kept)).await?),
        () = work.quit.cancelled() => return Ok(Finished::BotStops),
    };
    fail_point!("files-taken", |_| std::process::abort());
    let asked_by = work.job.asked_by;
    let done = work
        .end(move |db, at| {
            for message in messages {
                outbox::insert(db, at, &message.replying_to(asked_by))?;
            }
            Ok(())
        })
        .await?;
    fail_point!("files-written", |_| std::process::abort());
    Ok(done)
}

struct Taking {
    from: PathBuf,
    /// The folder of the job that took the files.
    to: PathBuf,
    /// The files in it.
    folder: PathBuf,
    /// The folder of this job.
    packed: PathBuf,
    of: JobId,
    which: Which,
    largest: u64,
    cancelled: CancellationToken,
}

/// A file that can be sent.
struct Found {
    path: PathBuf,
    name: String,
}

impl Taking {
    fn messages(&self) -> io::Result<Vec<Outgoing>> {
        let folder = &self.folder;
        if self.which == Which::All {
            self.take(folder)?;
        }
        match fs::symlink_metadata(folder) {
            Ok(found) if found.is_dir() => {}
            Ok(_) => {
                let name = "the outbox itself".to_owned();
                let why = Why::NoFile;
                return Ok(vec![words::not_sent(
                    &[NotSent { name, why }],
                    self.largest,
                )]);
            }
            Err(_) => return Ok(Vec::new()),
        }
        make_readable(folder);
        let root = Root::new(folder)?;
        let (found, not_sent, secrets) = self.look(&root);
        let mut messages = self.sent(&root, folder, found)?;
        if !not_sent.is_empty() {
            messages.push(words::not_sent(&not_sent, self.largest));
        }
        if !secrets.is_empty() {
            messages.push(words::are_secrets(&secrets, self.of));
        }
        Ok(messages)
    }

    /// Moves the folder away, unless that was done before; the next run has an empty one.
    fn take(&self, folder: &Path) -> io::Result<()> {
        private_folder(&self.to)?;
        match fs::symlink_metadata(&self.from) {
            Ok(found) if found.is_file() => {
                private_folder(folder)?;
                fs::rename(&self.from, folder.join(IN_ITS_PLACE))?;
            }
            // A folder that nobody may write to cannot be moved.
            Ok(found) if found.is_dir() => {
                fs::set_permissions(&self.from, Permissions::from_mode(0o700))?;
            }
            _ => {}
        }
        if fs::symlink_metadata(folder).is_err() {
            match fs::rename(&self.from, folder) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        fail_point!("files-moved", |_| std::process::abort());
        private_folder(&self.from)
    }

    fn look(&self, root: &Root) -> (Vec<Found>, Vec<NotSent>, Vec<String>) {
        let (mut found, mut not_sent, mut secrets) = (Vec::new(), Vec::new(), Vec::new());
        let walk = WalkDir::new(root.path()).sort_by_file_name().min_depth(1);
        for entry in walk {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    let name = error.path().map(|path| root.name(path));
                    not_sent.push(NotSent {
                        name: name.unwrap_or_default(),
                        why: Why::Unreadable(words::in_words(&error.into())),
                    });
                    continue;
                }
            };
            if entry.file_type().is_dir() {
                continue;
            }
            let (path, name) = (entry.path().to_owned(), root.name(entry.path()));
            if path.to_str().is_none() {
                let why = Why::Unreadable("its name is no text".to_owned());
                not_sent.push(NotSent { name, why });
                continue;
            }
            let is_secret = secret::is_named_so(Path::new(&name));
            if is_secret != (self.which == Which::Secrets) {
                if is_secret {
                    secrets.push(name);
                }
                continue;
            }
            let why = match entry.file_type().is_file().then(|| root.open(&path)) {
                None => Why::NoFile,
                Some(Err(error)) => Why::Unreadable(words::in_words(&error)),
                Some(Ok(file)) => match file.metadata().map(|found| found.len()) {
                    Err(error) => Why::Unreadable(words::in_words(&error)),
                    Ok(0) => Why::Empty,
                    Ok(bytes) if bytes > self.largest => Why::TooLarge { bytes, path },
                    Ok(_) => {
                        found.push(Found { path, name });
                        continue;
                    }
                },
            };
            not_sent.push(NotSent { name, why });
        }
        (found, not_sent, secrets)
    }

    fn sent(&self, root: &Root, folder: &Path, found: Vec<Found>) -> io::Result<Vec<Outgoing>> {
        if found.len() <= MOST_FILES {
            return Ok(found
                .into_iter()
                .map(|file| message_of(root, file))
                .collect());
        }
        private_folder(&self.packed)?;
        let zip = self.packed.join("files.zip");
        let count = found.len();
        let members: Vec<Member> = found
            .into_iter()
            .map(|Found { path, name }| Member { path, name })
            .collect();
        Ok(
            match packing::pack(root, &members, &zip, self.largest, &self.cancelled) {
                Ok(_) => vec![words::many(zip, count)],
                Err(NotPacked::TooLarge) => {
                    vec![words::many_too_large(count, self.largest, folder)]
                }
                // Nobody waits for it any more.
                Err(NotPacked::Cancelled) => Vec::new(),
                Err(NotPacked::Failed(error)) => return Err(error),
            },
        )
    }
}

fn message_of(root: &Root, file: Found) -> Outgoing {
    let Found { path, name } = file;
    let short = match path.file_name() {
        Some(short) => short.to_string_lossy().into_owned(),
        None => name.clone(),
    };
    let is_picture = is_picture(root, &path);
    // A picture has no name in the chat.
    let is_told = is_picture || name != short;
    Outgoing::of(Body::Stored(Stored {
        caption: if is_told { name } else { String::new() },
        name: short,
        path,
        is_picture,
    }))
}

/// By the file's first bytes. Animations are none: as a document, Telegram shows them moving.
fn is_picture(root: &Root, path: &Path) -> bool {
    let mut start = Vec::new();
    let read = root.open(path).and_then(|file| {
        let is_small = file.metadata()?.len() <= LARGEST_PICTURE;
        io::Read::read_to_end(&mut io::Read::take(file, 12), &mut start)?;
        Ok(is_small)
    });
    let is_known = start.starts_with(b"\x89PNG\r\n\x1a\n")
        || start.starts_with(b"\xff\xd8\xff")
        || (start.starts_with(b"RIFF") && start.get(8..12) == Some(b"WEBP".as_slice()));
    read.unwrap_or(false) && is_known
}

/// Renames files whose names are no text, so that they can be stored and shown. A name that cannot be changed stays.
fn make_readable(folder: &Path) {
    let walk = WalkDir::new(folder).min_depth(1).contents_first(true);
    for entry in walk.into_iter().filter_map(Result::ok) {
        let name = entry.file_name();
        if name.to_str().is_some() {
            continue;
        }
        // A character may take more bytes than what it stands for.
        let readable = name.to_string_lossy();
        let end = readable.floor_char_boundary(READABLE_NAME);
        let readable = &readable[..end];
        let free = (0..)
            .map(|number| match number {
                0 => entry.path().with_file_name(readable),
                _ => entry.path().with_file_name(format!("{number}-{readable}")),
            })
            .find(|path| fs::symlink_metadata(path).is_err());
        if let Some(free) = free {
            let _ = fs::rename(entry.path(), free);
        }
    }
}

pub(super) fn private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}
