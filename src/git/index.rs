//! An index of our own to look at a workspace through; the workspace's index stays as it is.

use std::fs::{self, File};
use std::io;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::time::Duration;

use uuid::Uuid;

use super::call::Call;
use super::snapshot::{git_folder, in_place};
use super::{Git, GitError};

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
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Takes the workspace's content into an index of our own, for comparisons. Returns git's words about files that it
/// could not read; usually none.
///
/// The index always begins as a copy of the workspace's own: only that knows which ignored files are tracked. If a file
/// comes and goes meanwhile, git gives up and is tried again.
pub async fn look(git: &Git, workspace: &Path, index: &Path) -> Result<String, GitError> {
    let mut tries = 0;
    loop {
        begin_index(workspace, index)?;
        let add = with_index(git, workspace, index, ["add", "--all", "--ignore-errors"]);
        let added = tokio::time::timeout(LOOK_LIMIT, add.output()).await;
        let added = added.unwrap_or_else(|_| {
            Err(GitError::Impossible(format!(
                "git took longer than {} s to look through the workspace",
                LOOK_LIMIT.as_secs()
            )))
        });
        match added {
            Ok(_) => return Ok(String::new()),
            // Some files could not be read; the others are there.
            Err(GitError::Refused {
                code: Some(1),
                words,
            }) => return Ok(words),
            Err(GitError::Refused { .. }) if tries < LOOKED_AGAIN => {
                tokio::time::sleep(LOOK_PAUSE * 4u32.pow(tries)).await;
                tries += 1;
            }
            Err(other) => return Err(other),
        }
    }
}

/// Begins with a copy of the workspace's index, which spares git reading every file.
fn begin_index(workspace: &Path, index: &Path) -> Result<(), GitError> {
    let impossible =
        |error: io::Error| GitError::Impossible(format!("the snapshot cannot be made ({error})"));
    // Left by the previous try.
    let _ = fs::remove_file(index.with_added_extension("lock"));
    let _ = fs::remove_file(index);
    let of_workspace = git_folder(workspace)
        .ok_or_else(|| GitError::Impossible("the workspace is no git repository any more".into()))?
        .join("index");
    if fs::metadata(&of_workspace).is_ok_and(|metadata| !metadata.is_file()) {
        return Err(GitError::Impossible(
            "the workspace's index is no file".into(),
        ));
    }
    match fs::copy(&of_workspace, index) {
        Ok(_) => {}
        // Nothing was ever added.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(impossible(error)),
    }
    // git tells by this time which files may have changed right after the index was written.
    let modified = fs::metadata(&of_workspace).and_then(|metadata| metadata.modified());
    let copy = File::options().write(true).open(index);
    modified
        .and_then(|modified| copy?.set_modified(modified))
        .map_err(impossible)
}

/// A call that works on our index and leaves the workspace's alone.
pub(super) fn with_index<'a, 'b>(
    git: &'a Git,
    workspace: &'a Path,
    index: &Path,
    arguments: impl IntoIterator<Item = &'b str>,
) -> Call<'a> {
    // Our index is whole and has no checksum: it is made anew each time.
    let arguments = ["-c", "core.splitIndex=false", "-c", "index.skipHash=true"]
        .into_iter()
        .chain(arguments);
    in_place(git, workspace, arguments).with("GIT_INDEX_FILE", index)
}
