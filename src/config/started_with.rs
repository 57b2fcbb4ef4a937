//! The `.env` files that bots of this person were started with: other commands take settings from no other one.
//!
//! A list in `~/.local/state/telecoder`, a path a line.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::Sources;

/// The most that are remembered; the oldest go.
const MOST: usize = 50;

pub(super) fn list(sources: &Sources) -> Vec<PathBuf> {
    let text = place(sources).and_then(|place| fs::read_to_string(place).ok());
    let text = text.unwrap_or_default();
    text.lines().map(PathBuf::from).collect()
}

/// Adds a file at the end. Nothing is written if it is there.
pub(super) fn add(sources: &Sources, file: &Path) -> io::Result<()> {
    let mut all = list(sources);
    let Some(place) = place(sources).filter(|_| !all.iter().any(|known| known == file)) else {
        return Ok(());
    };
    all.push(file.to_owned());
    let surplus = all.len().saturating_sub(MOST);
    let lines: Vec<String> = all[surplus..]
        .iter()
        .map(|file| format!("{}\n", file.display()))
        .collect();
    let folder = place
        .parent()
        .ok_or_else(|| io::Error::other("it has no folder"))?;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let half = tempfile::NamedTempFile::new_in(folder)?;
    fs::write(half.path(), lines.concat())?;
    half.persist(place)?;
    Ok(())
}

/// `None` without HOME.
fn place(sources: &Sources) -> Option<PathBuf> {
    let state = sources.folder_of("XDG_STATE_HOME", ".local/state")?;
    Some(state.join("telecoder/started-with"))
}
