//! A look at a workspace: its content, in an index of telecoder's own; the person's index stays as it is.
//!
//! Each look begins with the index of the one before, so a file that has not changed is not read again, and one that
//! git has come to ignore is still seen. What the person tracks is seen too, ignored or not.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::time::Duration;

use uuid::Uuid;

use super::GitError;
use super::beside::Beside;
use super::look::take_in;
use super::repository::Repository;
use super::seed::seed;

/// How long git may take to look through a workspace. It waits for ever for a FIFO named `.gitignore`.
const LOOK_LIMIT: Duration = Duration::from_secs(60);
/// How often to look again if git gives up, after pauses that grow fourfold: a git ended with the bot may still be busy
/// with its last file.
const LOOKED_AGAIN: u32 = 3;
const LOOK_PAUSE: Duration = Duration::from_millis(150);

/// An index file to look at a workspace through, deleted on drop. Each look has its own: a git that outlived a killed
/// bot may still write into an older one.
pub struct OwnIndex(PathBuf);

impl OwnIndex {
    /// An unused name.
    pub fn within(scratch: &Path) -> OwnIndex {
        OwnIndex(scratch.join(format!("{}.index", Uuid::new_v4().simple())))
    }
}

impl Deref for OwnIndex {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Drop for OwnIndex {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
        let _ = fs::remove_file(self.0.with_added_extension("lock"));
    }
}

/// What a look found beside what is in the index then.
#[derive(Default)]
pub struct Looked {
    /// git's words about files that it could not read; usually none.
    pub words: String,
    /// Files that are too large to be kept; their state is known.
    pub large: Vec<String>,
    /// The folders of the repositories inside, with whole paths.
    pub repositories: BTreeSet<PathBuf>,
    pub beside: Beside,
}

/// Takes a repository's content into an index of our own, for comparisons.
///
/// If a file comes and goes meanwhile, git gives up and is tried again.
pub async fn look(repository: Repository<'_>, index: &Path) -> Result<Looked, GitError> {
    repository.open().await?;
    let mut tries = 0;
    loop {
        // An index that cannot be read is made anew.
        let beside = match begin_index(repository, index, tries == 0)? {
            Some(beside) => beside,
            None if tries == 0 => seed(repository, index).await,
            None => Beside::default(),
        };
        let taking_in = take_in(repository, index, beside);
        let looked = tokio::time::timeout(LOOK_LIMIT, taking_in).await;
        let looked = looked.unwrap_or_else(|_| {
            Err(GitError::Impossible(format!(
                "git took longer than {} s to look through the workspace",
                LOOK_LIMIT.as_secs()
            )))
        });
        match looked {
            Ok(looked) => {
                keep_index(repository, index, &looked.beside);
                return Ok(looked);
            }
            Err(GitError::Refused { .. }) if tries < LOOKED_AGAIN => {
                tokio::time::sleep(LOOK_PAUSE * 4u32.pow(tries)).await;
                tries += 1;
            }
            Err(other) => return Err(other),
        }
    }
}

/// Begins with the last look's index, if there is a whole one, or with nothing; returns what was noted beside it.
fn begin_index(
    repository: Repository<'_>,
    index: &Path,
    goes_on: bool,
) -> Result<Option<Beside>, GitError> {
    let impossible =
        |error: io::Error| GitError::Impossible(format!("the snapshot cannot be made ({error})"));
    // Left by the previous try.
    let _ = fs::remove_file(index.with_added_extension("lock"));
    let _ = fs::remove_file(index);
    let last = repository.last_index();
    let Some(beside) = Beside::noted(repository).filter(|_| goes_on) else {
        let _ = fs::remove_file(&last);
        return Ok(None);
    };
    let copied = fs::copy(&last, index).and_then(|_| copy_time(&last, index));
    copied.map(|()| Some(beside)).map_err(impossible)
}

/// The next look begins with this one. If it cannot be kept, the next one takes longer.
pub(super) fn keep_index(repository: Repository<'_>, index: &Path, beside: &Beside) {
    let last = repository.last_index();
    let new = last.with_added_extension(Uuid::new_v4().simple().to_string());
    let kept = fs::copy(index, &new).and_then(|_| {
        copy_time(index, &new)?;
        beside.note(repository, &new)?;
        fs::rename(&new, &last)
    });
    if kept.is_err() {
        let _ = fs::remove_file(&new);
    }
}

/// git tells by this time which files may have changed right after the index was written.
pub(super) fn copy_time(from: &Path, to: &Path) -> io::Result<()> {
    let modified = fs::metadata(from)?.modified()?;
    File::options().write(true).open(to)?.set_modified(modified)
}
