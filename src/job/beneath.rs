//! Files of a workspace, and of nothing else: looks up a person's path and opens nothing outside.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

/// A folder; nothing outside it is opened.
pub struct Root {
    /// Without links in it.
    path: PathBuf,
    /// The path that others use.
    called: PathBuf,
}

/// Where a path leads.
#[derive(Debug, PartialEq, Eq)]
pub enum Place {
    /// Below the folder, without links in it.
    At(PathBuf),
    Outside,
    Missing,
}

impl Root {
    pub fn new(folder: &Path) -> io::Result<Root> {
        Ok(Root {
            path: folder.canonicalize()?,
            called: folder.to_owned(),
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Looks a path up, relative to the folder or absolute. Links are followed as far as they stay inside.
    pub fn place(&self, wanted: &Path) -> io::Result<Place> {
        let inside = match wanted.is_absolute() {
            false => wanted,
            true => match wanted
                .strip_prefix(&self.called)
                .or_else(|_| wanted.strip_prefix(&self.path))
            {
                Ok(inside) => inside,
                Err(_) => return Ok(Place::Outside),
            },
        };
        // Before any look-up, which would tell whether something exists outside.
        if climbs_out(inside) {
            return Ok(Place::Outside);
        }
        use io::ErrorKind::{InvalidFilename, InvalidInput, NotADirectory, NotFound};
        match self.path.join(inside).canonicalize() {
            Ok(real) if real.starts_with(&self.path) => Ok(Place::At(real)),
            Ok(_) => Ok(Place::Outside),
            Err(error) => match error.kind() {
                NotFound | NotADirectory | InvalidInput | InvalidFilename => Ok(Place::Missing),
                _ => Err(error),
            },
        }
    }

    /// Opens a regular file for reading. Anything else is an error, as is a link or a file that is outside by now:
    /// paths can change after the look-up.
    pub fn open(&self, path: &Path) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
        let opened = std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd()))?;
        if !opened.starts_with(&self.path) {
            return Err(io::Error::other("it is outside the folder"));
        }
        if !file.metadata()?.is_file() {
            return Err(io::Error::other("it is not a file"));
        }
        Ok(file)
    }

    /// A path below the folder, relative to it.
    pub fn name(&self, path: &Path) -> String {
        let within = path.strip_prefix(&self.path).unwrap_or(path);
        within.to_string_lossy().into_owned()
    }
}

fn climbs_out(path: &Path) -> bool {
    use std::path::Component::{Normal, ParentDir};
    let mut depth = 0_i32;
    for part in path.components() {
        match part {
            ParentDir => depth -= 1,
            Normal(_) => depth += 1,
            _ => {}
        }
        if depth < 0 {
            return true;
        }
    }
    false
}
