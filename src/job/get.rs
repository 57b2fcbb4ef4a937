//! `/get`: a file of the workspace, or a folder as a zip.
//!
//! A copy is sent: the file itself may change while the message waits.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use tokio_util::sync::CancellationToken;
use walkdir::{DirEntry, WalkDir};

use super::at_work::{AtWork, Finished};
use super::beneath::{Place, Root};
use super::packing::{self, Member, NotPacked};
use super::secret;
use super::send_files::private_folder;
use crate::chat::changes;
use crate::chat::files::{self as words, LeftOut, Why};
use crate::domain::id::JobId;
use crate::domain::outgoing::{Body, Outgoing, Stored};
use crate::files;

/// How many names are compared to find a similar one.
const LOOKED_AT: usize = 20_000;
/// Folders full of names that nobody means.
const NOT_LOOKED_INTO: [&str; 4] = [".git", "node_modules", "target", ".venv"];
/// Names this alike are similar; 1 is equal.
const NEAR: f64 = 0.8;
const SUGGESTED: usize = 3;

pub(super) async fn get(
    work: &AtWork<'_>,
    wanted: &str,
    secrets_too: bool,
) -> anyhow::Result<Finished> {
    let cancelled = CancellationToken::new();
    let getting = Getting {
        workspace: work.session.workspace.clone(),
        wanted: wanted.to_owned(),
        secrets_too,
        job: work.job.id,
        to: files::sent(&work.handles.data, &work.session.id, work.job.id),
        largest: work.handles.fetching.api.largest_file(),
        cancelled: cancelled.clone(),
    };
    let _cancels = cancelled.drop_guard();
    let mut got = tokio::task::spawn_blocking(move || getting.message());
    let message = tokio::select! {
        message = &mut got => message??,
        () = work.stopped() => changes::job_stopped("The sending"),
        () = work.quit.cancelled() => return Ok(Finished::BotStops),
    };
    Ok(work.say(message).await?)
}

struct Getting {
    workspace: PathBuf,
    wanted: String,
    secrets_too: bool,
    job: JobId,
    to: PathBuf,
    largest: u64,
    cancelled: CancellationToken,
}

impl Getting {
    fn message(&self) -> io::Result<Outgoing> {
        let wanted = Path::new(&self.wanted);
        let Ok(root) = Root::new(&self.workspace) else {
            return Ok(changes::not_ready());
        };
        let path = match root.place(wanted) {
            Ok(Place::At(path)) => path,
            Ok(Place::Outside) => return Ok(words::outside(&self.wanted)),
            Ok(Place::Missing) => {
                return Ok(words::missing(&self.wanted, &near(&root, &self.wanted)));
            }
            Err(error) => return Ok(self.cannot(Why::Unreadable(words::in_words(&error)))),
        };
        if path.is_dir() {
            return self.folder(&root, &path);
        }
        let is_secret =
            secret::is_named_so(wanted) || secret::is_named_so(Path::new(&root.name(&path)));
        if is_secret && !self.secrets_too {
            return Ok(words::is_secret(&self.wanted, self.job));
        }
        self.file(&root, &path)
    }

    fn cannot(&self, why: Why) -> Outgoing {
        words::cannot_get(&self.wanted, &why, self.largest)
    }

    fn file(&self, root: &Root, path: &Path) -> io::Result<Outgoing> {
        let file = match root.open(path) {
            Ok(file) => file,
            Err(error) => return Ok(self.cannot(Why::Unreadable(words::in_words(&error)))),
        };
        let name = root.name(path);
        let short = name.rsplit('/').next().unwrap_or(&name).to_owned();
        let too_large = |bytes| {
            self.cannot(Why::TooLarge {
                bytes,
                path: path.to_owned(),
            })
        };
        match file.metadata()?.len() {
            0 => return Ok(self.cannot(Why::Empty)),
            bytes if bytes > self.largest => return Ok(too_large(bytes)),
            _ => {}
        }
        private_folder(&self.to)?;
        let copy = self.to.join("file");
        let mut to = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&copy)?;
        let copied = io::copy(&mut file.take(self.largest + 1), &mut to)?;
        to.sync_all()?;
        if copied > self.largest {
            std::fs::remove_file(&copy)?;
            return Ok(too_large(copied));
        }
        Ok(Outgoing::of(Body::Stored(Stored {
            path: copy,
            caption: if name == short { String::new() } else { name },
            name: short,
            is_picture: false,
        })))
    }

    fn folder(&self, root: &Root, folder: &Path) -> io::Result<Outgoing> {
        let name = match folder.file_name() {
            Some(name) if folder != root.path() => name.to_string_lossy().into_owned(),
            _ => "workspace".to_owned(),
        };
        let (members, mut left_out) = look(root, folder);
        if members.is_empty() {
            return Ok(words::nothing_in_folder(&name, &left_out));
        }
        private_folder(&self.to)?;
        let zip = self.to.join("folder.zip");
        Ok(
            match packing::pack(root, &members, &zip, self.largest, &self.cancelled) {
                Ok(unreadable) => {
                    let count = members.len() - unreadable.len();
                    left_out.unreadable.extend(unreadable);
                    words::folder(zip, &name, count, &left_out)
                }
                Err(NotPacked::TooLarge) => words::folder_too_large(&name, self.largest),
                Err(NotPacked::Cancelled) => changes::job_stopped("The sending"),
                Err(NotPacked::Failed(error)) => return Err(error),
            },
        )
    }
}

/// A folder's files to send, and the rest.
fn look(root: &Root, folder: &Path) -> (Vec<Member>, LeftOut) {
    let (mut members, mut left_out) = (Vec::new(), LeftOut::default());
    let mut walk = WalkDir::new(folder)
        .min_depth(1)
        .sort_by_file_name()
        .into_iter();
    while let Some(entry) = walk.next() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let name = error.path().map(|path| root.name(path));
                left_out.unreadable.extend(name);
                continue;
            }
        };
        let within = entry.path().strip_prefix(folder).unwrap_or(entry.path());
        if entry.file_name() == ".git" {
            left_out.git = true;
            if entry.file_type().is_dir() {
                walk.skip_current_dir();
            }
        } else if entry.file_type().is_dir() {
        } else if !entry.file_type().is_file() {
            left_out.no_files += 1;
        } else if secret::is_named_so(Path::new(&root.name(entry.path()))) {
            left_out.secrets.push(root.name(entry.path()));
        } else {
            members.push(Member {
                path: entry.path().to_owned(),
                name: within.to_string_lossy().into_owned(),
            });
        }
    }
    (members, left_out)
}

/// Names in the workspace similar to the one that was asked for, the most similar first.
fn near(root: &Root, wanted: &str) -> Vec<String> {
    let wanted = wanted.to_lowercase();
    let last = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
    let of_name = last(&wanted);
    let is_looked_into =
        |entry: &DirEntry| !NOT_LOOKED_INTO.contains(&entry.file_name().to_string_lossy().as_ref());
    let mut found: Vec<(f64, String)> = WalkDir::new(root.path())
        .min_depth(1)
        .into_iter()
        .filter_entry(is_looked_into)
        .filter_map(Result::ok)
        .take(LOOKED_AT)
        .map(|entry| {
            let path = root.name(entry.path());
            let there = path.to_lowercase();
            let likeness = strsim::jaro_winkler(&there, &wanted)
                .max(strsim::jaro_winkler(&last(&there), &of_name));
            (likeness, path)
        })
        .filter(|(likeness, _)| *likeness >= NEAR)
        .collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    found.truncate(SUGGESTED);
    found.into_iter().map(|(_, path)| path).collect()
}
