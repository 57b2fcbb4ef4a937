//! `.worktreeinclude`, as Claude Code has it: which ignored files of the checkout a new worktree gets too.
//!
//! Patterns as in gitignore(5). A file is copied if a pattern matches it and git ignores it, there and in the worktree,
//! so nothing that is tracked, or could be committed by mistake, is ever copied. Nothing leaves the two folders, and
//! nothing is written over.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};

use rustix::fs::OFlags;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::workspace::{Workshop, impossible};
use super::{Git, GitError, file};
use crate::domain::workspace::{NotCopied, Remark};

const FILE: &str = ".worktreeinclude";
/// How many files are copied at most, and how many bytes altogether.
const FILES_MOST: usize = 10_000;
const BYTES_MOST: u64 = 1_000_000_000;

/// Copies the files from a checkout to a worktree that was just made.
///
/// Errors: it was stopped. What cannot be copied is a remark.
pub(super) async fn copy(
    shop: &Workshop<'_>,
    checkout: &Path,
    worktree: &Path,
) -> Result<Vec<Remark>, GitError> {
    let Some(patterns) = file::text(&checkout.join(FILE)) else {
        return Ok(Vec::new());
    };
    let names = match matching(shop, checkout, worktree, &patterns).await {
        Ok(names) => names,
        Err(GitError::Stopped) => return Err(GitError::Stopped),
        Err(failure) => {
            let why = match failure.words() {
                "" => failure.reason(),
                words => words.to_owned(),
            };
            let all = NotCopied::of(FILE, &why);
            return Ok(vec![Remark::NotCopied(vec![all])]);
        }
    };
    let copy = Copy {
        from: checkout.to_owned(),
        to: worktree.to_owned(),
        stop: shop.listener.stop.clone(),
    };
    (shop.listener.heard)(&format!("Copying what {FILE} names"));
    let done = tokio::task::spawn_blocking(move || copy.all(names)).await;
    done.unwrap_or_else(|_| {
        Err(GitError::Impossible(format!(
            "copying what {FILE} names failed"
        )))
    })
}

/// The paths that the patterns match and git ignores. A path with a slash at its end is a repository inside.
async fn matching(
    shop: &Workshop<'_>,
    checkout: &Path,
    worktree: &Path,
    patterns: &str,
) -> Result<Vec<PathBuf>, GitError> {
    let git = shop.git;
    // A copy: the file itself may be a FIFO by now.
    let copied = git.scratch.join(Uuid::new_v4().simple().to_string());
    fs::write(&copied, patterns).map_err(|error| impossible(&copied, &error))?;
    let exclude = format!("--exclude-from={}", copied.display());
    let list = ["ls-files", "-z", "--others", "--ignored", &exclude];
    let listed = git.call(checkout, list).supervised(shop.listener).await;
    let _ = fs::remove_file(&copied);
    let listed = listed?;
    if listed.is_cut {
        return Err(GitError::Impossible("it matches too many files".into()));
    }
    let ignored = ignored_of(git, checkout, listed.bytes).await?;
    let ignored = ignored_of(git, worktree, ignored).await?;
    let names = ignored.split(|byte| *byte == 0);
    Ok(names
        .filter(|name| !name.is_empty())
        .map(|name| PathBuf::from(OsStr::from_bytes(name)))
        .collect())
}

/// Those of the paths that git ignores there.
async fn ignored_of(git: &Git, folder: &Path, paths: Vec<u8>) -> Result<Vec<u8>, GitError> {
    if paths.is_empty() {
        return Ok(paths);
    }
    let check = git.call(folder, ["check-ignore", "-z", "--stdin"]);
    match check.input(paths).output().await {
        Ok(ignored) => Ok(ignored.bytes),
        // None of them.
        Err(GitError::Refused { code: Some(1), .. }) => Ok(Vec::new()),
        Err(other) => Err(other),
    }
}

/// The copying, which blocks.
struct Copy {
    from: PathBuf,
    to: PathBuf,
    stop: CancellationToken,
}

impl Copy {
    fn all(&self, names: Vec<PathBuf>) -> Result<Vec<Remark>, GitError> {
        let mut copied = Vec::new();
        let mut not_copied = Vec::new();
        let mut room = BYTES_MOST;
        for (number, name) in names.into_iter().enumerate() {
            if self.stop.is_cancelled() {
                return Err(GitError::Stopped);
            }
            let done = match number < FILES_MOST {
                true => self.one(&name, &mut room),
                false => Err(io::Error::other(format!("more than {FILES_MOST} files"))),
            };
            let shown = name.to_string_lossy().into_owned();
            match done {
                Ok(()) => copied.push(shown),
                Err(error) => not_copied.push(NotCopied::of(&shown, &error.to_string())),
            }
        }
        let mut remarks = Vec::new();
        if !copied.is_empty() {
            remarks.push(Remark::Copied(copied));
        }
        if !not_copied.is_empty() {
            remarks.push(Remark::NotCopied(not_copied));
        }
        Ok(remarks)
    }

    fn one(&self, name: &Path, room: &mut u64) -> io::Result<()> {
        let from = self.from.join(name);
        let is_plain = |part| matches!(part, Component::Normal(_));
        if !name.components().all(is_plain) {
            return Err(io::Error::other("it is outside the repository"));
        }
        if name.as_os_str().as_bytes().ends_with(b"/") {
            return Err(io::Error::other("it is a repository of its own"));
        }
        let found = from.symlink_metadata()?;
        if !found.is_file() && !found.is_symlink() {
            return Err(io::Error::other("it is not a file"));
        }
        *room = room.checked_sub(found.len()).ok_or_else(|| {
            let most = BYTES_MOST / 1_000_000;
            io::Error::other(format!("all together would be more than {most} MB"))
        })?;
        self.make_folders(name)?;
        let to = self.to.join(name);
        if found.is_symlink() {
            return symlink(fs::read_link(&from)?, &to);
        }
        copy_file(&from, &to)
    }

    /// Makes the folders above a path in the worktree, with the rights that they have in the checkout.
    fn make_folders(&self, name: &Path) -> io::Result<()> {
        let above: Vec<&Path> = name.ancestors().skip(1).collect();
        for folder in above.into_iter().rev().skip(1) {
            let (from, to) = (self.from.join(folder), self.to.join(folder));
            let rights = from.symlink_metadata()?;
            if !rights.is_dir() {
                return Err(io::Error::other("its folder is a link"));
            }
            match to.symlink_metadata() {
                Ok(found) if found.is_dir() => {}
                Ok(_) => return Err(io::Error::other("its folder is none in the worktree")),
                Err(_) => {
                    fs::create_dir(&to)?;
                    fs::set_permissions(&to, rights.permissions())?;
                }
            }
        }
        Ok(())
    }
}

/// Copies a file with its rights; nothing is written over.
fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let mut source = OpenOptions::new()
        .read(true)
        .custom_flags(i32::try_from(flags.bits()).unwrap_or(0))
        .open(from)?;
    let found = source.metadata()?;
    if !found.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    let mut target = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(to)?;
    io::copy(&mut source, &mut target)?;
    let rights = fs::Permissions::from_mode(found.permissions().mode() & 0o777);
    target.set_permissions(rights)
}
